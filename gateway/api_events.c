/*
 * The door for Zenduty's older events API (CONTRACT §3): the generic format, answered with the
 * event object. It says at once which incident the alert touched, so it is written when the alert
 * is applied, and sent when that is committed.
 */
#include "gateway/ids.h"
#include "gateway/ingest.h"
#include "gateway/turn.h"
#include "gateway/view.h"
#include "proto/json_find.h"

static void
refuse(struct route_request *request, int status, const char *shown, struct slice why)
{
	struct json_writer w;
	struct buf text;

	if (status != 400) {
		route_detail(request, status, shown);
		return;
	}
	w = route_reply(request, status);
	buf_init(&text, 1024);
	buf_printf(&text, "%s %.*s", shown, (int)why.n, why.p);
	json_open(&w, '{');
	json_key(&w, "detail");
	json_string(&w, buf_slice(&text));
	json_close(&w, '}');
	buf_free(&text);
}

/* ---- what an event shows of the alert's fields -------------------------------------------- */

static void
put_field(struct json_writer *w, struct slice fields, const char *key, struct slice absent)
{
	struct slice value = json_find(fields, key);

	json_key(w, key);
	json_raw(w, value.n > 0 ? value : absent);
}

/* A link has an id in an event. */
static void
put_link(struct json_writer *w, const struct json *link)
{
	struct uuid id = ids_random_uuid();
	char text[UUID_TEXT];

	uuid_text(&id, text);
	json_open(w, '{');
	json_key(w, "unique_id");
	json_text(w, text);
	for (const struct json *member = link->first; member != NULL; member = member->next) {
		json_key_slice(w, member->key);
		json_tree(w, member);
	}
	json_close(w, '}');
}

static void
put_links(struct json_writer *w, struct arena *arena, struct slice fields)
{
	struct slice text = arena_copy(arena, json_find(fields, "urls"));
	struct json_error error;
	struct json *links = NULL;

	if (text.n > 0)
		links = json_read(arena, (char *)(uintptr_t)text.p, text.n, 0, 3, &error);
	json_key(w, "urls");
	json_open(w, '[');
	if (links != NULL)
		for (const struct json *link = links->first; link != NULL; link = link->next)
			put_link(w, link);
	json_close(w, ']');
}

/* Without a payload it is null: the vendor's client in Go takes no object there. */
static struct slice
make_fields(struct arena *arena, struct slice fields)
{
	struct buf buf;
	struct json_writer w = {.buf = &buf};

	buf_init_arena(&buf, arena);
	json_open(&w, '{');
	put_field(&w, fields, "message", SLICE("\"\""));
	put_field(&w, fields, "summary", SLICE("\"\""));
	put_field(&w, fields, "payload", SLICE("null"));
	put_links(&w, arena, fields);
	json_close(&w, '}');
	return buf.failed ? fields : buf_slice(&buf);
}

/* ---- the answer -------------------------------------------------------------------------- */

/* The incident that the alert touched; 0: none, or it is queued. */
static uint64_t
find_number(const struct ingest_alert *alert)
{
	struct txn *txn = turn_write();
	struct trace_row trace;

	return txn != NULL && traces_get(txn, &alert->trace, &trace) ? trace.number : 0;
}

static void
answer(struct ingest *in)
{
	struct json_writer w = route_reply(in->request, 201);
	const struct ingest_alert *alert = &in->alerts[0];
	struct alert_row row = {.number = find_number(alert),
	    .integration = in->integration->id,
	    .type = (uint8_t)alert->alert.type,
	    .suppressed = alert->alert.suppressed,
	    .wall = alert->wall,
	    .entity_id = alert->alert.entity_id,
	    .fields = make_fields(in->arena, alert->alert.fields)};

	view_alert(&w, &alert->id, &row, true);
}

static const struct ingest_door door = {.refuse = refuse, .read = ingest_read_generic,
    .answer = answer};

void
api_events(struct route_request *request)
{
	struct ingest in = {.request = request, .door = &door};

	in.integration =
	    conf_integration_by_key(route_conf(), INTEGRATION_GENERIC, request->part[0]);
	ingest(&in);
}
