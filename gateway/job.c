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
enum { FEW = 8, QUIET_US = 1000000, RETRY_EVERY = 8 };

static struct {
	struct event *pump;  /* ready jobs, sweeps */
	size_t turn;         /* whose turn it is in the pump */
	size_t in_flight;
	bool draining;
} state;

void
job_wake(void)
{
	if (state.pump != NULL) /* not yet started, or stopped */
		event_active(state.pump, 0, 0);
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
	request_write(head, attempt->webhook, &job->delivery, job->number, job->wall,
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

void
job_log_breaker(const struct queue *queue, bool open)
{
	log_begin(open ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
	    open ? "breaker.opened" : "breaker.closed",
	    open ? "the receiver is down: deliveries wait, a probe goes from time to time"
		 : "the receiver is back: what waited goes out");
	log_text("labels.webhook", queue->webhook->name);
	log_end();
}

/* What the attempt says of the receiver: how many may be out at once, and whether any. One that
 * went elsewhere says nothing of where the webhook goes now. */
static void
judge(struct queue *queue, const struct job *job)
{
	enum breaker_sign sign = sign_of(&job->result);
	enum breaker_change change;

	if (queue->webhook == NULL || !slice_is(queue->webhook->url, job->attempt.webhook->url))
		return;
	change = breaker_report(&queue->breaker, sign, job->probe, clock_steady());
	if (sign == BREAKER_ALIVE) {
		queue->alive = clock_mono();
		if (queue->slots < queue->webhook->max_in_flight)
			queue->slots++;
	} else if (sign == BREAKER_DOWN) {
		queue->slots = queue->slots > 1 ? queue->slots / 2 : 1;
	}
	if (change != BREAKER_SAME)
		job_log_breaker(queue, change == BREAKER_OPENED);
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
	metrics_attempt(queue->id, result->reason, result->total);
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
	job->conf = conf_hold(job_queues.conf);
	job->attempt.webhook = queue->webhook;
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

static struct queue *
next_in_turn(void)
{
	state.turn = (state.turn + 1) % job_queues.count;
	return job_queues.list[state.turn];
}

static void
on_pump(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	job_forget_gone();
	/* Each webhook in turn, beginning where the last pass ended: a full turn starves nobody. */
	for (size_t i = 0; i < job_queues.count && !state.draining; i++) {
		if (turn_full()) {
			job_wake();
			return;
		}
		pump(next_in_turn());
	}
	if (job_queues.count > 0) /* another one is first the next time */
		next_in_turn();
}

int64_t
job_next_probe(void)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < job_queues.count && !state.draining; i++) {
		const struct queue *queue = job_queues.list[i];
		bool waits = queue->breaker.open && !queue->breaker.probing && !queue->held &&
			     engine_waiting(queue->id) > 0;

		if (waits && queue->breaker.probe_at < next)
			next = queue->breaker.probe_at;
	}
	return next;
}

/* ---- start, stop, questions -------------------------------------------------------------- */

int
job_start(struct event_base *base)
{
	memset(&state, 0, sizeof state);
	state.pump = event_new(base, -1, 0, on_pump, NULL);
	return state.pump == NULL ? -1 : job_outcome_start(base);
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
	job_forget_all();
	event_free(state.pump);
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
			job_log_breaker(queue, false);
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
job_busy(uint32_t webhook)
{
	return job_flying(webhook) > 0;
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
