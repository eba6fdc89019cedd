/*
 * A webhook's window: at most 2 × max_in_flight of its deliveries as jobs. All others stay in the
 * store, where the sweep finds them:
 *
 *   lanes of one webhook, by incident number
 *   ├──── looked at: in the window, or waiting for their time ────┤cursor├──── to be swept ────┤
 *
 * A head that has no room, and one that turns up below the cursor, moves the cursor back to itself.
 */
#include "gateway/job_parts.h"

#include <assert.h>
#include <stdlib.h>

#include "gateway/turn.h"

enum { SWEEP_STEP = 256, PROBE_TRIES = 256 };

static struct job *
find_job(struct queue *queue, const struct uuid *delivery, uint64_t number)
{
	struct job *job;

	LIST_FOREACH (job, &queue->window[number % QUEUE_BUCKETS], in_window)
		if (uuid_compare(&job->delivery, delivery) == 0)
			return job;
	return NULL;
}

static bool
has_room(const struct queue *queue)
{
	return queue->jobs < 2 * queue->webhook->max_in_flight;
}

static void
put_in_window(struct queue *queue, struct job *job)
{
	job->queue = queue;
	queue->jobs++;
	LIST_INSERT_HEAD(&queue->window[job->lane.number % QUEUE_BUCKETS], job, in_window);
}

static struct job_list *
ready_list(struct queue *queue, const struct job *job)
{
	return job->fresh ? &queue->fresh : &queue->again;
}

static void
make_ready(struct queue *queue, struct job *job)
{
	put_in_window(queue, job);
	job->state = JOB_READY;
	TAILQ_INSERT_TAIL(ready_list(queue, job), job, next);
}

static void
leave_to_sweep(struct queue *queue, uint64_t number)
{
	if (queue->swept || number < queue->cursor)
		queue->cursor = number;
	queue->swept = false;
}

void
window_drop(struct job *job)
{
	if (job->overtaken)
		leave_to_sweep(job->queue, job->lane.number);
	assert(job->queue->jobs > 0);
	job->queue->jobs--;
	LIST_REMOVE(job, in_window);
	conf_release(job->conf);
	free(job);
}

/* Another event of that lane whose attempt is not over; NULL: none. */
static struct job *
find_other(struct queue *queue, const struct uuid *delivery, uint64_t number)
{
	struct job *job;

	LIST_FOREACH (job, &queue->window[number % QUEUE_BUCKETS], in_window)
		if (job->lane.number == number && job->state != JOB_SETTLING &&
		    uuid_compare(&job->delivery, delivery) != 0)
			return job;
	return NULL;
}

/*
 * Whether the head of a lane may come into the window: not if it is there. Replay may have put it
 * in front of another event that is: that one goes back behind it, or, if it is on its way, comes
 * to its end first; then the sweep looks at the lane again.
 */
static bool
may_enter(struct queue *queue, const struct uuid *delivery, uint64_t number)
{
	struct job *other = find_other(queue, delivery, number);

	if (find_job(queue, delivery, number) != NULL)
		return false;
	if (other == NULL)
		return true;
	if (other->state == JOB_FLIGHT) {
		other->overtaken = true;
		return false;
	}
	TAILQ_REMOVE(ready_list(queue, other), other, next);
	window_drop(other);
	return true;
}

/* ---- heads that the engine tells of ------------------------------------------------------ */

struct job *
job_new(const struct lane_key *lane, const struct uuid *delivery, bool fresh)
{
	struct job *job = calloc(1, sizeof *job);

	if (job != NULL) {
		job->lane = *lane;
		job->delivery = *delivery;
		job->fresh = fresh;
	}
	return job;
}

void
job_free(struct job *job)
{
	free(job);
}

void
job_admit(void *arg, bool ok)
{
	struct job *job = arg;
	struct queue *queue = ok ? queue_of(job->lane.webhook) : NULL;

	if (queue == NULL || !may_enter(queue, &job->delivery, job->lane.number)) {
		free(job);
		return;
	}
	/* Behind the cursor it will be found anyway, in its turn. */
	if (has_room(queue) && (queue->swept || job->lane.number < queue->cursor)) {
		make_ready(queue, job);
	} else {
		leave_to_sweep(queue, job->lane.number);
		free(job);
	}
	job_wake();
}

/* ---- sweeping ---------------------------------------------------------------------------- */

static struct job *
job_of_row(struct txn *txn, const struct lane_key *key, const struct lane_row *row)
{
	struct delivery_row delivery;
	struct job *job;

	if (!deliveries_get(txn, &row->delivery, &delivery))
		return NULL;
	job = job_new(key, &row->delivery, delivery.attempts == 0);
	if (job != NULL)
		job->early = row->due != 0;
	return job;
}

enum sweep_step { SWEEP_ON, SWEEP_FULL, SWEEP_END };

/* May the head go, by its time? */
static bool
may_go(const struct queue *queue, const struct lane_key *key, const struct lane_row *row)
{
	return row->due == 0 || (queue->hasten && key->number >= queue->hastened);
}

static void
pass(struct queue *queue)
{
	queue->cursor++;
	if (queue->hasten && queue->cursor > queue->hastened)
		queue->hastened = queue->cursor;
}

/* Looks at the head of the first lane at or behind the cursor. */
static enum sweep_step
sweep_one(struct queue *queue, struct txn *txn)
{
	struct lane_key key = {.webhook = queue->id, .number = queue->cursor};
	struct lane_row row;
	struct job *job;

	if (!lanes_seek(txn, &key, &row))
		return SWEEP_END;
	queue->cursor = key.number;
	if (may_go(queue, &key, &row) && find_job(queue, &row.delivery, key.number) == NULL) {
		if (!has_room(queue))
			return SWEEP_FULL;
		job = job_of_row(txn, &key, &row);
		if (job == NULL)
			return SWEEP_FULL;
		make_ready(queue, job);
	}
	pass(queue);
	return SWEEP_ON;
}

bool
window_sweep(struct queue *queue)
{
	enum sweep_step step = SWEEP_ON;
	struct txn *txn;

	if (queue->swept || queue->jobs >= queue->webhook->max_in_flight)
		return true;
	txn = turn_read();
	if (txn == NULL)
		return true; /* the next second asks again */
	for (int n = 0; n < SWEEP_STEP && step == SWEEP_ON; n++)
		step = sweep_one(queue, txn);
	if (step == SWEEP_END && !store_failed(txn)) {
		queue->swept = true;
		queue->hasten = false;
	}
	return step != SWEEP_ON;
}

void
window_again(struct queue *queue, bool hasten)
{
	queue->swept = false;
	queue->cursor = 0;
	if (hasten) {
		queue->hasten = true;
		queue->hastened = 0;
	}
}

/* ---- probing ----------------------------------------------------------------------------- */

/* The head of the first lane behind *number, going round once. */
static bool
next_lane(struct queue *queue, struct txn *txn, struct lane_key *key, struct lane_row *row)
{
	*key = (struct lane_key){.webhook = queue->id, .number = queue->probed + 1};
	if (!lanes_seek(txn, key, row)) {
		*key = (struct lane_key){.webhook = queue->id};
		if (!lanes_seek(txn, key, row))
			return false;
	}
	queue->probed = key->number;
	return true;
}

/* Takes a ready job off its list, or makes one of the row; NULL when it is on its way already. */
static struct job *
claim(struct queue *queue, struct txn *txn, const struct lane_key *key, const struct lane_row *row)
{
	struct job *job = find_job(queue, &row->delivery, key->number);

	if (job != NULL) {
		if (job->state != JOB_READY)
			return NULL;
		TAILQ_REMOVE(ready_list(queue, job), job, next);
		return job;
	}
	if (!may_enter(queue, &row->delivery, key->number))
		return NULL;
	job = job_of_row(txn, key, row);
	if (job != NULL)
		put_in_window(queue, job);
	return job;
}

struct job *
window_probe(struct queue *queue)
{
	struct txn *txn = turn_read();
	struct job *job = NULL;
	struct lane_key key;
	struct lane_row row;

	for (int i = 0; txn != NULL && job == NULL && i < PROBE_TRIES; i++) {
		if (!next_lane(queue, txn, &key, &row))
			return NULL;
		job = claim(queue, txn, &key, &row);
	}
	return job;
}

/* ---- questions --------------------------------------------------------------------------- */

int
job_state(uint32_t webhook, uint64_t number, const struct uuid *delivery)
{
	struct queue *queue = queue_of(webhook);
	struct job *job = queue == NULL ? NULL : find_job(queue, delivery, number);

	return job == NULL ? -1 : (int)job->state;
}
