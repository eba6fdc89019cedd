/*
 * Text for people: what strangers wrote, made harmless for a terminal, as wide as it will be there.
 */
#ifndef GATEWAY_SCREEN_H
#define GATEWAY_SCREEN_H

#include <stdio.h>

#include "proto/buf.h"

enum screen_colour { SCREEN_PLAIN, SCREEN_RED, SCREEN_GREEN, SCREEN_YELLOW, SCREEN_DIM };

struct screen {
	FILE *to;
	size_t width; /* in columns; 0: no terminal, lines may be of any length */
	bool colour;  /* a terminal, and nobody set NO_COLOR */
	bool utf8;    /* else everything outside ASCII is escaped */
};

/* Finds out what stands behind the file. Takes the character set from the environment's locale. */
void screen_open(struct screen *, FILE *) NONNULL;

/*
 * Appends text with everything escaped that moves the cursor, is invisible, turns the direction of
 * writing, or is not UTF-8: \n, \x1b, \u{202e}; marks that pile up on one character too. Returns
 * the width in columns.
 */
size_t screen_put(struct buf *, struct slice text, bool utf8) NONNULL;

/* The longest beginning of what screen_put() wrote that is at most so wide; *width becomes its
 * width. */
struct slice screen_fit(struct slice safe, size_t *width) NONNULL;

void screen_colour(const struct screen *, enum screen_colour) NONNULL; /* from here on */

#endif
