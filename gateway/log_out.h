/*
 * Where log lines go: standard output, whose reader may be slow, stopped or gone. Nothing here
 * blocks; what the reader does not take waits, up to LOG_OUT_MOST bytes (CONTRACT §12).
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
bool log_out_has_room(void) MUST; /* for a line, and many more */

void log_out_flush(void); /* writes what the reader takes */
bool log_out_wait(void);  /* 100 ms at most, until it takes more; false: nothing waits */
void log_out_stop(void);  /* forgets the rest */

#endif
