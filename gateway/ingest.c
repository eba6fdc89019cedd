/*
 * From a request to records (CONTRACT §3): admitted, parsed, made alerts, applied in the turn's
 * transaction, answered once that is committed. A door may make several alerts of one request; all
 * of them are applied in the same transaction.
 */
#include "gateway/ingest.h"

#include <stdio.h>

#include "gateway/apply.h"
#include "gateway/clock.h"
#include "gateway/ids.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/rate.h"
#include "gateway/server.h"

static const char cannot[] = "This request can not be processed.";

/* Everything of one request, and of one of its further alerts; given back by the next one. */
static struct arena arena, others;

/* ---- refused ----------------------------------------------------------------------------- */

static void
log_rejected(const struct ingest *in, const char *message, int status, struct slice why)
{
	log_begin(LOG_LEVEL_INFO, "alert.rejected", "%s", message);
	if (in->integration != NULL)
		log_text("labels.integration", in->integration->name);
	log_text("error.message", why);
	log_address("client.ip", &in->request->in->peer);
	log_number("http.response.status_code", status);
	log_outcome(false);
	log_end();
}

void
ingest_refuse(const struct ingest *in, int status, const char *shown, struct slice why)
{
	if (in->arena != NULL && in->arena->denied) { /* so it is not the alert's fault */
		status = 503;
		shown = "No memory.";
		why = slice_of(shown);
	}
	in->door->refuse(in->request, status, shown, why);
	log_rejected(in, "alert rejected", status, why);
}

static void
unavailable(const struct ingest *in, const char *why)
{
	ingest_refuse(in, 503, why, slice_of(why));
}

/* What is over the integration's limit is refused unread. */
static bool
is_within_limit(const struct ingest *in)
{
	const struct conf_integration *integration = in->integration;
	struct in_reply *reply = &in->request->in->reply;
	int64_t wait = 0;

	if (integration->rate_per_minute > 0)
		wait = rate_take(integration->id, integration->rate_per_minute,
		    integration->rate_burst, clock_steady());
	if (wait == 0)
		return true;
	ingest_refuse(in, 429, "Too many requests.", SLICE("over the integration's rate_limit"));
	snprintf(reply->headers, sizeof reply->headers, "Retry-After: %lld\r\n",
	    (long long)((wait + CLOCK_S - 1) / CLOCK_S));
	return false;
}

static bool
admit(const struct ingest *in)
{
	if (in->integration == NULL) {
		ingest_refuse(in, 404, "Not Found.", SLICE("unknown account or key, or disabled"));
		return false;
	}
	if (server_full()) {
		unavailable(in, "The store is full.");
		return false;
	}
	return is_within_limit(in);
}

/* ---- read -------------------------------------------------------------------------------- */

static bool
parse(struct ingest *in)
{
	struct in_request *request = in->request->in;
	struct json_error error;
	char why[sizeof error.what + 40];
	int n;

	/* The tree of a hostile body is many times its size; this bounds it. */
	arena.ceiling = (size_t)route_conf()->limits.body * 64 + (1 << 20);
	arena_reset(&arena);
	in->arena = &arena;
	in->body = json_read_body(&arena, request->body, request->body_n, route_json_limits(),
	    &error);
	if (in->body != NULL)
		return true;
	n = snprintf(why, sizeof why, "%s (at byte %zu)", error.what, error.at);
	ingest_refuse(in, 400, cannot, (struct slice){why, (size_t)n});
	return false;
}

struct slice
ingest_make_entity(struct ingest *in, size_t n)
{
	struct uuid id = ids_random_uuid();
	char text[UUID_TEXT];

	uuid_text(&id, text);
	return arena_copy(in->arena, (struct slice){text, n});
}

enum ingest_reading
ingest_read_generic(struct ingest *in, struct json *body, struct ingest_alert *alert,
    struct slice *why)
{
	struct slice made = ingest_make_entity(in, 32); /* as the vendor makes them */

	alert->payload = json_get(body, "payload");
	return alert_read(body, in->integration->default_alert_type, made, in->arena,
		   &alert->alert, why)
		   ? INGEST_READ
		   : INGEST_WRONG;
}

/* False when it is refused. */
static bool
read_alert(struct ingest *in, struct json *element, struct ingest_alert *alert)
{
	struct slice why = SLICE("");

	switch (ingest_read(in, element, alert, &why)) {
	case INGEST_READ:
		return true;
	case INGEST_NOTHING:
		log_rejected(in, "alert ignored", 200, why);
		metrics_ignored(in->integration->id);
		in->count = 0;
		return true;
	case INGEST_WRONG:
		ingest_refuse(in, 400, cannot, why);
		return false;
	case INGEST_LARGE:
		ingest_refuse(in, 413, "The alert is too large.",
		    SLICE("too large once it is written as JSON"));
		return false;
	}
	return false;
}

/* ---- recorded ---------------------------------------------------------------------------- */

static void
log_accepted(const struct ingest *in, const struct ingest_alert *alert)
{
	log_begin(LOG_LEVEL_INFO, "alert.accepted", "alert accepted");
	log_uuid("trace.id", &alert->trace);
	log_text("labels.integration", in->integration->name);
	log_address("client.ip", &in->request->in->peer);
	log_end_after_commit();
}

struct record
ingest_record(const struct ingest *in, struct ingest_alert *alert)
{
	struct record made = apply_record(RECORD_ALERT, 1);

	alert->trace = ids_next(made.steady);
	alert->id = ids_next(made.steady);
	alert->wall = made.wall;
	made.alert = (struct record_alert){.trace = alert->trace,
	    .alert_id = alert->id,
	    .integration = in->integration->id,
	    .alert = alert->alert,
	    .failure = alert->failure,
	    .rules = alert->rules,
	    .similar = alert->similar};
	return made;
}

/* If it cannot be applied the turn fails, and with it those before it. */
static bool
record(struct ingest *in, struct ingest_alert *alert)
{
	struct record made = ingest_record(in, alert);

	log_accepted(in, alert);
	if (apply(&made))
		return true;
	unavailable(in, "The request could not be stored.");
	return false;
}

/* The first alert is still needed for the answer; others make room for each other. */
static void
make_room(struct ingest *in)
{
	if (others.ceiling == 0)
		arena_init(&others, arena.ceiling);
	arena_reset(&others);
	in->arena = &others;
}

/* One after the other, since what one does is seen by the rules of the next. */
static bool
record_all(struct ingest *in)
{
	struct slice why = SLICE("");
	struct json *element = ingest_elements(in, &in->count, &why);

	if (element == NULL) {
		ingest_refuse(in, 400, cannot, why);
		return false;
	}
	in->alerts = in->count == 1 ? &in->one
				    : arena_zalloc(&arena, in->count * sizeof *in->alerts);
	if (in->alerts == NULL) {
		unavailable(in, in_no_memory);
		return false;
	}
	for (size_t i = 0; i < in->count; i++, element = element->next) {
		if (i > 0)
			make_room(in);
		if (!read_alert(in, element, &in->alerts[i]))
			return false;
		if (in->count > 0 && !record(in, &in->alerts[i]))
			return false;
	}
	return true;
}

static void
write_trace_header(char *to, const struct uuid *trace)
{
	static const char name[] = "X-Trace-Id: ", end[] = "\r\n";

	memcpy(to, name, sizeof name - 1);
	to += sizeof name - 1;
	uuid_text(trace, to);
	memcpy(to + UUID_TEXT - 1, end, sizeof end);
}

static void
answer(struct ingest *in)
{
	if (in->count > 0)
		write_trace_header(in->request->in->reply.headers, &in->alerts[0].trace);
	in->door->answer(in);
	if (in->count > 0)
		in_park(in->request->in);
}

void
ingest(struct ingest *in)
{
	if (admit(in) && parse(in) && record_all(in))
		answer(in);
}
