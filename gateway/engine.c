/*
 * The engine's frame: what it holds in memory, how a turn's changes to that are kept or taken back,
 * and the dispatch of records. The work is in the other files of the engine (engine_parts.h).
 *
 *   record ─▶ engine_apply ─▶ rows (in the transaction), memory (under undo), watch (tells others)
 *                              engine_seal: counters, heads      engine_settle: keep or take back
 */
#include "gateway/engine_parts.h"

#include <assert.h>
#include <stdlib.h>

/* Heads saved a turn: a few, and more when many alerts joined (see open.h). */
enum { HEADS_LEAST = 4, HEADS_SHARE = 16, BODY_MAX = 4 << 20, ARENA_MAX = 1 << 20,
       BURY_STEP = 256 };

struct engine engine;

/* ---- turn: what changes in memory -------------------------------------------------------- */

void
engine_touch(void)
{
	if (!engine.changed) {
		engine.before = engine.meta;
		engine.refile_before = engine.refile;
	}
	engine.changed = true;
}

void
engine_fail(struct txn *txn)
{
	engine.failed = true;
	store_fail(txn);
}

void
engine_count(uint64_t *counter, int by)
{
	assert(by >= 0 || *counter > 0);
	if (engine.undo_count == engine.undo_room) {
		size_t room = engine.undo_room == 0 ? 256 : 2 * engine.undo_room;
		void *grown = realloc(engine.undo, room * sizeof *engine.undo);

		if (grown == NULL) {
			engine.failed = true;
			return;
		}
		engine.undo = grown;
		engine.undo_room = room;
	}
	engine.undo[engine.undo_count].at = counter;
	engine.undo[engine.undo_count++].old = *counter;
	*counter += (uint64_t)by;
}

void
engine_settle(bool committed)
{
	open_settle(committed);
	if (!committed && engine.changed) {
		while (engine.undo_count > 0) {
			engine.undo_count--;
			*engine.undo[engine.undo_count].at = engine.undo[engine.undo_count].old;
		}
		engine.meta = engine.before;
		engine.refile = engine.refile_before;
	}
	engine_settle_conf(committed);
	engine.undo_count = 0;
	engine.changed = false;
	engine.failed = false;
}

void
engine_seal(struct txn *txn, const struct uuid *last_id, const struct meta *clock)
{
	uint64_t applied;

	engine_touch();
	applied = engine.meta.applied - engine.before.applied;
	open_save_heads(txn, HEADS_LEAST + applied / HEADS_SHARE);
	engine.meta.last_id = *last_id;
	memcpy(engine.meta.boot_id, clock->boot_id, sizeof clock->boot_id);
	engine.meta.boot_time = clock->boot_time;
	engine.meta.steady = clock->steady;
	if (!open_heads_from(&engine.meta.heads_from))
		engine.meta.heads_from = *last_id;
	meta_put(txn, &engine.meta);
	if (engine.failed || open_failed())
		store_fail(txn);
}

/* ---- records ----------------------------------------------------------------------------- */

/* An alert while applying is paused, or while others wait in front of it. */
static void
queue(struct txn *txn, const struct record *record)
{
	struct trace_row trace = {.state = TRACE_QUEUED, .integration = record->alert.integration};
	struct buf bytes;

	buf_init(&bytes, RECORD_MOST);
	record_encode(&bytes, record);
	if (bytes.failed) {
		engine_fail(txn);
	} else {
		pending_put(txn, engine.meta.next_pending++, buf_slice(&bytes));
		traces_put(txn, &record->alert.trace, &trace);
		engine.watch->alert(record, OUTCOME_QUEUED, 0);
	}
	buf_free(&bytes);
}

static bool
must_queue(struct txn *txn)
{
	struct slice bytes;
	uint64_t sequence;

	return engine.meta.paused ||
	       (engine.meta.next_pending > 0 && pending_first(txn, &sequence, &bytes));
}

static bool
is_busy(uint32_t webhook)
{
	return engine.watch->busy != NULL && engine.watch->busy(webhook);
}

/* A webhook that is gone, while deliveries to it wait to be buried. */
static bool
find_orphan(void)
{
	for (uint32_t id = 1; id < engine.room; id++)
		if (engine.hooks[id].conf == NULL && engine.hooks[id].waiting > 0 && !is_busy(id)) {
			engine.orphan = id;
			return true;
		}
	return false;
}

static void
tick(struct txn *txn, const struct record *record)
{
	struct timer_key timer;
	struct due_key due;
	uint32_t n;

	for (n = 0; n < record->most && timers_first(txn, &timer); n++) {
		if (timer.time > record->steady)
			break;
		incident_timer(txn, record, &timer, n);
	}
	for (n = 0; n < record->most && due_first(txn, &due); n++) {
		if (due.time > record->steady)
			break;
		delivery_due(txn, &due);
	}
	if (engine.refile != 0)
		engine_refile(txn, record->most);
	if (find_orphan())
		delivery_bury(txn, engine.orphan, BURY_STEP);
}

static void
hold(struct txn *txn, uint32_t webhook, bool held)
{
	const struct conf_webhook *conf = engine.hooks[webhook].conf;
	struct name_row name;

	if (conf == NULL || !names_get(txn, NAME_WEBHOOK, conf->name, &name))
		return;
	if (name.paused != held) {
		name.paused = held;
		names_put(txn, NAME_WEBHOOK, conf->name, &name);
		engine_count(&engine.hooks[webhook].held, held ? 1 : -1);
	}
	engine.watch->held(webhook, held);
}

void
engine_apply(struct txn *txn, const struct record *record)
{
	engine_touch();
	switch (record->kind) {
	case RECORD_ALERT:
		if (must_queue(txn))
			queue(txn, record);
		else
			engine_alert(txn, record);
		break;
	case RECORD_TICK:
		tick(txn, record);
		break;
	case RECORD_OUTCOME:
		delivery_outcome(txn, record);
		if (record->outcome.verdict == VERDICT_GONE)
			hold(txn, delivery_webhook(&record->outcome.delivery), true);
		break;
	case RECORD_PAUSE:
	case RECORD_RESUME:
		engine.meta.paused = record->kind == RECORD_PAUSE;
		break;
	case RECORD_HOLD:
	case RECORD_RELEASE:
		hold(txn, record->webhook, record->kind == RECORD_HOLD);
		break;
	case RECORD_REPLAY:
		delivery_replay(txn, record);
		break;
	case RECORD_CREATE:
		engine_create(txn, record);
		break;
	case RECORD_CHANGE:
		engine_change(txn, record);
		break;
	case RECORD_NOTE:
		engine_note(txn, record);
		break;
	}
}

void
engine_try(struct txn *txn, const struct record *record, const struct engine_watch *watch)
{
	const struct engine_watch *live = engine.watch;

	engine_touch();
	engine.watch = watch;
	engine_alert(txn, record);
	engine.watch = live;
}

bool
engine_drain(struct txn *txn, uint32_t max)
{
	struct record record;
	struct slice bytes;
	uint64_t sequence;
	struct buf copy;

	engine_touch();
	buf_init(&copy, RECORD_MOST);
	for (; max > 0 && pending_first(txn, &sequence, &bytes); max--) {
		buf_clear(&copy);
		buf_put_slice(&copy, bytes); /* the map moves under the puts that follow */
		pending_remove(txn, sequence);
		if (copy.failed || !record_decode(buf_slice(&copy), &record))
			engine_fail(txn);
		else
			engine_alert(txn, &record);
	}
	buf_free(&copy);
	return pending_first(txn, &sequence, &bytes);
}

const char *
engine_outcome_word(enum engine_outcome outcome)
{
	static const char *const words[] = {[OUTCOME_CREATED] = "created",
	    [OUTCOME_JOINED] = "joined",
	    [OUTCOME_ACKNOWLEDGED] = "acknowledged",
	    [OUTCOME_RESOLVED] = "resolved",
	    [OUTCOME_SUPPRESSED] = "suppressed",
	    [OUTCOME_ALONE] = "alone",
	    [OUTCOME_FAILED] = "failed",
	    [OUTCOME_QUEUED] = "queued"};

	return words[outcome];
}

/* ---- start, stop, questions -------------------------------------------------------------- */

int
engine_start(struct txn *txn, const uint8_t hash_key[16], const struct engine_watch *watch)
{
	memset(&engine, 0, sizeof engine);
	engine.watch = watch;
	buf_init(&engine.body, BODY_MAX);
	arena_init(&engine.arena, ARENA_MAX);
	meta_get(txn, &engine.meta);
	if (open_start(hash_key) != 0 || !engine_make_room(engine.meta.next_name))
		return -1;
	delivery_count(txn);
	return open_load(txn, &engine.meta.heads_from);
}

void
engine_stop(void)
{
	open_stop();
	engine_settle_conf(true);
	conf_release(engine.conf);
	buf_free(&engine.body);
	arena_free(&engine.arena);
	free(engine.hooks);
	free(engine.integrations);
	free(engine.services);
	free(engine.undo);
	memset(&engine, 0, sizeof engine);
}

bool
engine_unsettled(void)
{
	return engine.refile != 0 || find_orphan();
}

const struct meta *
engine_meta(void)
{
	return &engine.meta;
}

bool
engine_paused(void)
{
	return engine.meta.paused;
}

uint64_t
engine_waiting(uint32_t webhook)
{
	return webhook < engine.room ? engine.hooks[webhook].waiting : 0;
}

bool
engine_held(uint32_t webhook)
{
	return webhook < engine.room && engine.hooks[webhook].held != 0;
}

const struct conf_integration *
engine_integration(uint32_t id)
{
	return id < engine.room ? engine.integrations[id] : NULL;
}

const struct conf_webhook *
engine_webhook(uint32_t id)
{
	return id < engine.room ? engine.hooks[id].conf : NULL;
}

const struct conf_service *
engine_service(uint32_t id)
{
	return id < engine.room ? engine.services[id] : NULL;
}
