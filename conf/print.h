/* Fingerprints of what a configuration says: alike only where the values are. */
#ifndef CONF_PRINT_H
#define CONF_PRINT_H

#include "conf/conf.h"
#include "proto/json_read.h"

struct option;

bool print_equal(struct conf_print, struct conf_print) MUST;

/* Adds the value of a row, as it is kept in the object, or as it stands in the file where it is
 * not. nth: of which of several objects in a list without names. The order of calls does not
 * matter. */
void print_add(struct conf_print *, const struct option *, const struct json *node,
    const void *object, size_t nth) NONNULL;

#endif
