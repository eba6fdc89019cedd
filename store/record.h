/*
 * Rows as bytes: what stands behind the version byte of every value. Pure; used by the table
 * files, by `dump`, by unit tests and by the fuzzer. The procedure for changing a layout stands at
 * the top of store/record.c.
 *
 * An encoder appends to buf; a decoder returns false for bytes that no encoder makes (short, of an
 * unknown version, with a length that does not fit). Slices point into the input.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "store/store.h"

#define RECORD_ROWS(X)                                                                             \
	X(meta, struct meta)                                                                       \
	X(name, struct name_row)                                                                   \
	X(trace, struct trace_row)                                                                 \
	X(alert, struct alert_row)                                                                 \
	X(incident, struct incident_row)                                                           \
	X(open, struct open_row)                                                                   \
	X(event, struct event_row)                                                                 \
	X(delivery, struct delivery_row)                                                           \
	X(lane, struct lane_row)                                                                   \
	X(attempt, struct attempt_row)                                                             \
	X(note, struct note_row)

#define RECORD_PROTOTYPES(noun, type)                                                              \
	void record_put_##noun(struct buf *, const type *) NONNULL;                                \
	bool record_get_##noun(struct slice, type *) MUST NONNULL;

RECORD_ROWS(RECORD_PROTOTYPES)

#endif
