/*
 * POST of an alert (CONTRACT §3): key, body, alert, record; answered once the turn is committed.
 */
#include <stdio.h>

#include "gateway/apply.h"
#include "gateway/ids.h"
#include "gateway/log.h"
#include "gateway/route.h"
#include "gateway/server.h"
#include "proto/json_write.h"
#include "store/store.h"

/* Everything of one request; given back by the next one. */
static struct arena arena;

static void
log_rejected(const struct route_request *request, const struct conf_integration *integration,
    struct slice why)
{
	log_begin(LOG_LEVEL_INFO, "alert.rejected", "alert rejected");
	if (integration != NULL)
		log_text("labels.integration", integration->name);
	log_text("error.message", why);
	log_address("client.ip", &request->in->peer);
	log_number("http.response.status_code", request->in->reply.status);
	log_outcome(false);
	log_end();
}

static void
log_accepted(const struct route_request *request, const struct conf_integration *integration,
    const struct uuid *trace)
{
	log_begin(LOG_LEVEL_INFO, "alert.accepted", "alert accepted");
	log_uuid("trace.id", trace);
	log_text("labels.integration", integration->name);
	log_address("client.ip", &request->in->peer);
	log_end_after_commit();
}

static void
reject(struct route_request *request, const struct conf_integration *integration, struct slice why)
{
	struct json_writer w = route_reply(request, 400);

	json_open(&w, '{');
	json_key(&w, "error");
	json_text(&w, "This request can not be processed.");
	json_key(&w, "detail");
	json_string(&w, why);
	json_close(&w, '}');
	log_rejected(request, integration, why);
}

static void
unavailable(struct route_request *request, const char *why)
{
	in_detail(request->in, 503, why);
	log_rejected(request, NULL, slice_of(why));
}

/* The last two parts of the path are application and key; before them stands the account, where the
 * path has one. All that does not fit is the same 404. */
static struct conf_integration *
find_integration(const struct route_request *request)
{
	bool with_account = request->part[2].n > 0;
	struct slice key = request->part[with_account ? 2 : 1];

	if (with_account && !slice_is(request->part[0], route_conf()->account))
		return NULL;
	return conf_integration_by_key(route_conf(), INTEGRATION_GENERIC, key);
}

/* An entity id for an alert that has none: a UUID cut to 32 characters, as the vendor makes
 * them. */
static struct slice
make_entity(char text[UUID_TEXT])
{
	struct uuid id = ids_random_uuid();

	uuid_text(&id, text);
	return (struct slice){text, 32};
}

static bool
is_too_large(const struct alert *alert)
{
	return alert->message.n + alert->summary.n + alert->fields.n > RECORD_ALERT_MOST;
}

/* made lives as long as the alert: it may become its entity id. */
static bool
read_alert(struct route_request *request, const struct conf_integration *integration,
    struct slice made, struct alert *alert)
{
	struct json_error error;
	struct slice why;
	struct json *body;

	body = json_read(&arena, request->in->body, request->in->body_n, 0,
	    (int)route_conf()->limits.depth, &error);
	if (body == NULL) {
		reject(request, integration,
		    arena_printf(&arena, "%s (at byte %zu)", error.what, error.at));
		return false;
	}
	if (!alert_read(body, integration->default_alert_type, made, &arena, alert, &why)) {
		reject(request, integration, why);
		return false;
	}
	if (is_too_large(alert)) {
		route_detail(request, 413, "The alert is too large.");
		log_rejected(request, integration, SLICE("too large once it is written as JSON"));
		return false;
	}
	return true;
}

static void
accept_alert(struct route_request *request, const struct conf_integration *integration,
    const struct alert *alert)
{
	struct record record = apply_record(RECORD_ALERT, 1);
	struct in_reply *reply = &request->in->reply;
	char trace[UUID_TEXT];

	record.alert = (struct record_alert){.trace = ids_next(),
	    .alert_id = ids_next(),
	    .integration = integration->id,
	    .alert = *alert};
	log_accepted(request, integration, &record.alert.trace);
	if (!apply(&record)) {
		unavailable(request, "The request could not be stored.");
		return;
	}
	uuid_text(&record.alert.trace, trace);
	reply->status = 200;
	buf_printf(reply->body, "{\"message\": \"success\", \"trace_id\": \"%s\"}", trace);
	snprintf(reply->headers, sizeof reply->headers, "X-Trace-Id: %s\r\n", trace);
	in_park(request->in);
}

void
api_generic(struct route_request *request)
{
	struct conf_integration *integration = find_integration(request);
	char made[UUID_TEXT];
	struct alert alert;

	if (integration == NULL) {
		route_not_found(request);
		log_rejected(request, NULL, SLICE("unknown account or key, or disabled"));
		return;
	}
	if (server_full()) {
		unavailable(request, "The store is full.");
		return;
	}
	/* The tree of a hostile body is many times its size; this bounds it. */
	if (arena.ceiling == 0)
		arena_init(&arena, (size_t)route_conf()->limits.body * 64 + (1 << 20));
	arena_reset(&arena);
	if (read_alert(request, integration, make_entity(made), &alert))
		accept_alert(request, integration, &alert);
}
