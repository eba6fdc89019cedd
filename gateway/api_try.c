/*
 * POST /api/try/{key} (CONTRACT §7): the dry run of a body. It needs a transaction that leaves no
 * trace, which a turn lends behind its end, one at a time.
 */
#include <stdlib.h>

#include "gateway/engine.h"
#include "gateway/task.h"
#include "gateway/try.h"
#include "gateway/turn.h"

enum { ANSWER_MOST = 32 << 20, KEY_MOST = 64 };

struct try {
	struct task task; /* first: they are cast to each other */
	bool waiting;     /* for the end of the turn, which has it until then */
	char key[KEY_MOST];
	size_t key_n;
	size_t n;
	char body[];
};

static void
on_gone(struct task *task)
{
	struct try *try = (struct try *)task;

	if (!try->waiting)
		free(try);
}

static void
answer(struct try *try, struct txn *txn)
{
	const struct conf_integration *integration =
	    try_find(route_conf(), (struct slice){try->key, try->key_n});
	struct json_writer w;
	struct buf out;

	buf_init(&out, ANSWER_MOST);
	w = (struct json_writer){.buf = &out};
	if (txn != NULL && integration != NULL)
		try_body(&w, txn, integration, try->body, try->n);
	if (integration == NULL)
		task_detail(&try->task, 404, "Not Found.");
	else if (txn == NULL || out.failed)
		task_detail(&try->task, 503, "The dry run could not be made.");
	else
		task_answer(&try->task, 200, &out);
	buf_free(&out);
}

static void
run(void *arg, struct txn *txn)
{
	struct try *try = arg;

	try->waiting = false;
	if (try->task.conn != NULL)
		answer(try, txn);
	free(try);
}

static void
step(struct task *task)
{
	struct try *try = (struct try *)task;

	try->waiting = turn_dry(run, try);
	if (!try->waiting)
		task_go_on(task);
}

void
api_try(struct route_request *request)
{
	struct slice key = request->part[0];
	struct try *try;

	if (key.n > KEY_MOST || try_find(route_conf(), key) == NULL) {
		route_not_found(request);
		return;
	}
	try = malloc(sizeof *try + request->in->body_n + 1);
	if (try == NULL) {
		in_unavailable(request->in, in_no_memory);
		return;
	}
	*try = (struct try){.task = {.step = step, .gone = on_gone}, .n = request->in->body_n};
	memcpy(try->key, key.p, key.n);
	try->key_n = key.n;
	if (try->n > 0)
		memcpy(try->body, request->in->body, try->n);
	if (!task_begin(&try->task, request))
		free(try);
}
