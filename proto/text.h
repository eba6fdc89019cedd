/* Texts as people compare them. */
#ifndef PROTO_TEXT_H
#define PROTO_TEXT_H

#include "proto/arena.h"

/* Byte by byte; a text comes before what it is the beginning of. */
int text_compare(struct slice, struct slice);

bool text_contains(struct slice text, struct slice part);

/* ASCII letters in lower case; the text itself if there are none in upper case. */
struct slice text_lower(struct arena *, struct slice) NONNULL;

/* A decimal number and nothing else: "3", "-0.5", "1e9". */
bool text_number(struct slice, double *) MUST NONNULL;

#endif
