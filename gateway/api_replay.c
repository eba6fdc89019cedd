/*
 * Replay of one delivery, and of a webhook's dead letters or delivered ones of a time
 * (CONTRACT §9).
 *
 * Many are put back in steps: a step looks at some rows of a snapshot, applies a record for each
 * that is meant, and the next one follows when that is committed. Oldest first, so that an
 * incident's events come into their lane in order. The answer comes when all is done; who does not
 * wait for it ends the rest.
 */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/apply.h"
#include "gateway/clock.h"
#include "gateway/filter.h"
#include "gateway/ids.h"
#include "gateway/task.h"
#include "gateway/turn.h"
#include "gateway/view.h"
#include "gateway/wanted.h"

enum { STEP_ROWS = 256 };

static bool
replay(const struct uuid *id)
{
	struct record record = apply_record(RECORD_REPLAY, 0);

	record.delivery = *id;
	return apply(&record);
}

/* ---- one --------------------------------------------------------------------------------- */

/* The row as this turn leaves it. */
static void
answer_row(struct route_request *request, const struct uuid *id)
{
	struct txn *txn = turn_write();
	struct delivery_row row;
	struct json_writer w;

	if (txn == NULL || !deliveries_get(txn, id, &row)) {
		in_unavailable(request->in, "The replay could not be stored.");
		return;
	}
	w = route_reply(request, 202);
	json_open(&w, '{');
	view_delivery(&w, txn, id, &row);
	json_close(&w, '}');
	in_park(request->in);
}

void
api_replay(struct route_request *request)
{
	struct txn *txn = turn_read();
	const struct conf_webhook *webhook = NULL;
	struct delivery_row row;
	struct uuid id;

	if (txn == NULL)
		in_unavailable(request->in, "The log cannot be read.");
	else if (!uuid_parse(request->part[0], &id) || !deliveries_get(txn, &id, &row))
		route_not_found(request);
	else if ((webhook = engine_webhook(delivery_webhook(&id))) == NULL)
		route_detail(request, 400, "webhook: is no longer configured");
	else if (!replay(&id))
		in_unavailable(request->in, "The replay could not be stored.");
	else
		answer_row(request, &id);
	if (webhook != NULL)
		route_log_asked(request, "a replay of a delivery", webhook, &id);
}

/* ---- many -------------------------------------------------------------------------------- */

struct many {
	struct task task; /* first: they are cast to each other */
	struct wanted wanted;
	struct uuid at;   /* where the walk is */
	struct uuid last; /* no id is larger that was issued when it began */
	bool over;        /* the walk */
	bool committing;  /* on_commit has the task */
	uint64_t step, done; /* put back: in this step, and committed */
};

static void
on_gone(struct task *task)
{
	struct many *many = (struct many *)task;

	if (!many->committing)
		free(many);
}

static void
answer_count(struct many *many)
{
	char room[256];
	struct buf body = BUF_IN(room);

	buf_printf(&body, "{\"replayed\": %llu}", (unsigned long long)many->done);
	task_answer(&many->task, 202, &body);
	free(many);
}

static void
answer_failure(struct many *many)
{
	char text[160];

	snprintf(text, sizeof text, "The replay could not be stored; replayed so far: %llu.",
	    (unsigned long long)many->done);
	task_detail(&many->task, 503, text);
	free(many);
}

static void
go_on(struct many *many)
{
	if (many->over)
		answer_count(many);
	else
		task_go_on(&many->task);
}

static void
on_commit(void *arg, bool ok)
{
	struct many *many = arg;

	many->committing = false;
	if (many->task.conn == NULL) {
		free(many);
		return;
	}
	if (!ok) {
		answer_failure(many);
		return;
	}
	many->done += many->step;
	go_on(many);
}

/* The next row up; there may be rows of other webhooks and states among them. */
static bool
find_up(struct many *many, struct txn *txn, struct uuid *id, struct delivery_row *row)
{
	*id = many->at;
	if (many->wanted.state == DELIVERY_DEAD)
		return dead_after(txn, many->wanted.webhook, id) &&
		       deliveries_get(txn, id, row);
	return deliveries_after(txn, id, row);
}

static bool
is_wanted(const struct wanted *wanted, const struct uuid *id, const struct delivery_row *row)
{
	return delivery_webhook(id) == wanted->webhook && row->state == wanted->state &&
	       row->created >= wanted->since && row->created < wanted->until;
}

/* Those that have no room wait as what they are: they would take it from new events. */
static bool
has_room(uint32_t id)
{
	const struct conf_webhook *webhook = engine_webhook(id);

	return webhook != NULL && engine_waiting(id) < (uint64_t)webhook->max_waiting;
}

/* Looks at one row; false when what is meant cannot be stored. */
static bool
look(struct many *many, struct txn *txn)
{
	const struct wanted *wanted = &many->wanted;
	struct delivery_row row;
	struct uuid id;

	if (!has_room(wanted->webhook) || !find_up(many, txn, &id, &row) ||
	    uuid_compare(&id, &many->last) > 0 || row.created - FILTER_SLACK >= wanted->until) {
		many->over = true;
		return true;
	}
	many->at = id;
	uuid_next(&many->at);
	if (!is_wanted(wanted, &id, &row))
		return true;
	many->step++;
	return replay(&id);
}

static void
step_many(struct task *task)
{
	struct many *many = (struct many *)task;
	struct txn *txn = turn_read();
	bool ok = txn != NULL;

	many->step = 0;
	for (int i = 0; ok && i < STEP_ROWS && !many->over; i++)
		ok = look(many, txn);
	if (many->step > 0)
		many->committing = turn_after_commit(on_commit, many);
	if (many->committing)
		return;
	if (ok && many->step == 0)
		go_on(many);
	else
		answer_failure(many);
}

/* ---- the request of many ----------------------------------------------------------------- */

/* Where a walk up to that time may start. */
static struct uuid
first_id(int64_t since)
{
	struct uuid id = {{0}};
	int64_t ms = since < FILTER_SLACK ? 0 : (since - FILTER_SLACK) / CLOCK_MS;
	uint8_t bytes[8];

	put_u64(bytes, (uint64_t)ms << 16);
	memcpy(id.b, bytes, 6);
	return id;
}

static void
begin(struct route_request *request, const struct wanted *wanted)
{
	struct many *many = calloc(1, sizeof *many);
	struct uuid last = ids_last();

	if (many == NULL) {
		in_unavailable(request->in, in_no_memory);
		return;
	}
	many->task = (struct task){.step = step_many, .gone = on_gone};
	many->wanted = *wanted;
	many->at = first_id(wanted->since);
	many->last = delivery_id(&last, UINT32_MAX);
	if (task_begin(&many->task, request))
		route_log_asked(request, "a replay", engine_webhook(wanted->webhook), NULL);
	else
		free(many);
}

void
api_replay_many(struct route_request *request)
{
	struct wanted wanted;

	if (wanted_read(request, &wanted))
		begin(request, &wanted);
}
