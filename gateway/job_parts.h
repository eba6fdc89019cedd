/*
 * What the files of delivery share among themselves; nobody else includes this.
 *
 *   job.c         attempts, the pump, start and stop
 *   job_conf.c    the webhooks' queues, as the configuration has them
 *   job_outcome.c what an attempt's end means, and filing it
 *   job_window.c  which of a webhook's deliveries are in memory: admitting, sweeping, probing
 */
#ifndef GATEWAY_JOB_PARTS_H
#define GATEWAY_JOB_PARTS_H

#include <sys/queue.h>

#include "gateway/apply.h"
#include "gateway/breaker.h"
#include "gateway/job.h"
#include "gateway/out.h"

enum { QUEUE_BUCKETS = 64 };

struct job {
	enum job_state state;
	bool fresh;                 /* never tried: goes before those that were */
	bool early;                 /* taken before its time: a failure does not count */
	bool probe;                 /* behind an open breaker */
	bool overtaken;             /* replay has put an earlier event of its lane before it */
	struct lane_key lane;
	struct uuid delivery;
	struct queue *queue;
	struct conf *conf;          /* held from the attempt's start on: it is made under this */
	struct out_attempt attempt;
	struct out_result result;
	int64_t wall;               /* when the attempt started */
	uint32_t number;            /* of the attempt: X-Attempt */
	int64_t retry_in;           /* us; as settled, for the log */
	enum delivery_state settled;
	TAILQ_ENTRY(job) next;      /* in fresh, again, flight or unsettled */
	LIST_ENTRY(job) in_window;
};

TAILQ_HEAD(job_list, job);
LIST_HEAD(job_bucket, job);

/* One webhook's deliveries in memory. */
struct queue {
	uint32_t id;                              /* of the webhook */
	const struct conf_webhook *webhook;       /* NULL: gone, but for what is under way */
	bool stays;                               /* while another configuration is taken over */
	struct out_pool *pool;                    /* NULL: gone */
	struct breaker breaker;
	struct job_list fresh, again;             /* ready; first attempts go first */
	struct job_list flight;
	struct job_bucket window[QUEUE_BUCKETS];  /* every job, by incident number */
	int jobs, in_flight;
	unsigned taken;                           /* jobs started so far */
	int slots;                                /* attempts at once, for now */
	int64_t alive;                            /* mono: the receiver's last sign of life */
	bool held;
	bool swept;                               /* nothing is behind the cursor */
	bool hasten;                              /* the sweep takes heads before their time too, */
	uint64_t hastened;                        /* each once: from this incident number on */
	uint64_t cursor;                          /* incident number: the sweep is here */
	uint64_t probed;                          /* incident number of the last probe */
	LIST_ENTRY(queue) next;                   /* among those that are gone */
};

/* The webhook's queue; NULL when it is not configured. */
struct queue *queue_of(uint32_t webhook);
void job_log_breaker(const struct queue *, bool open) NONNULL;

/* job_conf.c: the queues of the configuration, in its order. */
struct job_queues {
	struct conf *conf;        /* held; NULL: none yet */
	struct queue **list;
	size_t count;
	struct queue **by_id;     /* by the webhook's number, those that are gone too; NULL: none */
	size_t room;              /* of by_id */
	LIST_HEAD(queues, queue) gone;
};

extern struct job_queues job_queues;

/* Frees those that are gone and have come to their end. */
void job_forget_gone(void);
void job_forget_all(void); /* attempts are canceled */
int job_outcome_start(struct event_base *) MUST NONNULL; /* -1 without memory */
void job_outcome_stop(void);
enum verdict job_verdict(const struct out_result *) NONNULL;
/* Files the result of the job, which is on no list but the window. */
void job_settle(struct job *) NONNULL;
/* Ends and frees the jobs of a list. */
void job_free_list(struct job_list *) NONNULL;

/* Takes rows into the window while there is room; false when there is more to do in another
 * turn. */
bool window_sweep(struct queue *) NONNULL;
/* Everything that waits is looked at again; hasten: even before its time. */
void window_again(struct queue *, bool hasten) NONNULL;
/* The head of the next lane in turn, as a job on no list but the window; NULL: none, or no
 * memory. */
struct job *window_probe(struct queue *) NONNULL;
/* The job is on no other list. */
void window_drop(struct job *) NONNULL;

#endif
