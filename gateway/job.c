/*
 *         job_admit, sweep         slot free          out's done           committed
 *   (row) ───────────────▶ READY ───────────▶ FLIGHT ───────────▶ SETTLING ──────────▶ (gone)
 *                                                                  ▲    │ the commit failed:
 *                                                                  └────┘ filed again, not sent
 *
 * Work that needs the store (reading bodies, filing outcomes, sweeping) is done in event callbacks;
 * hooks only move jobs between lists and wake the pump.
 */
#include "gateway/job_parts.h"

#include <stdlib.h>

#include "gateway/clock.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/request.h"
#include "gateway/turn.h"

/* While nothing succeeds, no more than FEW attempts are out at once. */
enum { SLOTS_AT_START = 4, FEW = 8, QUIET_US = 1000000, RETRY_EVERY = 8 };

static struct {
	struct event *pump;  /* ready jobs, sweeps */
	struct queue *queues; /* by place in the configuration */
	size_t count;
	size_t turn;          /* whose turn it is in the pump */
	size_t in_flight;
	bool draining;
} state;

void
job_wake(void)
{
	if (state.pump != NULL) /* not yet started, or stopped */
		event_active(state.pump, 0, 0);
}

struct queue *
queue_of(uint32_t id)
{
	const struct conf_webhook *webhook = engine_webhook(id);

	return webhook == NULL || webhook->index >= state.count ? NULL
								: &state.queues[webhook->index];
}

/* ---- attempts ---------------------------------------------------------------------------- */

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
	request_write(head, job->queue->webhook, &job->delivery, job->number, job->wall,
	    event.body);
	return true;
}

static enum breaker_sign
sign_of(const struct out_result *result)
{
	if (result->status == 408 || result->status == 425)
		return BREAKER_UNSURE;
	return job_verdict(result) == VERDICT_FAILED ? BREAKER_DOWN : BREAKER_ALIVE;
}

static void
log_breaker(const struct queue *queue, bool open)
{
	log_begin(open ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
	    open ? "breaker.opened" : "breaker.closed",
	    open ? "the receiver is down: deliveries wait, a probe goes from time to time"
		 : "the receiver is back: what waited goes out");
	log_text("labels.webhook", queue->webhook->name);
	log_end();
}

/* What the attempt says of the receiver: how many may be out at once, and whether any. */
static void
judge(struct queue *queue, const struct job *job)
{
	enum breaker_sign sign = sign_of(&job->result);
	enum breaker_change change =
	    breaker_report(&queue->breaker, sign, job->probe, clock_steady());

	if (sign == BREAKER_ALIVE) {
		queue->alive = clock_mono();
		if (queue->slots < queue->webhook->max_in_flight)
			queue->slots++;
	} else if (sign == BREAKER_DOWN) {
		queue->slots = queue->slots > 1 ? queue->slots / 2 : 1;
	}
	if (change != BREAKER_SAME)
		log_breaker(queue, change == BREAKER_OPENED);
	if (change == BREAKER_CLOSED)
		window_again(queue, true);
}

static void
on_done(struct out_attempt *attempt, const struct out_result *result)
{
	struct job *job = job_of(attempt);
	struct queue *queue = job->queue;

	TAILQ_REMOVE(&queue->flight, job, next);
	queue->in_flight--;
	state.in_flight--;
	job->state = JOB_SETTLING;
	job->result = *result;
	metrics_attempt(queue->webhook->id, result->reason, result->total);
	judge(queue, job);
	job_settle(job);
	job_wake();
}

/* The job is on no list but the window. */
static void
start_job(struct queue *queue, struct job *job)
{
	TAILQ_INSERT_TAIL(&queue->flight, job, next);
	queue->in_flight++;
	state.in_flight++;
	job->state = JOB_FLIGHT;
	job->wall = clock_wall();
	job->attempt.fill = fill;
	job->attempt.done = on_done;
	out_start(queue->pool, &job->attempt);
	turn_charge(0);
}

/* ---- the pump ---------------------------------------------------------------------------- */

static struct job *
take_first(struct job_list *list)
{
	struct job *job = TAILQ_FIRST(list);

	if (job != NULL)
		TAILQ_REMOVE(list, job, next);
	return job;
}

/* First attempts go first, but for one in every few: under overload retries would never have their
 * turn, nor the events behind them. */
static struct job *
take_ready(struct queue *queue)
{
	bool retry = ++queue->taken % RETRY_EVERY == 0;
	struct job *job = take_first(retry ? &queue->again : &queue->fresh);

	return job != NULL ? job : take_first(retry ? &queue->fresh : &queue->again);
}

static bool
may_start(const struct queue *queue)
{
	if (queue->held || queue->breaker.open || queue->in_flight >= queue->slots ||
	    !out_ready(queue->pool))
		return false;
	return queue->in_flight < FEW || clock_mono() - queue->alive < QUIET_US;
}

static void
probe(struct queue *queue)
{
	struct job *job;

	if (queue->held || !breaker_probe(&queue->breaker, clock_steady()))
		return;
	job = window_probe(queue);
	if (job == NULL) {
		breaker_unprobe(&queue->breaker, clock_steady());
		return;
	}
	job->probe = true;
	start_job(queue, job);
}

static void
pump(struct queue *queue)
{
	struct job *job;

	if (!window_sweep(queue)) {
		job_wake();
		turn_break(); /* the rest after this turn's commit and answers */
	}
	probe(queue);
	while (!turn_full() && may_start(queue) && (job = take_ready(queue)) != NULL)
		start_job(queue, job);
	if (turn_full())
		job_wake();
}

static void
on_pump(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	/* Each webhook in turn, beginning where the last pass ended: a full turn starves nobody. */
	for (size_t i = 0; i < state.count && !state.draining; i++) {
		if (turn_full()) {
			job_wake();
			return;
		}
		pump(&state.queues[state.turn]);
		state.turn = (state.turn + 1) % state.count;
	}
	if (state.count > 0) /* another one is first the next time */
		state.turn = (state.turn + 1) % state.count;
}

int64_t
job_next_probe(void)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < state.count && !state.draining; i++) {
		const struct queue *queue = &state.queues[i];
		bool waits = queue->breaker.open && !queue->breaker.probing && !queue->held &&
			     engine_waiting(queue->webhook->id) > 0;

		if (waits && queue->breaker.probe_at < next)
			next = queue->breaker.probe_at;
	}
	return next;
}

/* ---- start, stop, questions -------------------------------------------------------------- */

static bool
start_queue(struct queue *queue, const struct conf_webhook *webhook)
{
	TAILQ_INIT(&queue->fresh);
	TAILQ_INIT(&queue->again);
	TAILQ_INIT(&queue->flight);
	queue->webhook = webhook;
	queue->slots = SLOTS_AT_START;
	if (queue->slots > webhook->max_in_flight)
		queue->slots = webhook->max_in_flight;
	queue->held = engine_held(webhook->id);
	queue->pool = out_pool_new(webhook);
	return queue->pool != NULL;
}

int
job_start(struct event_base *base, const struct conf *conf)
{
	memset(&state, 0, sizeof state);
	state.pump = event_new(base, -1, 0, on_pump, NULL);
	state.queues = calloc(conf->webhook_count + 1, sizeof *state.queues);
	if (state.pump == NULL || state.queues == NULL || job_outcome_start(base) != 0)
		return -1;
	state.count = conf->webhook_count;
	for (size_t i = 0; i < conf->webhook_count; i++)
		if (!start_queue(&state.queues[i], &conf->webhooks[i]))
			return -1;
	job_wake();
	return 0;
}

void
job_free_list(struct job_list *list)
{
	struct job *job;

	while ((job = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, job, next);
		if (job->state == JOB_FLIGHT)
			out_cancel(&job->attempt);
		window_drop(job);
	}
}

void
job_stop(void)
{
	job_outcome_stop();
	for (size_t i = 0; i < state.count; i++) {
		job_free_list(&state.queues[i].fresh);
		job_free_list(&state.queues[i].again);
		job_free_list(&state.queues[i].flight);
		out_pool_free(state.queues[i].pool);
	}
	event_free(state.pump);
	free(state.queues);
	memset(&state, 0, sizeof state);
}

void
job_hold(uint32_t webhook)
{
	struct queue *queue = queue_of(webhook);

	if (queue == NULL)
		return;
	queue->held = engine_held(webhook);
	if (!queue->held) {
		if (breaker_reset(&queue->breaker))
			log_breaker(queue, false);
		window_again(queue, true);
	}
	job_wake();
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
job_flying(uint32_t webhook)
{
	const struct queue *queue = queue_of(webhook);

	return queue == NULL ? 0 : queue->in_flight;
}

bool
job_breaker_open(uint32_t webhook)
{
	const struct queue *queue = queue_of(webhook);

	return queue != NULL && queue->breaker.open;
}

struct out_pool *
job_pool(uint32_t webhook)
{
	struct queue *queue = queue_of(webhook);

	return queue == NULL ? NULL : queue->pool;
}
