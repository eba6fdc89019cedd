/*
 *           job_admit, sweep          slot free           out's done            committed
 *   (row) ────────────────▶ READY ─────────────▶ FLIGHT ─────────────▶ SETTLING ─────────▶ (gone)
 *                                                                         ▲  │ the commit failed:
 *                                                                         └──┘ filed again, not sent
 *
 * Work that needs the store (reading bodies, filing outcomes, sweeping) is done in event callbacks;
 * hooks only move jobs between lists and wake the pump.
 */
#include "gateway/job.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "gateway/apply.h"
#include "gateway/clock.h"
#include "gateway/ids.h"
#include "gateway/log.h"
#include "gateway/out.h"
#include "gateway/request.h"
#include "gateway/turn.h"

enum { SLOTS_AT_START = 4, SWEEP_STEP = 256, BUCKETS = 64, SETTLE_AGAIN_US = 100000 };

enum job_state { JOB_READY, JOB_FLIGHT, JOB_SETTLING };

struct job {
	enum job_state state;
	struct lane_key lane;
	struct uuid delivery;
	struct hook *hook;
	struct out_attempt attempt;
	struct out_result result;
	int64_t wall;               /* when the attempt started */
	int64_t retry_in;           /* us; as settled, for the log */
	uint32_t number;            /* of the attempt: X-Attempt */
	enum delivery_state settled;
	TAILQ_ENTRY(job) next;      /* in ready, flight or unsettled */
	LIST_ENTRY(job) in_window;
};

TAILQ_HEAD(job_list, job);
LIST_HEAD(job_bucket, job);

struct hook {
	const struct conf_webhook *webhook;
	struct out_pool *pool;
	struct job_list ready, flight;
	struct job_bucket window[BUCKETS]; /* every job, by incident number */
	int jobs, in_flight, slots;        /* slots: in flight at most, for now */
	bool held;
	bool swept;                        /* nothing is behind the cursor */
	uint64_t cursor;                   /* incident number: from here on lanes are to be swept */
};

static struct {
	struct event *pump;  /* ready jobs, sweeps */
	struct event *again; /* unsettled jobs */
	struct hook *hooks;  /* by place in the configuration */
	size_t count;
	struct job_list unsettled;
	size_t in_flight;
	bool draining;
} state;

static void
wake(void)
{
	event_active(state.pump, 0, 0);
}

static struct hook *
hook_of(uint32_t id)
{
	const struct conf_webhook *webhook = engine_webhook(id);

	return webhook == NULL || webhook->index >= state.count ? NULL
								: &state.hooks[webhook->index];
}

/* ---- the window ----------------------------------------------------------------------------- */

static struct job *
find_job(struct hook *hook, const struct uuid *delivery, uint64_t number)
{
	struct job *job;

	LIST_FOREACH (job, &hook->window[number % BUCKETS], in_window)
		if (uuid_compare(&job->delivery, delivery) == 0)
			return job;
	return NULL;
}

static bool
has_room(const struct hook *hook)
{
	return hook->jobs < 2 * hook->webhook->max_in_flight;
}

static void
add_job(struct hook *hook, struct job *job)
{
	job->hook = hook;
	job->state = JOB_READY;
	hook->jobs++;
	LIST_INSERT_HEAD(&hook->window[job->lane.number % BUCKETS], job, in_window);
	TAILQ_INSERT_TAIL(&hook->ready, job, next);
}

/* The job is off every other list. */
static void
drop_job(struct job *job)
{
	job->hook->jobs--;
	LIST_REMOVE(job, in_window);
	free(job);
}

static void
leave_to_sweep(struct hook *hook, uint64_t number)
{
	if (hook->swept || number < hook->cursor)
		hook->cursor = number;
	hook->swept = false;
}

struct job *
job_new(const struct lane_key *lane, const struct uuid *delivery)
{
	struct job *job = calloc(1, sizeof *job);

	if (job != NULL) {
		job->lane = *lane;
		job->delivery = *delivery;
	}
	return job;
}

void
job_missed(const struct lane_key *lane, struct job *job)
{
	struct hook *hook = hook_of(lane->webhook);

	if (hook != NULL)
		leave_to_sweep(hook, lane->number);
	free(job);
	wake();
}

void
job_admit(void *arg, bool ok)
{
	struct job *job = arg;
	struct hook *hook = ok ? hook_of(job->lane.webhook) : NULL;

	if (hook == NULL || find_job(hook, &job->delivery, job->lane.number) != NULL) {
		free(job);
		return;
	}
	/* Behind the cursor it will be found anyway, in its turn. */
	if (has_room(hook) && (hook->swept || job->lane.number < hook->cursor)) {
		add_job(hook, job);
	} else {
		leave_to_sweep(hook, job->lane.number);
		free(job);
	}
	wake();
}

/* Looks at the head of the first lane at or behind the cursor; false when the window is full, or
 * there is none. */
static bool
sweep_one(struct hook *hook, struct txn *txn)
{
	struct lane_key key = {.webhook = hook->webhook->id, .number = hook->cursor};
	struct lane_row row;
	struct job *job;

	if (!lanes_seek(txn, &key, &row)) {
		hook->swept = true;
		return false;
	}
	hook->cursor = key.number;
	if (row.due == 0 && find_job(hook, &row.delivery, key.number) == NULL) {
		job = has_room(hook) ? job_new(&key, &row.delivery) : NULL;
		if (job == NULL)
			return false;
		add_job(hook, job);
	}
	hook->cursor++;
	return true;
}

static void
sweep(struct hook *hook)
{
	struct txn *txn;
	int n = 0;

	if (hook->swept || hook->jobs >= hook->webhook->max_in_flight)
		return;
	txn = turn_read();
	while (txn != NULL && n < SWEEP_STEP && sweep_one(hook, txn))
		n++;
	if (n == SWEEP_STEP || txn == NULL) {
		wake();
		turn_break(); /* the rest after this turn's commit and answers */
	}
}

/* ---- the outcome ---------------------------------------------------------------------------- */

static enum verdict
verdict_of(const struct out_result *result)
{
	switch (result->reason) {
	case REASON_OK:
		return VERDICT_DELIVERED;
	case REASON_HTTP_410:
		return VERDICT_GONE;
	case REASON_HTTP_3XX:
		return VERDICT_REFUSED;
	case REASON_HTTP_4XX:
		return result->status == 408 || result->status == 425 ? VERDICT_FAILED
								      : VERDICT_REFUSED;
	default:
		return VERDICT_FAILED;
	}
}

static void
log_job(const struct job *job)
{
	static const struct {
		enum conf_log_level level;
		const char *action;
	} lines[] = {[DELIVERY_WAITING] = {LOG_LEVEL_WARNING, "delivery.retry"},
	    [DELIVERY_DELIVERED] = {LOG_LEVEL_INFO, "delivery.delivered"},
	    [DELIVERY_DEAD] = {LOG_LEVEL_ERROR, "delivery.dead"}};
	const struct out_result *result = &job->result;
	bool ok = job->settled == DELIVERY_DELIVERED;

	log_begin(lines[job->settled].level, lines[job->settled].action, "%s",
	    reason_text(result->reason));
	log_text("labels.webhook", job->hook->webhook->name);
	log_number("labels.incident", (int64_t)job->lane.number);
	log_number("labels.attempt", job->number);
	log_uuid("labels.delivery", &job->delivery);
	if (!ok)
		log_text("error.type", slice_of(reason_word(result->reason)));
	if (result->status != 0)
		log_number("http.response.status_code", result->status);
	if (job->retry_in > 0)
		log_number("labels.retry_in_ms", job->retry_in / CLOCK_MS);
	log_duration(result->total);
	log_outcome(ok);
	log_end();
}

static void
unsettle(struct job *job)
{
	struct timeval tv = {0, SETTLE_AGAIN_US};

	TAILQ_INSERT_TAIL(&state.unsettled, job, next);
	event_add(state.again, &tv);
}

static void
on_settled(void *arg, bool ok)
{
	struct job *job = arg;

	if (!ok) {
		unsettle(job);
		return;
	}
	log_job(job);
	drop_job(job);
	wake();
}

static uint32_t
clip(int64_t us)
{
	return us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static struct record
outcome_of(const struct job *job)
{
	const struct out_result *result = &job->result;
	struct record record = apply_record(RECORD_OUTCOME, 0);

	record.outcome = (struct record_outcome){.delivery = job->delivery,
	    .attempt = {.wall = job->wall,
		.reason = (uint8_t)result->reason,
		.reused = result->reused,
		.status = (uint16_t)result->status,
		.lookup = clip(result->lookup),
		.connect = clip(result->connect),
		.first_byte = clip(result->first_byte),
		.total = clip(result->total)},
	    .verdict = verdict_of(result),
	    .retry_after = result->retry_after,
	    .jitter = ids_jitter()};
	return record;
}

/* What the log will say about the delivery once this turn is committed. */
static void
note_settled(struct job *job, int64_t wall)
{
	struct txn *txn = turn_write();
	struct delivery_row row;

	if (txn == NULL || !deliveries_get(txn, &job->delivery, &row))
		return;
	job->settled = row.state;
	job->number = row.attempts;
	job->retry_in = row.next > wall ? row.next - wall : 0;
}

static void
settle(struct job *job)
{
	struct record record = outcome_of(job);

	if (!apply(&record)) {
		unsettle(job);
		return;
	}
	note_settled(job, record.wall);
	if (!turn_after_commit(on_settled, job))
		unsettle(job);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct job_list list = TAILQ_HEAD_INITIALIZER(list);
	struct job *job;

	(void)fd;
	(void)what;
	(void)arg;
	TAILQ_CONCAT(&list, &state.unsettled, next);
	while ((job = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, job, next);
		settle(job);
	}
}

/* ---- attempts ------------------------------------------------------------------------------- */

static struct job *
job_of(struct out_attempt *attempt)
{
	return (struct job *)((char *)attempt - offsetof(struct job, attempt));
}

static bool
fill(struct out_attempt *attempt, struct buf *head, struct slice *body)
{
	struct job *job = job_of(attempt);
	struct txn *txn = turn_read();
	struct uuid event_id = delivery_event(&job->delivery);
	struct delivery_row delivery;
	struct event_row event;

	if (txn == NULL || !deliveries_get(txn, &job->delivery, &delivery) ||
	    !events_get(txn, &event_id, &event))
		return false;
	job->number = delivery.attempts + 1;
	*body = event.body;
	request_write(head, job->hook->webhook, &job->delivery, job->number, event.body);
	return true;
}

static void
on_done(struct out_attempt *attempt, const struct out_result *result)
{
	struct job *job = job_of(attempt);
	struct hook *hook = job->hook;

	TAILQ_REMOVE(&hook->flight, job, next);
	hook->in_flight--;
	state.in_flight--;
	if (result->reason != REASON_OK)
		hook->slots = hook->slots > 1 ? hook->slots / 2 : 1;
	else if (hook->slots < hook->webhook->max_in_flight)
		hook->slots++;
	job->state = JOB_SETTLING;
	job->result = *result;
	settle(job);
	wake();
}

static void
start_job(struct hook *hook, struct job *job)
{
	TAILQ_REMOVE(&hook->ready, job, next);
	TAILQ_INSERT_TAIL(&hook->flight, job, next);
	hook->in_flight++;
	state.in_flight++;
	job->state = JOB_FLIGHT;
	job->wall = clock_wall();
	job->attempt.fill = fill;
	job->attempt.done = on_done;
	out_start(hook->pool, &job->attempt);
	turn_charge(0);
}

static void
on_pump(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	for (size_t i = 0; i < state.count && !state.draining; i++) {
		struct hook *hook = &state.hooks[i];

		sweep(hook);
		while (!hook->held && hook->in_flight < hook->slots && !TAILQ_EMPTY(&hook->ready))
			start_job(hook, TAILQ_FIRST(&hook->ready));
	}
}

/* ---- start, stop, questions ----------------------------------------------------------------- */

static bool
start_hook(struct hook *hook, const struct conf_webhook *webhook)
{
	TAILQ_INIT(&hook->ready);
	TAILQ_INIT(&hook->flight);
	hook->webhook = webhook;
	hook->slots = webhook->max_in_flight < SLOTS_AT_START ? webhook->max_in_flight : SLOTS_AT_START;
	hook->held = engine_held(webhook->id);
	hook->pool = out_pool_new(webhook);
	return hook->pool != NULL;
}

int
job_start(struct event_base *base, const struct conf *conf)
{
	memset(&state, 0, sizeof state);
	TAILQ_INIT(&state.unsettled);
	state.pump = event_new(base, -1, 0, on_pump, NULL);
	state.again = evtimer_new(base, on_again, NULL);
	state.hooks = calloc(conf->webhook_count + 1, sizeof *state.hooks);
	if (state.pump == NULL || state.again == NULL || state.hooks == NULL)
		return -1;
	state.count = conf->webhook_count;
	for (size_t i = 0; i < conf->webhook_count; i++)
		if (!start_hook(&state.hooks[i], &conf->webhooks[i]))
			return -1;
	wake();
	return 0;
}

static void
free_list(struct job_list *list)
{
	struct job *job;

	while ((job = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, job, next);
		if (job->state == JOB_FLIGHT)
			out_cancel(&job->attempt);
		drop_job(job);
	}
}

void
job_stop(void)
{
	free_list(&state.unsettled);
	for (size_t i = 0; i < state.count; i++) {
		free_list(&state.hooks[i].ready);
		free_list(&state.hooks[i].flight);
		out_pool_free(state.hooks[i].pool);
	}
	event_free(state.pump);
	event_free(state.again);
	free(state.hooks);
	memset(&state, 0, sizeof state);
}

void
job_hold(uint32_t webhook)
{
	struct hook *hook = hook_of(webhook);

	if (hook == NULL)
		return;
	hook->held = engine_held(webhook);
	wake();
}

void
job_drain(void)
{
	state.draining = true;
}

size_t
job_in_flight(void)
{
	return state.in_flight;
}

int
job_state(uint32_t webhook, const struct uuid *delivery)
{
	struct hook *hook = hook_of(webhook);
	struct job *job;

	if (hook == NULL)
		return -1;
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_FOREACH (job, &hook->window[i], in_window)
			if (uuid_compare(&job->delivery, delivery) == 0)
				return (int)job->state;
	return -1;
}
