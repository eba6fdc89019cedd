/*
 * The door for Zenduty's generic format (CONTRACT §3).
 */
#include "gateway/ingest.h"
#include "proto/json_write.h"

static void
refuse(struct route_request *request, int status, const char *shown, struct slice why)
{
	struct json_writer w;

	if (status != 400) {
		route_detail(request, status, shown);
		return;
	}
	w = route_reply(request, 400);
	json_open(&w, '{');
	json_key(&w, "error");
	json_text(&w, shown);
	json_key(&w, "detail");
	json_string(&w, why);
	json_close(&w, '}');
}

static void
write_trace(struct json_writer *w, const struct ingest_alert *alert)
{
	char trace[UUID_TEXT];

	uuid_text(&alert->trace, trace);
	json_text(w, trace);
}

static void
answer(struct ingest *in)
{
	struct json_writer w = route_reply(in->request, 200);

	json_open(&w, '{');
	json_key(&w, "message");
	json_text(&w, "success");
	json_key(&w, "trace_id");
	write_trace(&w, &in->alerts[0]);
	if (in->integration->split != NULL) {
		json_key(&w, "trace_ids");
		json_open(&w, '[');
		for (size_t i = 0; i < in->count; i++)
			write_trace(&w, &in->alerts[i]);
		json_close(&w, ']');
	}
	json_close(&w, '}');
}

const struct ingest_door ingest_generic = {.refuse = refuse, .read = ingest_read_generic,
    .answer = answer};

/* The last two parts of the path are application and key; before them stands the account, where the
 * path has one. All that does not fit is the same 404. */
void
api_generic(struct route_request *request)
{
	bool with_account = request->part[2].n > 0;
	struct slice key = request->part[with_account ? 2 : 1];
	struct ingest in = {.request = request, .door = &ingest_generic};

	if (!with_account || slice_is(request->part[0], route_conf()->account))
		in.integration = conf_integration_by_key(route_conf(), INTEGRATION_GENERIC, key);
	ingest(&in);
}
