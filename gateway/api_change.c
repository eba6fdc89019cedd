/*
 * POST of an incident, PATCH and PUT of one, POST of a note on it (CONTRACT §2). Judged whole, then
 * one record; answered with what the turn makes of it, once that is committed. While applying is
 * paused this goes on: the pause is for alerts.
 */
#include "gateway/apply.h"
#include "gateway/change.h"
#include "gateway/server.h"
#include "gateway/turn.h"
#include "gateway/view.h"

enum { BODY_MEMORY = 8 << 20, NOTE_MOST = 64 << 10 };

static const char unstored[] = "The request could not be stored.";

/* The incident as this turn leaves it. */
static void
answer(struct route_request *request, int status, uint64_t number)
{
	struct txn *txn = turn_write();
	struct incident_row row;
	struct json_writer w;

	if (txn == NULL || !incidents_get(txn, number, &row)) {
		in_unavailable(request->in, unstored);
		return;
	}
	w = route_reply(request, status);
	view_incident(&w, number, &row);
	in_park(request->in);
}

/* What makes more rows is refused while the store has room left only for what is promised. */
static bool
has_room(struct route_request *request)
{
	if (server_full())
		in_unavailable(request->in, "The store is full.");
	return !server_full();
}

/* Calls handle with the body and an arena for it. */
static void
with_body(struct route_request *request,
    void (*handle)(struct route_request *, struct arena *, const struct json *body))
{
	const struct json *body;
	struct arena arena;

	arena_init(&arena, BODY_MEMORY);
	body = route_body(request, &arena);
	if (body != NULL)
		handle(request, &arena, body);
	arena_free(&arena);
}

/* The incident of the path, as it is committed; false: the request is answered. */
static bool
find(struct route_request *request, uint64_t *number, struct incident_row *row)
{
	struct txn *txn = turn_read();

	if (txn == NULL)
		in_unavailable(request->in, "The store cannot be read.");
	else if (!view_find(txn, request->part[0], number, row))
		route_not_found(request);
	else
		return true;
	return false;
}

/* ---- a new one --------------------------------------------------------------------------- */

static bool
read_service(struct route_request *request, const struct json *value, uint32_t *service)
{
	const struct conf_service *found;
	struct uuid id;

	if (value == NULL)
		return route_refuse(request, SLICE("service"), "is required");
	if (value->type != JSON_STRING || !uuid_parse(value->text, &id))
		return route_refuse(request, SLICE("service"), "is not a unique id");
	found = conf_service_by_id(route_conf(), &id);
	if (found == NULL)
		return route_refuse(request, SLICE("service"), "is no service's unique id");
	*service = found->id;
	return true;
}

static void
create(struct route_request *request, struct arena *arena, const struct json *body)
{
	struct record record = apply_record(RECORD_CREATE, RECORD_CREATE_IDS);
	struct record_incident *new = &record.incident;
	uint64_t number = engine_meta()->next_number;

	*new = (struct record_incident){0};
	if (!read_service(request, json_get(body, "service"), &new->service) ||
	    !change_read(request, arena, body, (struct slice){NULL, 0}, new))
		return;
	if (!(new->fields & FIELD_TITLE))
		route_refuse(request, SLICE("title"), "is required");
	else if (!apply_for(request, &record))
		in_unavailable(request->in, unstored);
	else
		answer(request, 201, number);
}

void
api_incident_create(struct route_request *request)
{
	if (has_room(request))
		with_body(request, create);
}

/* ---- a change ---------------------------------------------------------------------------- */

/* By this turn, in which it may have been resolved already. */
static bool
may_be_opened(struct route_request *request, const struct record_incident *change)
{
	struct txn *txn = turn_write();
	struct incident_row row;

	if (!(change->fields & FIELD_STATUS) || change->to.status == INCIDENT_RESOLVED ||
	    txn == NULL || !incidents_get(txn, change->number, &row) ||
	    row.status != INCIDENT_RESOLVED)
		return true;
	return route_refuse(request, SLICE("status"), "a resolved incident cannot be reopened");
}

static void
change(struct route_request *request, struct arena *arena, const struct json *body)
{
	struct record record = apply_record(RECORD_CHANGE, 1);
	struct record_incident *new = &record.incident;
	struct incident_row row;

	*new = (struct record_incident){0};
	if (!find(request, &new->number, &row) ||
	    !change_read(request, arena, body, row.assigned_to, new) ||
	    !may_be_opened(request, new))
		return;
	if (!apply_for(request, &record))
		in_unavailable(request->in, unstored);
	else
		answer(request, 200, new->number);
}

void
api_incident_change(struct route_request *request)
{
	with_body(request, change);
}

/* ---- a note ------------------------------------------------------------------------------ */

static bool
read_note(struct route_request *request, const struct json *value, struct slice *text)
{
	const struct slice name = SLICE("note");

	if (value == NULL)
		return route_refuse(request, name, "is required");
	if (value->type != JSON_STRING)
		return route_refuse(request, name, "is not a text");
	if (value->text.n == 0)
		return route_refuse(request, name, "is empty");
	if (value->text.n > NOTE_MOST)
		return route_refuse(request, name, "is longer than 64 KiB");
	*text = value->text;
	return true;
}

static void
note(struct route_request *request, struct arena *arena, const struct json *body)
{
	struct record record = apply_record(RECORD_NOTE, 1);
	struct incident_row row;
	struct json_writer w;

	(void)arena;
	record.note = (struct record_note){0};
	if (!find(request, &record.note.number, &row) ||
	    !read_note(request, json_get(body, "note"), &record.note.text))
		return;
	if (request->token != NULL)
		record.note.user = request->token->name;
	if (!apply(&record)) {
		in_unavailable(request->in, unstored);
		return;
	}
	w = route_reply(request, 201);
	view_note(&w, record.note.number, &record.id,
	    &(struct note_row){record.wall, record.note.user, record.note.text});
	in_park(request->in);
}

void
api_note(struct route_request *request)
{
	if (has_room(request))
		with_body(request, note);
}
