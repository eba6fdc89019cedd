/*
 * GET /metrics (CONTRACT §13). A thousand webhooks are some megabytes of text: it is made and sent
 * in pieces, one in a pass of the loop, and the next when the client has taken it. So a scrape
 * holds nobody up, and a client that does not read costs one piece of memory.
 */
#include <stdlib.h>

#include "gateway/metrics.h"
#include "gateway/task.h"
#include "gateway/turn.h"

/* An item, such as one webhook's histogram, is some kilobytes, so a piece is not much larger. */
enum { PIECE = 32 << 10, PIECE_MOST = 256 << 10 };

struct scrape {
	struct task task;  /* first: they are cast to each other */
	struct conf *conf; /* held: what is walked over */
	struct metrics_walk walk;
	bool over;         /* the last piece was sent */
};

static void
free_scrape(struct scrape *scrape)
{
	conf_release(scrape->conf);
	free(scrape);
}

static void
on_gone(struct task *task)
{
	free_scrape((struct scrape *)task);
}

static void
step(struct task *task)
{
	static struct buf piece = {.ceiling = PIECE_MOST}; /* of all scrapes, one at a time */
	struct scrape *scrape = (struct scrape *)task;

	if (scrape->over) {
		task_end(task);
		free_scrape(scrape);
		return;
	}
	buf_clear(&piece);
	scrape->walk.txn = turn_read();
	scrape->over = !metrics_write(&scrape->walk, &piece, PIECE);
	task_piece(task, "text/plain; version=0.0.4; charset=utf-8", buf_slice(&piece));
}

void
api_metrics(struct route_request *request)
{
	struct scrape *scrape = calloc(1, sizeof *scrape);

	if (scrape == NULL) {
		in_unavailable(request->in, in_no_memory);
		return;
	}
	scrape->task = (struct task){.step = step, .gone = on_gone, .kind = TASK_SCRAPE};
	scrape->conf = conf_hold(route_conf());
	scrape->walk.conf = scrape->conf;
	if (!task_begin(&scrape->task, request))
		free_scrape(scrape);
}
