/*
 *   apply(record) ─▶ engine_apply ─▶ watch ─▶ staged hooks ─┐
 *                                                           ▼ committed
 *   apply_seal: expiry, counters, next wake-up      log lines, job_admit(), timer
 */
#include "gateway/apply.h"

#include <stdlib.h>

#include "gateway/clock.h"
#include "gateway/expire.h"
#include "gateway/ids.h"
#include "gateway/job.h"
#include "gateway/log.h"
#include "gateway/reason.h"
#include "gateway/turn.h"

enum { TICK_MOST = 256, DRAIN_MOST = 128, LONGEST_SLEEP_S = 60 };

static struct {
	struct event *wake;
	bool settling;     /* the engine's settle hook is on this turn's list */
	bool drain;        /* queued alerts wait to be applied */
	int64_t next;      /* steady: what is due first, as of this turn */
} state;

/* ---- the wake-up timer ---------------------------------------------------------------------- */

static void
arm(void)
{
	int64_t left = state.next - clock_steady();
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

	state.next = INT64_MAX;
	if (timers_first(txn, &timer))
		state.next = timer.time;
	if (due_first(txn, &due) && due.time < state.next)
		state.next = due.time;
	if (engine_orphans())
		state.next = 0;
}

static void
settle(void *arg, bool ok)
{
	(void)arg;
	engine_settle(ok);
	state.settling = false;
	arm();
	if (state.drain || expire_backlog())
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
	struct txn *txn = turn_write();

	if (txn != NULL && follow_turn())
		state.drain = engine_drain(txn, DRAIN_MOST);
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
	if (state.next > clock_steady()) {
		arm();
		return;
	}
	tick = apply_record(RECORD_TICK, TICK_MOST);
	tick.most = TICK_MOST;
	if (!apply(&tick)) {
		state.next = clock_steady() + CLOCK_S / 10;
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

int
apply_start(struct event_base *base)
{
	state.wake = evtimer_new(base, on_wake, NULL);
	if (state.wake == NULL)
		return -1;
	state.drain = true; /* what an earlier run left queued */
	apply_wake();
	return 0;
}

void
apply_stop(void)
{
	event_free(state.wake);
	memset(&state, 0, sizeof state);
}

/* ---- records -------------------------------------------------------------------------------- */

struct record
apply_record(enum record_kind kind, uint32_t ids)
{
	struct record record = {.kind = kind, .wall = clock_wall(), .steady = clock_steady()};

	if (ids > 0)
		record.id = ids_reserve(ids);
	if (kind == RECORD_ALERT)
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
	if (record->kind == RECORD_RESUME)
		state.drain = true;
	return !store_failed(txn);
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

/* ---- what the engine tells ------------------------------------------------------------------ */

/* A line for later: what happened, once it lasts. */
struct line {
	enum { LINE_ALERT, LINE_EVENT, LINE_DEAD, LINE_HELD } kind;
	struct uuid trace;
	uint64_t number;
	uint32_t id; /* integration or webhook */
	int what;
	const char *why;
};

static const char *const outcome_words[] = {
    [OUTCOME_CREATED] = "created",       [OUTCOME_JOINED] = "joined",
    [OUTCOME_ACKNOWLEDGED] = "acknowledged", [OUTCOME_RESOLVED] = "resolved",
    [OUTCOME_SUPPRESSED] = "suppressed", [OUTCOME_ALONE] = "alone",
    [OUTCOME_FAILED] = "failed",         [OUTCOME_QUEUED] = "queued"};

static void
log_webhook(uint32_t id)
{
	const struct conf_webhook *webhook = engine_webhook(id);

	if (webhook != NULL)
		log_text("labels.webhook", webhook->name);
}

static void
say_alert(const struct line *line)
{
	const struct conf_integration *integration = engine_integration(line->id);

	log_begin(LOG_LEVEL_INFO, line->what == OUTCOME_QUEUED ? "alert.accepted" : "alert.applied",
	    "alert %s", outcome_words[line->what]);
	log_uuid("trace.id", &line->trace);
	if (integration != NULL)
		log_text("labels.integration", integration->name);
	if (line->number != 0)
		log_number("labels.incident", (int64_t)line->number);
	log_outcome(line->what != OUTCOME_FAILED);
	log_end();
}

static void
say_event(const struct line *line)
{
	static const char *const actions[] = {[EVENT_TRIGGERED] = "incident.triggered",
	    [EVENT_ACKNOWLEDGED] = "incident.acknowledged",
	    [EVENT_RESOLVED] = "incident.resolved"};

	log_begin(LOG_LEVEL_INFO, actions[line->what], "incident %llu%s%s",
	    (unsigned long long)line->number, line->why == NULL ? "" : ": ",
	    line->why == NULL ? "" : line->why);
	log_number("labels.incident", (int64_t)line->number);
	log_end();
}

static void
say_dead(const struct line *line)
{
	log_begin(LOG_LEVEL_ERROR, "delivery.dead", "a delivery went straight to the dead letters");
	log_webhook(line->id);
	log_number("labels.incident", (int64_t)line->number);
	log_text("error.type", slice_of(line->why));
	log_end();
}

static void
say_held(const struct line *line)
{
	log_begin(LOG_LEVEL_WARNING, "server.warning",
	    line->what ? "the webhook is paused" : "the webhook is resumed");
	log_webhook(line->id);
	log_end();
	job_hold(line->id, line->what != 0);
}

static void
say(void *arg, bool ok)
{
	static void (*const sayers[])(const struct line *) = {
	    [LINE_ALERT] = say_alert, [LINE_EVENT] = say_event, [LINE_DEAD] = say_dead,
	    [LINE_HELD] = say_held};
	struct line *line = arg;

	if (ok)
		sayers[line->kind](line);
	free(line);
}

static void
stage(struct line line)
{
	struct line *copy = malloc(sizeof *copy);

	if (copy == NULL)
		return; /* a line lost; what it tells of is stored */
	*copy = line;
	if (!turn_after_commit(say, copy))
		free(copy);
}

static void
watch_alert(const struct record *record, enum engine_outcome outcome, uint64_t number)
{
	stage((struct line){.kind = LINE_ALERT,
	    .trace = record->alert.trace,
	    .id = record->alert.integration,
	    .number = number,
	    .what = outcome});
}

static void
watch_event(uint64_t number, uint8_t type, const char *why)
{
	stage((struct line){.kind = LINE_EVENT, .number = number, .what = type, .why = why});
}

static void
watch_head(const struct lane_key *key, const struct uuid *delivery)
{
	struct job *job = job_new(key, delivery);

	/* Without memory the row stays where a sweep finds it. */
	if (job == NULL || !turn_after_commit(job_admit, job))
		job_missed(key, job);
}

static void
watch_dead(uint32_t webhook, uint64_t number, const char *reason)
{
	stage((struct line){.kind = LINE_DEAD, .id = webhook, .number = number, .why = reason});
}

static void
watch_held(uint32_t webhook, bool held)
{
	stage((struct line){.kind = LINE_HELD, .id = webhook, .what = held});
}

const struct engine_watch apply_watch = {.alert = watch_alert,
    .event = watch_event,
    .head = watch_head,
    .dead = watch_dead,
    .held = watch_held};
