/*
 * The webhooks' queues from one configuration to the next. A queue goes with its webhook's number:
 *
 *             configured               configured no more
 *   (none) ──────────────▶ in `list` ───────────────────────▶ in `gone` ─────▶ freed
 *                              ▲         ready jobs are dropped    │   attempts and their
 *                              └───────────────────────────────────┘   outcomes are over
 *                                        configured again
 *
 * What waits for a webhook that is gone is buried by the engine (ticks). The pool of a queue is
 * replaced where another receiver, or another way to it, is configured; attempts that run on the
 * old one are not disturbed.
 */
#include "gateway/job_parts.h"

#include <stdlib.h>


enum { SLOTS_AT_START = 4 };

struct job_queues job_queues;

/* What job_commit() will put in place: by place in the configuration. */
static struct plan {
	struct conf *conf;
	struct queue **list;
	struct out_pool **pools; /* NULL: the queue's own stays */
} plan;

struct queue *
queue_of(uint32_t id)
{
	struct queue *queue = id < job_queues.room ? job_queues.by_id[id] : NULL;

	return queue == NULL || queue->webhook == NULL ? NULL : queue;
}

/* ---- prepare ----------------------------------------------------------------------------- */

static struct queue *
new_queue(uint32_t id)
{
	struct queue *queue = calloc(1, sizeof *queue);

	if (queue == NULL)
		return NULL;
	queue->id = id;
	queue->slots = SLOTS_AT_START;
	TAILQ_INIT(&queue->fresh);
	TAILQ_INIT(&queue->again);
	TAILQ_INIT(&queue->flight);
	return queue;
}

static bool
make_room(const struct conf *conf)
{
	uint32_t most = 0;
	struct queue **grown;

	for (size_t i = 0; i < conf->webhook_count; i++)
		if (conf->webhooks[i].id > most)
			most = conf->webhooks[i].id;
	if (most < job_queues.room)
		return true;
	grown = realloc(job_queues.by_id, (most + 1) * sizeof(*grown));
	if (grown == NULL)
		return false;
	memset(grown + job_queues.room, 0, (most + 1 - job_queues.room) * sizeof(*grown));
	job_queues.by_id = grown;
	job_queues.room = most + 1;
	return true;
}

/* Kept connections may lead to where none may be opened any more. */
static bool
networks_differ(const struct conf *a, const struct conf *b)
{
	size_t n = a->allow_network_count;

	if (n != b->allow_network_count)
		return true;
	return n > 0 && memcmp(a->allow_networks, b->allow_networks, n * sizeof(struct cidr)) != 0;
}

/* True if the queue and, where it is needed, its pool are there. */
static bool
prepare_one(size_t i, bool new_pools)
{
	const struct conf_webhook *webhook = &plan.conf->webhooks[i];
	struct queue *queue = job_queues.by_id[webhook->id];

	plan.list[i] = queue != NULL ? queue : new_queue(webhook->id);
	if (plan.list[i] == NULL)
		return false;
	if (queue != NULL && queue->pool != NULL && !new_pools &&
	    out_pool_fits(queue->pool, webhook))
		return true;
	plan.pools[i] = out_pool_new(webhook);
	return plan.pools[i] != NULL;
}

const char *
job_prepare(struct conf *conf)
{
	bool new_pools = job_queues.conf != NULL && networks_differ(conf, job_queues.conf);

	plan = (struct plan){.conf = conf_hold(conf),
	    .list = calloc(conf->webhook_count + 1, sizeof(*plan.list)),
	    .pools = calloc(conf->webhook_count + 1, sizeof(*plan.pools))};
	if (plan.list == NULL || plan.pools == NULL || !make_room(conf)) {
		job_abandon();
		return "no memory for the webhooks";
	}
	for (size_t i = 0; i < conf->webhook_count; i++)
		if (!prepare_one(i, new_pools)) {
			job_abandon();
			return "no memory for a webhook's connections, or its TLS files changed "
			       "meanwhile";
		}
	return NULL;
}

void
job_abandon(void)
{
	for (size_t i = 0; plan.list != NULL && plan.pools != NULL && i < plan.conf->webhook_count;
	     i++) {
		out_pool_retire(plan.pools[i]);
		if (plan.list[i] != NULL && job_queues.by_id[plan.list[i]->id] == NULL)
			free(plan.list[i]);
	}
	free(plan.list);
	free(plan.pools);
	conf_release(plan.conf);
	plan = (struct plan){NULL};
}

/* ---- commit ------------------------------------------------------------------------------ */

/* It goes to another address: what was learned of the one before counts no more, a probe that is
 * out neither. */
static void
start_over(struct queue *queue)
{
	if (breaker_reset(&queue->breaker))
		job_log_breaker(queue, false);
	queue->slots = SLOTS_AT_START;
	window_again(queue, true);
}

static void
take(struct queue *queue, const struct conf_webhook *webhook, struct out_pool *pool)
{
	const struct conf_webhook *was = queue->webhook;

	if (job_queues.by_id[queue->id] != NULL && was == NULL) {
		LIST_REMOVE(queue, next);
		window_again(queue, false);
	}
	job_queues.by_id[queue->id] = queue;
	queue->webhook = webhook;
	queue->stays = true;
	queue->held = engine_held(queue->id);
	if (pool != NULL) {
		out_pool_retire(queue->pool);
		queue->pool = pool;
	}
	if (was != NULL && !slice_is(was->url, webhook->url))
		start_over(queue);
	if (queue->slots > webhook->max_in_flight)
		queue->slots = webhook->max_in_flight;
}

static void
let_go(struct queue *queue)
{
	queue->webhook = NULL;
	job_free_list(&queue->fresh);
	job_free_list(&queue->again);
	out_pool_retire(queue->pool);
	queue->pool = NULL;
	LIST_INSERT_HEAD(&job_queues.gone, queue, next);
}

void
job_commit(void)
{
	for (size_t i = 0; i < job_queues.count; i++)
		job_queues.list[i]->stays = false;
	for (size_t i = 0; i < plan.conf->webhook_count; i++)
		take(plan.list[i], &plan.conf->webhooks[i], plan.pools[i]);
	for (size_t i = 0; i < job_queues.count; i++)
		if (!job_queues.list[i]->stays)
			let_go(job_queues.list[i]);
	free(job_queues.list);
	free(plan.pools);
	conf_release(job_queues.conf);
	job_queues.conf = plan.conf;
	job_queues.list = plan.list;
	job_queues.count = plan.conf->webhook_count;
	plan = (struct plan){NULL};
	out_configure(job_queues.conf);
	job_wake();
}

/* ---- the end ----------------------------------------------------------------------------- */

void
job_forget_gone(void)
{
	struct queue *queue, *next;

	for (queue = LIST_FIRST(&job_queues.gone); queue != NULL; queue = next) {
		next = LIST_NEXT(queue, next);
		if (queue->jobs > 0)
			continue;
		LIST_REMOVE(queue, next);
		job_queues.by_id[queue->id] = NULL;
		free(queue);
	}
}

void
job_forget_all(void)
{
	struct queue *queue;

	for (size_t i = 0; i < job_queues.count; i++)
		let_go(job_queues.list[i]);
	LIST_FOREACH (queue, &job_queues.gone, next)
		job_free_list(&queue->flight);
	job_forget_gone();
	free(job_queues.list);
	free(job_queues.by_id);
	conf_release(job_queues.conf);
	memset(&job_queues, 0, sizeof job_queues);
}
