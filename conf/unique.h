/* Names that no two may share: claimed while the file is read, compared when all are there. */
#ifndef CONF_UNIQUE_H
#define CONF_UNIQUE_H

#include "conf/fault.h"

struct claim;

struct unique {
	struct claim *list;
	size_t count;
};

/*
 * node wants text for itself among the claims of the same kind (one address per kind) within the
 * same scope (any number that its members share). text must stay where it is until unique_check().
 */
void unique_claim(struct unique *, struct arena *, const void *kind, size_t scope,
    struct slice text, const struct json *node);

/* Adds a fault for every claim but the first of its text. */
void unique_check(struct unique *, struct faults *) NONNULL;

#endif
