/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef PROTO_UTF8_H
#define PROTO_UTF8_H

#include "proto/base.h"

/* The number of leading bytes that are well-formed; equal to s.n when all are. */
size_t utf8_valid(struct slice s) MUST;

/* The longest prefix of at most max bytes that does not split a character. */
struct slice utf8_cut(struct slice s, size_t max) MUST;

/* Decodes the character at *at (well-formed text) and moves *at behind it. */
uint32_t utf8_next(struct slice s, size_t *at) NONNULL;

#endif
