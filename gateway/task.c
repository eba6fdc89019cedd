/*
 *   task_begin ─▶ queue of its kind ─▶ step ─┬─▶ task_go_on: to the end of the queue
 *                                            ├─▶ task_answer
 *                                            └─▶ (waits for a commit, or an attempt) ─▶ task_go_on,
 *                                                                                   task_answer
 *
 * The queues' event is a timer of no length: it fires once in the next pass, while an event made
 * active by its own callback would fire again in the same one.
 */
#include "gateway/task.h"

#include <stdio.h>

#include "gateway/turn.h"

TAILQ_HEAD(task_list, task);

static struct kind {
	const char *many;
	size_t most; /* at a time */
	struct task_list queue;
	size_t count; /* begun and not ended, queued or not */
} kinds[TASK_KINDS] = {
    [TASK_LONG] = {.many = "Too many long requests at a time.", .most = 64},
    [TASK_SCRAPE] = {.many = "Too many scrapes at a time.", .most = 8},
    [TASK_RELOAD] = {.many = "Too many reloads at a time.", .most = 8},
};

static struct event *event;

static void
wake(void)
{
	static const struct timeval now = {0, 0};

	event_add(event, &now);
}

void
task_second(void)
{
	for (struct kind *kind = kinds; kind < kinds + TASK_KINDS; kind++)
		if (!TAILQ_EMPTY(&kind->queue))
			wake();
}

static void
step(struct kind *kind)
{
	struct task *task = TAILQ_FIRST(&kind->queue);

	if (task == NULL)
		return;
	TAILQ_REMOVE(&kind->queue, task, next);
	task->queued = false;
	if (!TAILQ_EMPTY(&kind->queue))
		wake();
	task->step(task);
	turn_charge(0);
}

static void
on_pass(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	for (struct kind *kind = kinds; kind < kinds + TASK_KINDS; kind++)
		step(kind);
}

int
task_start(struct event_base *base)
{
	for (struct kind *kind = kinds; kind < kinds + TASK_KINDS; kind++) {
		TAILQ_INIT(&kind->queue);
		kind->count = 0;
	}
	event = evtimer_new(base, on_pass, NULL);
	return event == NULL ? -1 : 0;
}

void
task_stop(void)
{
	event_free(event);
}

/* It is on no list and will not be answered again. */
static void
end(struct task *task)
{
	struct kind *kind = &kinds[task->kind];

	if (task->queued)
		TAILQ_REMOVE(&kind->queue, task, next);
	task->queued = false;
	task->conn = NULL;
	kind->count--;
}

static void
on_gone(void *arg)
{
	struct task *task = arg;

	end(task);
	task->gone(task);
}

bool
task_begin(struct task *task, struct route_request *request)
{
	struct in_reply *reply = &request->in->reply;
	struct kind *kind = &kinds[task->kind];

	if (kind->count >= kind->most) {
		route_detail(request, 429, kind->many);
		snprintf(reply->headers, sizeof reply->headers, "Retry-After: 1\r\n");
		return false;
	}
	kind->count++;
	task->conn = in_defer(request->in, on_gone, task);
	task_go_on(task);
	return true;
}

void
task_go_on(struct task *task)
{
	if (!task->queued)
		TAILQ_INSERT_TAIL(&kinds[task->kind].queue, task, next);
	task->queued = true;
	wake();
}

void
task_answer(struct task *task, int status, struct buf *body)
{
	struct in_conn *conn = task->conn;

	end(task);
	in_answer(conn, status, body);
}

void
task_detail(struct task *task, int status, const char *detail)
{
	char room[1024];
	struct buf body = BUF_IN(room);

	if (status == 503)
		in_log_refused(task->conn, status, detail, SLICE(""));
	buf_printf(&body, "{\"detail\": \"%s\"}", detail);
	task_answer(task, status, &body);
}

static void
on_room(void *arg)
{
	task_go_on(arg);
}

void
task_piece(struct task *task, const char *content_type, struct slice piece)
{
	in_piece(task->conn, content_type, piece, on_room);
}

void
task_end(struct task *task)
{
	struct in_conn *conn = task->conn;

	end(task);
	in_end_pieces(conn);
}
