/*
 * The job: one delivery that was promised, in memory while its turn has come (CONTRACT §8).
 *
 * Memory holds at most 2 × max_in_flight jobs of a webhook, its window. Every undelivered row of
 * the store is exactly one of: a job in the window; behind the head of its lane; a head with a due
 * row; at or behind the webhook's sweep cursor. So nothing is forgotten, however much waits.
 */
#ifndef GATEWAY_JOB_H
#define GATEWAY_JOB_H

#include <event2/event.h>

#include "conf/conf.h"
#include "store/store.h"

struct job;
struct out_pool;
struct out_result;

enum job_state { JOB_READY, JOB_FLIGHT, JOB_SETTLING };

/* -1 without memory. */
int job_start(struct event_base *) MUST NONNULL;
/* Cancels what is in flight: it is sent again after the next start. */
void job_stop(void);

/*
 * The webhooks of a configuration, which the engine has given their numbers; in one step, or none:
 * job_prepare() takes what is needed, and one of the others must follow before anything else
 * happens. Attempts under way end as they began, under the configuration of then. New ones are made
 * under this one; lanes of webhooks that are new are swept from the start. NULL, or what could not
 * be had, as a sentence.
 */
const char *job_prepare(struct conf *) MUST NONNULL;
void job_commit(void);
void job_abandon(void);

/* A head that may go once the turn is committed: job_admit is that turn's hook for it. fresh: it
 * was never tried. */
struct job *job_new(const struct lane_key *, const struct uuid *delivery, bool fresh) MUST NONNULL;
void job_admit(void *job, bool ok);
/* For one that was not handed to job_admit. */
void job_free(struct job *);

/* Looks again whether the engine holds the webhook's deliveries. If not, an operator has let
 * them go: its breaker is closed, and what waits goes now. */
void job_hold(uint32_t webhook);
/* Looks soon at what may start: after a change, or when a probe is due. */
void job_wake(void);
/* Once a second: goes on with what has stopped for lack of memory. */
void job_second(void);
/* Starts no more attempts at all: the process is about to end. */
void job_drain(void);

/* When the next probe behind an open breaker may go (steady); INT64_MAX: none waits. */
int64_t job_next_probe(void);

size_t job_in_flight(void);            /* attempts, of all webhooks */
int job_flying(uint32_t webhook);      /* of one */
bool job_busy(uint32_t webhook);       /* whether there are any, though it may be gone */
bool job_breaker_open(uint32_t webhook);
/* The delivery of that incident as a job: enum job_state, or -1: it is none. */
int job_state(uint32_t webhook, uint64_t number, const struct uuid *delivery) NONNULL;

/* The connections to the webhook's receiver; NULL: it is not configured. */
struct out_pool *job_pool(uint32_t webhook);
/* An attempt that started at wall as it is stored. */
struct attempt_row job_attempt(const struct out_result *, int64_t wall) NONNULL;

#endif
