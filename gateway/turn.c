/*
 *      event callbacks                     turn_end()
 *   ┌───────────────────────┐   ┌────────────────────────────────────┐
 *   │ turn_write()  puts    │   │ seal    counters, heads, expiry    │
 *   │ turn_read()   gets    │ → │ commit  both flushes               │ → next pass
 *   │ turn_after_commit(h)  │   │ hooks   answers, deliveries, log   │
 *   └───────────────────────┘   └────────────────────────────────────┘
 *
 * There is no artificial delay: while one commit runs, the kernel collects the next batch.
 */
#include "gateway/turn.h"

#include <assert.h>
#include <stdlib.h>

#include "gateway/clock.h"
#include "gateway/log.h"
#include "gateway/metrics.h"

enum { MAX_REQUESTS = 512, MAX_BYTES = 1 << 20, MAX_US = 5000, SLOW_COMMIT_US = 50000 };
enum { FULL_US = 10000000 };

struct hook {
	turn_hook *run;
	void *arg;
};

static struct {
	struct event_base *base;
	struct store *store;
	turn_seal *seal;
	struct txn *write;
	struct txn *read;
	bool failed;     /* no write transaction could be begun, or no memory for a hook */
	bool dropped;    /* nothing of it is wanted */
	bool in_hooks;
	bool full;
	size_t requests, bytes;
	int64_t began;   /* mono: when the turn's first work was charged */
	struct hook *hooks;
	size_t count, room;
	turn_dry_run *dry;
	void *dry_arg;
	bool unread;     /* no snapshot could be had, or something not be read from it */
	int last;        /* result of the last turn that wrote */
	int64_t full_until; /* steady: a lack of room is not forgotten before */
	uint64_t turns;
} turn;

void
turn_start(struct event_base *base, struct store *store, turn_seal *seal)
{
	turn.base = base;
	turn.store = store;
	turn.seal = seal;
}

void
turn_stop(void)
{
	free(turn.hooks);
	memset(&turn, 0, sizeof turn);
}

static void
begin(void)
{
	if (turn.began == 0)
		turn.began = clock_mono();
}

struct txn *
turn_write(void)
{
	assert(!turn.in_hooks);
	begin();
	if (turn.write == NULL && !turn.failed) {
		turn.write = store_write(turn.store);
		turn.failed = turn.write == NULL;
	}
	return turn.failed || store_failed(turn.write) ? NULL : turn.write;
}

struct txn *
turn_read(void)
{
	assert(!turn.in_hooks);
	begin();
	if (turn.read == NULL)
		turn.read = store_read(turn.store);
	turn.unread = turn.read == NULL || store_failed(turn.read);
	return turn.unread ? NULL : turn.read;
}

bool
turn_unread(void)
{
	return turn.unread || (turn.read != NULL && store_failed(turn.read));
}

static bool
grow_hooks(void)
{
	size_t room = turn.room == 0 ? 64 : 2 * turn.room;
	struct hook *hooks = realloc(turn.hooks, room * sizeof *hooks);

	if (hooks == NULL)
		return false;
	turn.hooks = hooks;
	turn.room = room;
	return true;
}

bool
turn_after_commit(turn_hook *run, void *arg)
{
	assert(!turn.in_hooks);
	if (turn.count == turn.room && !grow_hooks()) {
		turn_fail();
		return false;
	}
	turn.hooks[turn.count++] = (struct hook){run, arg};
	return true;
}

bool
turn_dry(turn_dry_run *dry, void *arg)
{
	assert(!turn.in_hooks);
	if (turn.dry != NULL)
		return false;
	begin();
	turn.dry = dry;
	turn.dry_arg = arg;
	return true;
}

void
turn_charge(size_t bytes)
{
	begin();
	turn.requests++;
	turn.bytes += bytes;
	turn.full = turn.requests >= MAX_REQUESTS || turn.bytes >= MAX_BYTES ||
		    clock_mono() - turn.began >= MAX_US;
	if (turn.full)
		event_base_loopbreak(turn.base);
}

bool
turn_full(void)
{
	return turn.full;
}

bool
turn_awaited(void)
{
	return turn.count > 0;
}

void
turn_fail(void)
{
	turn.failed = true;
	if (turn.write != NULL)
		store_fail(turn.write);
}

void
turn_drop(void)
{
	turn.dropped = true;
}

void
turn_break(void)
{
	event_base_loopbreak(turn.base);
}

static void
tell(const char *what, int result)
{
	metrics_store_error();
	log_begin(LOG_LEVEL_ERROR, "server.warning", "a turn could not be %s: %s", what,
	    store_error_text(result));
	log_end();
}

static int
commit(void)
{
	int64_t from = clock_mono(), took;
	int result;

	turn.seal(turn.write);
	result = store_commit(turn.write);
	turn.write = NULL;
	took = clock_mono() - from;
	if (result == STORE_BROKEN) {
		log_fatal("the store failed while it was written to; what is on disk is safe");
	} else if (result != STORE_OK) {
		tell("stored", result);
		if (result == STORE_FULL)
			turn.full_until = clock_steady() + FULL_US;
		return result;
	}
	metrics_commit(took);
	if (took > SLOW_COMMIT_US) {
		log_begin(LOG_LEVEL_WARNING, "server.warning", "a commit was slow");
		log_duration(took);
		log_end();
	}
	return result;
}

static void
run_hooks(bool ok)
{
	turn.in_hooks = true;
	for (size_t i = 0; i < turn.count; i++)
		turn.hooks[i].run(turn.hooks[i].arg, ok);
	turn.count = 0;
	turn.in_hooks = false;
}

static void
run_dry(void)
{
	turn_dry_run *dry = turn.dry;
	struct txn *txn;

	if (dry == NULL)
		return;
	turn.dry = NULL;
	turn.in_hooks = true;
	txn = store_write(turn.store);
	dry(turn.dry_arg, txn);
	store_abort(txn);
	turn.in_hooks = false;
}

static void
measure(void)
{
	if (turn.began == 0)
		return;
	metrics_turn(clock_mono() - turn.began);
	turn.turns++;
}

int
turn_end(void)
{
	int result = STORE_OK;

	assert(!turn.in_hooks);
	if (turn_unread())
		tell("read", STORE_FAULT);
	store_abort(turn.read); /* older than the commit that follows */
	turn.read = NULL;
	if (turn.failed) {
		result = turn.last = STORE_FAULT;
		tell("stored", result);
	} else if (turn.dropped) {
		result = STORE_FAULT;
	}
	if (result != STORE_OK) {
		store_abort(turn.write);
		turn.write = NULL;
	} else if (turn.write != NULL) {
		result = turn.last = commit();
	}
	event_base_update_cache_time(turn.base); /* deadlines armed by hooks start now */
	log_settle(result == STORE_OK);
	metrics_settle(result == STORE_OK);
	run_hooks(result == STORE_OK);
	run_dry();
	measure();
	turn.failed = turn.dropped = turn.unread = turn.full = false;
	turn.requests = turn.bytes = 0;
	turn.began = 0;
	log_flush();
	return result;
}

bool
turn_failing(void)
{
	return turn.last == STORE_FAULT;
}

bool
turn_out_of_room(void)
{
	return turn.last == STORE_FULL || clock_steady() < turn.full_until;
}

uint64_t
turn_count(void)
{
	uint64_t count = turn.turns;

	turn.turns = 0;
	return count;
}
