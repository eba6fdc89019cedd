/*
 * Repeated lines of the log. Of lines that are alike in all but their time the first ten of a
 * second are written; the rest are counted, and one more line tells how many they were. What
 * happens once is never held back, and nothing is lost but times.
 */
#ifndef GATEWAY_FOLD_H
#define GATEWAY_FOLD_H

#include "proto/buf.h"

/* Whether to write the line, whose first `dated` bytes are not compared. Without memory, and
 * while too many others are held back, it is. */
bool fold_pass(struct slice line, size_t dated) MUST;

struct folded {
	struct slice line; /* as it came first; good until the next call */
	size_t dated;
	uint64_t repeated; /* how often it was held back */
};

/* The second is over: a line that was held back; false when there are no more of them, and a new
 * second begins. */
bool fold_next(struct folded *) MUST NONNULL;

void fold_stop(void);

#endif
