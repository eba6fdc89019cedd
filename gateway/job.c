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

#include "gateway/apply.h"
#include "gateway/clock.h"
#include "gateway/ids.h"
#include "gateway/log.h"
#include "gateway/request.h"
#include "gateway/turn.h"

/* While nothing succeeds, no more than FEW attempts are out at once. */
enum { SLOTS_AT_START = 4, FEW = 8, QUIET_US = 1000000, SETTLE_AGAIN_US = 100000 };

static struct {
	struct event *pump;  /* ready jobs, sweeps */
	struct event *again; /* unsettled jobs */
	struct queue *queues; /* by place in the configuration */
	size_t count;
	size_t turn;          /* whose turn it is in the pump */
	struct job_list unsettled;
	size_t in_flight;
	bool draining;
} state;

void
job_wake(void)
{
	event_active(state.pump, 0, 0);
}

struct queue *
queue_of(uint32_t id)
{
	const struct conf_webhook *webhook = engine_webhook(id);

	return webhook == NULL || webhook->index >= state.count ? NULL
								: &state.queues[webhook->index];
}

/* ---- the outcome ------------------------------------------------------------------------- */

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
	log_text("labels.webhook", job->queue->webhook->name);
	log_number("labels.incident", (int64_t)job->lane.number);
	log_number("labels.attempt", job->number);
	log_uuid("labels.delivery", &job->delivery);
	if (!ok)
		log_text("error.type", slice_of(reason_word(result->reason)));
	if (result->why != NULL)
		log_text("error.message", slice_of(result->why));
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
	window_drop(job);
	job_wake();
}

static uint32_t
clip(int64_t us)
{
	return us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

struct attempt_row
job_attempt(const struct out_result *result, int64_t wall)
{
	return (struct attempt_row){.wall = wall,
	    .reason = (uint8_t)result->reason,
	    .reused = result->reused,
	    .status = (uint16_t)result->status,
	    .lookup = clip(result->lookup),
	    .connect = clip(result->connect),
	    .tls = clip(result->tls),
	    .first_byte = clip(result->first_byte),
	    .total = clip(result->total)};
}

static struct record
outcome_of(const struct job *job)
{
	const struct out_result *result = &job->result;
	struct record record = apply_record(RECORD_OUTCOME, 0);

	record.outcome = (struct record_outcome){.delivery = job->delivery,
	    .attempt = job_attempt(result, job->wall),
	    .verdict = verdict_of(result),
	    .early = job->early,
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
	return verdict_of(result) == VERDICT_FAILED ? BREAKER_DOWN : BREAKER_ALIVE;
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
	judge(queue, job);
	settle(job);
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
take_ready(struct queue *queue)
{
	struct job *job = TAILQ_FIRST(&queue->fresh);

	if (job != NULL) {
		TAILQ_REMOVE(&queue->fresh, job, next);
		return job;
	}
	job = TAILQ_FIRST(&queue->again);
	if (job != NULL)
		TAILQ_REMOVE(&queue->again, job, next);
	return job;
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
}

int64_t
job_next_probe(void)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < state.count; i++) {
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
	TAILQ_INIT(&state.unsettled);
	state.pump = event_new(base, -1, 0, on_pump, NULL);
	state.again = evtimer_new(base, on_again, NULL);
	state.queues = calloc(conf->webhook_count + 1, sizeof *state.queues);
	if (state.pump == NULL || state.again == NULL || state.queues == NULL)
		return -1;
	state.count = conf->webhook_count;
	for (size_t i = 0; i < conf->webhook_count; i++)
		if (!start_queue(&state.queues[i], &conf->webhooks[i]))
			return -1;
	job_wake();
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
		window_drop(job);
	}
}

void
job_stop(void)
{
	free_list(&state.unsettled);
	for (size_t i = 0; i < state.count; i++) {
		free_list(&state.queues[i].fresh);
		free_list(&state.queues[i].again);
		free_list(&state.queues[i].flight);
		out_pool_free(state.queues[i].pool);
	}
	event_free(state.pump);
	event_free(state.again);
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
