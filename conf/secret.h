/* Secrets: read from where they are, kept apart from everything else, wiped in the end. */
#ifndef CONF_SECRET_H
#define CONF_SECRET_H

#include "conf/fault.h"
#include "proto/json_read.h"

enum { SECRET_MAX = 65536 };

struct secret;

/*
 * The secret that node stands for: a text, {"file": path} or {"env": name}. A relative path starts
 * at the directory of the configuration file. False when there is none; a fault was added then,
 * which shows nothing of it.
 */
bool secret_read(struct secret **list, struct faults *, const struct json *node,
    struct slice *out) MUST NONNULL;

/* Room for what is derived from a secret: zeroed, aligned for any object, and wiped with the
 * others. NULL without memory. */
void *secret_room(struct secret **list, size_t n) MUST NONNULL;

/* Zeroes and frees all. */
void secret_wipe(struct secret **list) NONNULL;

#endif
