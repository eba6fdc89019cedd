/*
 *   apply(record) ─▶ engine_apply ─▶ watch ─▶ staged hooks ─┐
 *                                                           ▼ committed
 *   apply_seal: expiry, counters, next wake-up      log lines, job_admit(), timer
 */
#include "gateway/apply.h"

#include <stdio.h>

#include "gateway/clock.h"
#include "gateway/expire.h"
#include "gateway/ids.h"
#include "gateway/job.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/reason.h"
#include "gateway/turn.h"

enum { TICK_MOST = 256, DRAIN_MOST = 128, LONGEST_SLEEP_S = 60, AGAIN_US = 100000 };

static struct {
	struct event *wake;
	bool settling;     /* the engine's settle hook is on this turn's list */
	bool drain;        /* queued alerts may wait to be applied */
	const struct route_request *asked; /* for the record that is being applied; NULL: nobody */
	int64_t next;      /* steady: what is due first */
	/* As of this turn's transaction; taken over when it is committed. */
	bool turn_drain;
	int64_t turn_next;
} state;

/* ---- the wake-up timer ------------------------------------------------------------------- */

static void
arm(void)
{
	int64_t probe = job_next_probe(), next = probe < state.next ? probe : state.next;
	int64_t left = next - clock_steady();
	struct timeval tv;

	if (left > (int64_t)LONGEST_SLEEP_S * CLOCK_S)
		left = (int64_t)LONGEST_SLEEP_S * CLOCK_S;
	if (left < 0)
		left = 0;
	tv = (struct timeval){left / CLOCK_S, left % CLOCK_S};
	event_add(state.wake, &tv);
}

static void
find_next(struct txn *txn)
{
	struct timer_key timer;
	struct due_key due;

	state.turn_next = INT64_MAX;
	if (timers_first(txn, &timer))
		state.turn_next = timer.time;
	if (due_first(txn, &due) && due.time < state.turn_next)
		state.turn_next = due.time;
	if (engine_unsettled())
		state.turn_next = 0;
}

static void
settle(void *arg, bool ok)
{
	(void)arg;
	engine_settle(ok);
	state.settling = false;
	if (ok) {
		state.next = state.turn_next;
		state.drain = state.turn_drain;
	} else {
		/* What was done is undone: everything is looked at again, in a while. */
		state.next = clock_steady() + AGAIN_US;
		state.drain = true;
	}
	state.turn_drain = state.drain;
	arm();
	if (ok && (state.drain || expire_backlog()))
		event_active(state.wake, EV_TIMEOUT, 0);
}

/* The engine's memory follows the turn from here on. */
static bool
follow_turn(void)
{
	if (!state.settling)
		state.settling = turn_after_commit(settle, NULL);
	return state.settling;
}

static void
drain(void)
{
	struct txn *txn = turn_read();

	if (txn != NULL && pending_count(txn) == 0) {
		state.drain = state.turn_drain = false;
		return;
	}
	txn = turn_write();
	if (txn != NULL && follow_turn())
		state.turn_drain = engine_drain(txn, DRAIN_MOST);
	else
		state.next = clock_steady() + AGAIN_US;
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct record tick;

	(void)fd;
	(void)what;
	(void)arg;
	if (state.drain && !engine_paused())
		drain();
	if (expire_backlog())
		apply_sweep();
	if (job_next_probe() <= clock_steady())
		job_wake();
	if (state.next > clock_steady()) {
		arm();
		return;
	}
	tick = apply_record(RECORD_TICK, TICK_MOST);
	tick.most = TICK_MOST;
	if (!apply(&tick)) {
		state.next = clock_steady() + AGAIN_US;
		arm();
	}
}

void
apply_sweep(void)
{
	if (turn_write() == NULL || !follow_turn())
		return; /* the turn has failed; the next second tries again */
}

void
apply_wake(void)
{
	event_active(state.wake, EV_TIMEOUT, 0);
}

void
apply_second(void)
{
	if (!evtimer_pending(state.wake, NULL))
		arm();
}

int
apply_start(struct event_base *base)
{
	state.wake = evtimer_new(base, on_wake, NULL);
	if (state.wake == NULL)
		return -1;
	state.drain = state.turn_drain = true; /* what an earlier run left queued */
	apply_wake();
	return 0;
}

void
apply_stop(void)
{
	event_free(state.wake);
	memset(&state, 0, sizeof state);
}

/* ---- records ----------------------------------------------------------------------------- */

struct record
apply_record(enum record_kind kind, uint32_t ids)
{
	struct record record = {.kind = kind, .wall = clock_wall(), .steady = clock_steady()};

	if (ids > 0)
		record.id = ids_reserve(ids, record.steady);
	if (kind == RECORD_ALERT || kind == RECORD_CREATE)
		ids_random(record.salt, sizeof record.salt);
	return record;
}

bool
apply(const struct record *record)
{
	struct txn *txn = turn_write();

	if (txn == NULL || !follow_turn())
		return false;
	engine_apply(txn, record);
	if (record->kind == RECORD_ALERT)
		metrics_received(record->alert.integration, record->alert.alert.type);
	else if (record->kind == RECORD_RESUME)
		state.turn_drain = true;
	return !store_failed(txn);
}

bool
apply_for(const struct route_request *asked, const struct record *record)
{
	bool ok;

	state.asked = asked;
	ok = apply(record);
	state.asked = NULL;
	return ok;
}

bool
apply_configure(struct conf *conf)
{
	struct txn *txn = turn_write();

	return txn != NULL && follow_turn() && engine_configure(txn, conf, clock_wall()) == 0;
}

void
apply_seal(struct txn *txn)
{
	struct meta clock;
	struct uuid last;

	if (!follow_turn())
		return;
	expire_step(txn);
	find_next(txn);
	last = ids_last();
	clock_save(&clock);
	engine_seal(txn, &last, &clock);
}

/* ---- what the engine tells --------------------------------------------------------------- */

static const char *const outcome_messages[] = {
    [OUTCOME_CREATED] = "alert created",       [OUTCOME_JOINED] = "alert joined",
    [OUTCOME_ACKNOWLEDGED] = "alert acknowledged", [OUTCOME_RESOLVED] = "alert resolved",
    [OUTCOME_SUPPRESSED] = "alert suppressed", [OUTCOME_ALONE] = "alert alone",
    [OUTCOME_FAILED] = "alert failed"};

static void
log_webhook(uint32_t id)
{
	const struct conf_webhook *webhook = engine_webhook(id);

	if (webhook != NULL)
		log_text("labels.webhook", webhook->name);
}

static void
watch_alert(const struct record *record, enum engine_outcome outcome, uint64_t number)
{
	const struct conf_integration *integration = engine_integration(record->alert.integration);

	if (outcome == OUTCOME_QUEUED)
		return; /* it will be applied later, and that has a line */
	metrics_applied(record->alert.integration, outcome);
	log_begin(LOG_LEVEL_INFO, "alert.applied", "%s", outcome_messages[outcome]);
	log_uuid("trace.id", &record->alert.trace);
	if (integration != NULL)
		log_text("labels.integration", integration->name);
	if (number != 0)
		log_number("labels.incident", (int64_t)number);
	log_outcome(outcome != OUTCOME_FAILED);
	log_end_after_commit();
}

static void
watch_event(uint64_t number, uint8_t type, const char *why)
{
	static const char *const actions[] = {[EVENT_TRIGGERED] = "incident.triggered",
	    [EVENT_ACKNOWLEDGED] = "incident.acknowledged",
	    [EVENT_RESOLVED] = "incident.resolved"};
	char room[256];
	struct buf message = BUF_IN(room);

	buf_puts(&message, "incident ");
	buf_put_number(&message, number);
	buf_puts(&message, why == NULL ? "" : ": ");
	buf_puts(&message, why == NULL ? "" : why);
	buf_putc(&message, '\0');
	log_begin(LOG_LEVEL_INFO, actions[type], "%s", room);
	log_number("labels.incident", (int64_t)number);
	route_log_who(state.asked);
	log_end_after_commit();
}

static void
watch_head(const struct lane_key *key, const struct uuid *delivery, bool fresh)
{
	struct job *job = job_new(key, delivery, fresh);

	if (job == NULL)
		turn_fail();
	else if (!turn_after_commit(job_admit, job))
		job_free(job);
}

/* The name of one that is gone, which many lines in a row may ask for. */
static struct slice
gone_name(uint32_t webhook)
{
	static char name[256];
	static uint32_t known;
	struct name_row row;
	struct txn *txn = webhook == known ? NULL : turn_write();

	if (txn != NULL && names_find(txn, NAME_WEBHOOK, webhook, &row)) {
		known = webhook;
		snprintf(name, sizeof name, "%.*s", (int)row.text.n, row.text.p);
	}
	return webhook == known ? slice_of(name) : SLICE("");
}

static void
watch_dead(uint32_t webhook, uint64_t number, const char *reason, const char *why)
{
	const struct conf_webhook *conf = engine_webhook(webhook);

	log_begin(LOG_LEVEL_ERROR, "delivery.dead", "%s", why);
	log_text("labels.webhook", conf != NULL ? conf->name : gone_name(webhook));
	log_number("labels.incident", (int64_t)number);
	log_text("error.type", slice_of(reason));
	log_outcome(false);
	log_end_after_commit();
}

static void
hold(void *arg, bool ok)
{
	if (ok)
		job_hold((uint32_t)(uintptr_t)arg);
}

static void
watch_held(uint32_t webhook, bool held)
{
	log_begin(LOG_LEVEL_WARNING, "server.warning",
	    held ? "the webhook is paused" : "the webhook is resumed");
	log_webhook(webhook);
	route_log_who(state.asked);
	log_end_after_commit();
	/* Without memory the turn fails, and nothing is held. */
	if (!turn_after_commit(hold, (void *)(uintptr_t)webhook))
		return;
}

const struct engine_watch apply_watch = {.alert = watch_alert,
    .event = watch_event,
    .head = watch_head,
    .dead = watch_dead,
    .settled = metrics_settled,
    .held = watch_held,
    .busy = job_busy};
