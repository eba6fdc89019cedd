/*
 * JSON as bytes, for json_read: what is judged before the parser sees the text, and what lies
 * between its tokens.
 */
#ifndef PROTO_JSON_TEXT_H
#define PROTO_JSON_TEXT_H

#include "proto/json_read.h"

/* False, with *error filled, for bytes that are not UTF-8 and for control characters other than
 * tab, LF and CR. */
bool json_text_check(struct slice text, struct json_error *error) MUST NONNULL;

/* Writes \ufffd over each escape of a surrogate that is not half of a pair. */
void json_text_mend(char *text, size_t n) NONNULL;

/* The offset behind the white space, and comments where they are allowed, that start at `at`. */
size_t json_text_skip(struct slice text, size_t at, bool comments) MUST;

/* Fills *error; always false. */
bool json_text_fail(struct json_error *error, size_t at, const char *format, ...) PRINTF(3, 4);

#endif
