/*
 * Where log lines go: standard output, whose reader may be slow, stopped or gone. Nothing here
 * blocks; what the reader does not take, or a disk has no room for, waits, up to LOG_OUT_MOST bytes
 * (CONTRACT §12). When the reader is gone it is lost.
 */
#ifndef GATEWAY_LOG_OUT_H
#define GATEWAY_LOG_OUT_H

#include "proto/buf.h"

enum {
	LOG_OUT_MOST = 1 << 20,
	LOG_OUT_LEAST = 64 << 10, /* bytes of memory that are there when there is none to be had */
};

/* From here on lines go to standard output, before that to standard error; -1: no memory. */
int log_out_open(void) MUST;

/* All of it or nothing; false: there is no room. */
bool log_out_put(const struct buf *) MUST NONNULL;
bool log_out_has_room(void) MUST; /* for a line, and many more, and the last write did not fail */

/* Writes what the reader takes. Returns how many lines are lost. */
uint64_t log_out_flush(void) MUST;
bool log_out_wait(void);          /* 100 ms at most, until it takes more; false: nothing waits */
uint64_t log_out_stop(void) MUST; /* forgets the rest; how many lines that is */

#endif
