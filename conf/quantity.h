/* Times and sizes as texts; reading them is in conf.h. */
#ifndef CONF_QUANTITY_H
#define CONF_QUANTITY_H

#include "proto/base.h"

enum { QUANTITY_TEXT = 32 }; /* size with the NUL */

/* In the largest unit that divides it: "90s", "3s", "100ms"; whole milliseconds only. */
void quantity_time_text(int64_t us, char out[QUANTITY_TEXT]) NONNULL;
void quantity_size_text(int64_t bytes, char out[QUANTITY_TEXT]) NONNULL;

/* A whole number with an optional minus; false for anything else. Beyond int64_t it is the nearest
 * there is, which no bound of an option reaches. */
bool quantity_number(struct slice, int64_t *) MUST NONNULL;

#endif
