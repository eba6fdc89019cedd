/*
 * Requests that take longer than a turn: a walk over many rows, many changes, an answer from
 * outside. The answer is put off; the work is done in steps, and whatever the number of such
 * requests, one step of one of each kind in a pass of the loop, in turn. The kinds are apart so
 * that whoever asks for many lists keeps nobody from looking at the metrics.
 *
 * A task is the first member of its owner's own struct, which its `gone` frees.
 */
#ifndef GATEWAY_TASK_H
#define GATEWAY_TASK_H

#include <event2/event.h>
#include <sys/queue.h>

#include "gateway/route.h"

enum task_kind {
	TASK_LONG,   /* any request; the default */
	TASK_SCRAPE,
	TASK_RELOAD,
	TASK_KINDS
};

struct task {
	/* Set by the owner. step works in an event callback, so that it may read and write the
	 * store; it then calls task_go_on(), task_answer(), or neither: somebody else will. */
	void (*step)(struct task *);
	/* The client has gone away: nothing is stepped or answered any more. */
	void (*gone)(struct task *);
	enum task_kind kind;

	/* Private. */
	struct in_conn *conn; /* NULL: not begun, or answered, or the client is gone */
	bool queued;
	TAILQ_ENTRY(task) next;
};

/* -1 without memory. */
int task_start(struct event_base *) MUST NONNULL;
void task_stop(void); /* none may be left: clients went first */

/* In a handler: puts the answer off; the first step comes in the next pass. False when there are
 * too many of its kind: 429 is answered, and the task was not begun. */
bool task_begin(struct task *, struct route_request *) MUST NONNULL;
/* The next step comes in a later pass. Hooks may call this too. */
void task_go_on(struct task *) NONNULL;
/* Once a second: goes on with tasks whose timer could not be set for lack of memory. */
void task_second(void);
/* Answers and ends the task, which is its owner's again. Hooks may call this too. */
void task_answer(struct task *, int status, struct buf *body) NONNULL;
/* The same with {"detail": text}. */
void task_detail(struct task *, int status, const char *detail) NONNULL;

/* In a step, as the last it does: a piece of an answer with status 200 and of any length. The next
 * step comes when the client has taken it. task_end() is behind the last one, and ends the task. */
void task_piece(struct task *, const char *content_type, struct slice) NONNULL;
void task_end(struct task *) NONNULL;

#endif
