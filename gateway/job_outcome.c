/*
 * The outcome of an attempt becomes a record, and a line in the log once that is stored. While it
 * cannot be stored the job waits and is filed again: it is not sent again.
 */
#include "gateway/job_parts.h"

#include <assert.h>

#include "gateway/clock.h"
#include "gateway/ids.h"
#include "gateway/log.h"
#include "gateway/turn.h"

enum { SETTLE_AGAIN_US = 100000 };

static struct event *again; /* runs when unsettled jobs are to be filed */
static struct job_list unsettled = TAILQ_HEAD_INITIALIZER(unsettled);

enum verdict
job_verdict(const struct out_result *result)
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
	log_text("labels.webhook", job->attempt.webhook->name);
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
set_timer(void)
{
	struct timeval tv = {0, SETTLE_AGAIN_US};

	event_add(again, &tv);
}

static void
unsettle(struct job *job)
{
	TAILQ_INSERT_TAIL(&unsettled, job, next);
	set_timer();
}

void
job_second(void)
{
	if (!TAILQ_EMPTY(&unsettled))
		set_timer();
	job_wake(); /* a sweep may have stopped for lack of memory */
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
	    .verdict = job_verdict(result),
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

void
job_settle(struct job *job)
{
	struct record record = outcome_of(job);

	assert(job->state == JOB_SETTLING);
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
	TAILQ_CONCAT(&list, &unsettled, next);
	while ((job = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, job, next);
		job_settle(job);
	}
}

int
job_outcome_start(struct event_base *base)
{
	again = evtimer_new(base, on_again, NULL);
	return again == NULL ? -1 : 0;
}

void
job_outcome_stop(void)
{
	job_free_list(&unsettled);
	event_free(again);
	again = NULL;
}
