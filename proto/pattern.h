/*
 * POSIX extended regular expressions, searched for in time linear in the text and in memory that
 * does not grow with it (CONTRACT §7). Ours, because the C library's build their states as the text
 * asks for them: `a.{20}c` against 100 KB takes 10 s and 280 MB there, and U+0000 ends a match.
 *
 * Characters are those of UTF-8. Of what is not POSIX there is \d \w \s and \D \W \S outside
 * brackets. Back-references, collating elements, and what POSIX leaves undefined, are refused.
 */
#ifndef PROTO_PATTERN_H
#define PROTO_PATTERN_H

#include "proto/arena.h"

enum {
	PATTERN_MOST = 1000,   /* bytes of a pattern; also steps, which {m,n} multiplies */
	PATTERN_REPEATS = 255, /* of {m,n}; POSIX has no more either */
};

struct pattern;

/* ignore_case: of ASCII letters. NULL with *why set to what is wrong with the text. Everything is
 * in the arena. */
struct pattern *pattern_compile(struct arena *, struct slice text, bool ignore_case,
    const char **why) MUST NONNULL;

/* True if it matches somewhere in the text, which is well-formed UTF-8. */
bool pattern_found(const struct pattern *, struct slice text) MUST NONNULL;

#endif
