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
#include "proto/date.h"

enum { STEP_ROWS = 256, BODY_DEPTH = 4, BODY_MEMORY = 1 << 20 };

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
		in_detail(request->in, 503, "The replay could not be stored.");
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
	struct delivery_row row;
	struct uuid id;

	if (txn == NULL)
		in_detail(request->in, 503, "The log cannot be read.");
	else if (!uuid_parse(request->part[0], &id) || !deliveries_get(txn, &id, &row))
		route_not_found(request);
	else if (engine_webhook(delivery_webhook(&id)) == NULL)
		route_detail(request, 400, "webhook: is no longer configured");
	else if (!replay(&id))
		in_detail(request->in, 503, "The replay could not be stored.");
	else
		answer_row(request, &id);
}

/* ---- many -------------------------------------------------------------------------------- */

/* What is asked for: created at or after since and before until. */
struct wanted {
	uint32_t webhook;
	enum delivery_state state;
	int64_t since, until;
};

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
	struct buf body = {.ceiling = 256};

	buf_printf(&body, "{\"replayed\": %llu}", (unsigned long long)many->done);
	task_answer(&many->task, 202, buf_slice(&body));
	buf_free(&body);
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
	filter_next(&many->at);
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

/* field may be the client's own text. */
static bool
refuse(struct route_request *request, struct slice field, const char *what)
{
	struct json_writer w = route_reply(request, 400);
	struct buf text = {.ceiling = 1024};

	buf_put_slice(&text, field);
	buf_printf(&text, ": %s", what);
	json_open(&w, '{');
	json_key(&w, "detail");
	json_string(&w, text.failed ? slice_of(what) : buf_slice(&text));
	json_close(&w, '}');
	buf_free(&text);
	return false;
}

static bool
read_state(struct route_request *request, const struct json *value, struct wanted *wanted)
{
	wanted->state = DELIVERY_DEAD;
	if (value == NULL || slice_is(value->text, SLICE("dead")))
		return true;
	wanted->state = DELIVERY_DELIVERED;
	return slice_is(value->text, SLICE("delivered")) ||
	       refuse(request, SLICE("state"), "is not dead or delivered");
}

static bool
read_date(struct route_request *request, const struct json *value, int64_t *wall)
{
	return value == NULL || date_parse(value->text, wall) ||
	       refuse(request, value->key, "is not a date of RFC 3339");
}

static bool
read_webhook(struct route_request *request, const struct json *value, struct wanted *wanted)
{
	const struct conf_webhook *webhook;

	if (value == NULL)
		return refuse(request, SLICE("webhook"), "is required");
	webhook = conf_webhook_by_name(route_conf(), value->text);
	if (webhook == NULL)
		route_not_found(request);
	else
		wanted->webhook = webhook->id;
	return webhook != NULL;
}

/* A field that nobody knows is refused: with a misspelt date too many would be replayed. */
static bool
check_fields(struct route_request *request, const struct json *body)
{
	static const char *const known[] = {"webhook", "since", "until", "state"};

	for (const struct json *field = body->first; field != NULL; field = field->next) {
		bool found = false;

		for (size_t i = 0; i < COUNT_OF(known); i++)
			found = found || slice_is(field->key, slice_of(known[i]));
		if (!found)
			return refuse(request, field->key, "is not a field of a replay");
		if (field->type != JSON_STRING)
			return refuse(request, field->key, "is not a text");
	}
	return true;
}

static bool
read_wanted(struct route_request *request, struct arena *arena, struct wanted *wanted)
{
	struct json_error error;
	struct json *body;

	body = json_read(arena, request->in->body, request->in->body_n, 0, BODY_DEPTH, &error);
	if (body == NULL || body->type != JSON_OBJECT)
		return refuse(request, SLICE("body"), "is not a JSON object");
	wanted->since = INT64_MIN;
	wanted->until = INT64_MAX;
	return check_fields(request, body) &&
	       read_date(request, json_get(body, "since"), &wanted->since) &&
	       read_date(request, json_get(body, "until"), &wanted->until) &&
	       read_state(request, json_get(body, "state"), wanted) &&
	       read_webhook(request, json_get(body, "webhook"), wanted);
}

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
		in_detail(request->in, 503, "There is no memory for the request.");
		return;
	}
	many->task = (struct task){.step = step_many, .gone = on_gone};
	many->wanted = *wanted;
	many->at = first_id(wanted->since);
	many->last = delivery_id(&last, UINT32_MAX);
	if (!task_begin(&many->task, request))
		free(many);
}

void
api_replay_many(struct route_request *request)
{
	struct wanted wanted = {0};
	struct arena arena;

	arena_init(&arena, BODY_MEMORY);
	if (read_wanted(request, &arena, &wanted))
		begin(request, &wanted);
	arena_free(&arena);
}
