/*
 * The turn: one pass of the loop, one write transaction, one commit (CONTRACT §1.1).
 *
 * All that must last is written in the turn's one transaction; all that may be said only once it
 * lasts waits as a hook. turn_end() seals, commits and runs every hook once, in order, with the
 * result. A turn is all or nothing.
 *
 * Hooks touch memory and sockets only: turn_write() and turn_read() may not be called in one
 * (asserted). What a hook learns that must be stored goes on a list of the one who learns it and
 * into a later turn.
 */
#ifndef GATEWAY_TURN_H
#define GATEWAY_TURN_H

#include <event2/event.h>

#include "store/store.h"

/* ok: what the turn wrote is on stable storage. Not ok: none of it exists. */
typedef void turn_hook(void *arg, bool ok);
/* Looks at what a change would do: txn is written to at will and then dropped; NULL: none can be
 * had. */
typedef void turn_dry_run(void *arg, struct txn *txn);
/* Called before each commit, in the transaction, with what else belongs in it. */
typedef void turn_seal(struct txn *);

void turn_start(struct event_base *, struct store *, turn_seal *);
void turn_stop(void);

/* The turn's write transaction, begun on first use; NULL when none can be had, or it has failed:
 * then answer 503. */
struct txn *turn_write(void) MUST;
/* The turn's snapshot of what is committed; NULL when none can be had, or it has failed. */
struct txn *turn_read(void) MUST;
/* Something could not be read in this turn: what was not found may be there. */
bool turn_unread(void) MUST;

/* Runs hook(arg, ok) behind the commit; without a write transaction in this turn, at its end with
 * ok true. False without memory: the turn has then failed. */
bool turn_after_commit(turn_hook *, void *arg) MUST;

/* Runs dry(arg, txn) behind the turn's hooks, with a transaction of its own that leaves no trace.
 * One in a turn; false: there is one already. */
bool turn_dry(turn_dry_run *, void *arg) MUST;

/* Counts work towards the turn's limit (512 requests, 1 MiB, 5 ms), which ends the pass. Loops over
 * many objects ask turn_full() and leave the rest to the next turn. */
void turn_charge(size_t bytes);
bool turn_full(void);
/* Somebody waits for the turn's end. */
bool turn_awaited(void);

/* Makes the turn fail: something in memory could not be had. */
void turn_fail(void);
/* What the turn wrote is not wanted after all: nothing of it exists, and nobody complains. */
void turn_drop(void);

/* Ends the pass behind the running callback. */
void turn_break(void);

/* Ends the turn. The result is store_commit()'s: STORE_OK, _FULL, _FAULT; it does not return for
 * STORE_BROKEN. */
int turn_end(void);

/* The last turn that wrote anything failed for want of memory or over a row that cannot be read. A
 * full store is no such failure: it is told to those who ask, and nothing but room mends it. */
bool turn_failing(void);
/* It failed for want of room in the store or on its disk, or one did within ten seconds: what is
 * small may find some where what is larger does not. */
bool turn_out_of_room(void);

/* The number of turns since the last call; for tests. */
uint64_t turn_count(void);

#endif
