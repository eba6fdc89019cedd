/* Instants as microseconds since 1970-01-01T00:00:00Z, and their texts. Years 1 to 9999. */
#ifndef PROTO_DATE_H
#define PROTO_DATE_H

#include "proto/base.h"

enum { DATE_TEXT = 28 }; /* size with the NUL */

/* "2019-06-07T22:47:28.431949Z" */
void date_text(int64_t us, char out[DATE_TEXT]) NONNULL;

/* RFC 3339: "T" or a space, any number of fractional digits (beyond microseconds cut), "Z" or an
 * offset. False for anything else, including days that do not exist. */
bool date_parse(struct slice, int64_t *us) MUST NONNULL;

/* The three forms of RFC 9110 §5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT" and the two obsolete ones.
 * now (us) settles the century of a two-digit year. */
bool date_parse_http(struct slice, int64_t now, int64_t *us) MUST NONNULL;

#endif
