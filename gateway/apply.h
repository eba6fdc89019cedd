/*
 * Where the turn and the engine meet: one call applies a record in the turn's transaction and sees
 * to it that the engine's memory is kept or taken back with it. Everything the engine tells through
 * its watch is staged here and done once it lasts. Holds the one wake-up timer over retries and
 * timers.
 */
#ifndef GATEWAY_APPLY_H
#define GATEWAY_APPLY_H

#include <event2/event.h>

#include "gateway/engine.h"
#include "gateway/route.h"

extern const struct engine_watch apply_watch;

/* -1 without memory. */
int apply_start(struct event_base *) MUST NONNULL;
void apply_stop(void);

/* A record of that kind with its time, its ids (n of them) and its salt filled in. */
struct record apply_record(enum record_kind, uint32_t ids);

/* Applies it in this turn; false when the turn cannot be written: the record does not exist then.
 * Whether it lasts is told to hooks of turn_after_commit(). */
bool apply(const struct record *) MUST NONNULL;

/* The same for an operator, who is named on the lines about it. */
bool apply_for(const struct route_request *, const struct record *) MUST NONNULL;

/* Has the engine take the configuration over in this turn. False when it cannot: the turn must then
 * be dropped. */
bool apply_configure(struct conf *) MUST NONNULL;

/* The seal of turn_start(). */
void apply_seal(struct txn *) NONNULL;

/* Makes this turn one that is written, so that its seal removes old rows; turns follow while there
 * are more. */
void apply_sweep(void);

/* Looks again at what is due, after the clock was pushed. */
void apply_wake(void);

/* Once a second: sets the timer that could not be set for lack of memory. */
void apply_second(void);

#endif
