/*
 * The alerts of an incident (CONTRACT §2, §9): an array, newest first, its newest 1 000, as many
 * as fit into 4 MiB.
 *
 *   head ─▶ alert ─▶ the one before it ─▶ ... ─▶ the first, or an expired one
 */
#include <stdlib.h>

#include "gateway/engine.h"
#include "gateway/task.h"
#include "gateway/turn.h"
#include "gateway/view.h"

enum { ALERTS_MOST = 1000, BODY_ENDS = 4 << 20, BODY_MOST = BODY_ENDS + VIEW_ALERT_MOST };
enum { STEP_ALERTS = 100, STEP_BYTES = 128 << 10 };

struct alerts {
	struct task task; /* first: they are cast to each other */
	struct uuid at;   /* the next one */
	int n;
	size_t looked;    /* bytes of this step */
	struct buf body;
	struct json_writer w;
};

static void
free_alerts(struct alerts *list)
{
	buf_free(&list->body);
	free(list);
}

static void
on_gone(struct task *task)
{
	free_alerts((struct alerts *)task);
}

/* Writes the next alert; false: there is none. */
static bool
write_next(struct alerts *list, struct txn *txn)
{
	size_t before = list->body.n;
	struct alert_row row;

	if (list->n == ALERTS_MOST || list->body.n >= BODY_ENDS || uuid_is_zero(&list->at) ||
	    !alerts_get(txn, &list->at, &row))
		return false;
	view_alert(&list->w, &list->at, &row, false);
	list->looked += row.fields.n + list->body.n - before;
	list->at = row.previous;
	list->n++;
	return true;
}

/* True when it is done. */
static bool
write_some(struct alerts *list, struct txn *txn)
{
	list->looked = 0;
	for (int i = 0; i < STEP_ALERTS && list->looked < STEP_BYTES; i++)
		if (!write_next(list, txn))
			return true;
	return false;
}

static void
step_alerts(struct task *task)
{
	struct alerts *list = (struct alerts *)task;
	struct txn *txn = turn_read();

	if (txn != NULL && !write_some(list, txn) && !store_failed(txn)) {
		task_go_on(task);
		return;
	}
	json_close(&list->w, ']');
	if (txn == NULL || store_failed(txn) || list->body.failed)
		task_detail(task, 503, "The store cannot be read.");
	else
		task_answer(task, 200, &list->body);
	free_alerts(list);
}

static struct alerts *
new_alerts(void)
{
	struct alerts *list = calloc(1, sizeof *list);

	if (list == NULL)
		return NULL;
	list->task = (struct task){.step = step_alerts, .gone = on_gone};
	buf_init(&list->body, BODY_MOST);
	list->w.buf = &list->body;
	json_open(&list->w, '[');
	return list;
}

void
api_alerts(struct route_request *request)
{
	struct txn *txn = turn_read();
	struct alerts *list = new_alerts();
	struct incident_row row;
	uint64_t number;

	if (txn == NULL || list == NULL) {
		in_unavailable(request->in, "The store cannot be read.");
	} else if (!view_find(txn, request->part[0], &number, &row)) {
		route_not_found(request);
	} else {
		list->at = engine_head(number, &row);
		if (task_begin(&list->task, request))
			return;
	}
	if (list != NULL)
		free_alerts(list);
}
