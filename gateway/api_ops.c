/* Liveness, readiness, and the switches: applying alerts, one webhook's deliveries (CONTRACT §2,
 * §5). */
#include "gateway/apply.h"
#include "gateway/job.h"
#include "gateway/log.h"
#include "gateway/route.h"
#include "gateway/server.h"
#include "gateway/turn.h"
#include "proto/json_write.h"

static void
answer_word(struct route_request *request, int status, const char *word)
{
	struct json_writer w = route_reply(request, status);

	json_open(&w, '{');
	json_key(&w, "status");
	json_text(&w, word);
	json_close(&w, '}');
}

void
api_healthy(struct route_request *request)
{
	answer_word(request, 200, "healthy");
}

static void
write_webhook(struct json_writer *w, const struct conf_webhook *webhook)
{
	json_open(w, '{');
	json_key(w, "webhook");
	json_string(w, webhook->name);
	json_key(w, "breaker_open");
	json_bool(w, job_breaker_open(webhook->id));
	json_key(w, "paused");
	json_bool(w, engine_held(webhook->id));
	json_key(w, "waiting");
	json_uint(w, engine_waiting(webhook->id));
	json_key(w, "in_flight");
	json_int(w, job_flying(webhook->id));
	json_close(w, '}');
}

/* With ?detail=1, for those who may read the API: every webhook's state beside the word. */
void
api_ready(struct route_request *request)
{
	bool detail = slice_is(route_query(request, "detail"), SLICE("1"));
	const struct conf *conf = route_conf();
	const char *why = server_unready();
	struct json_writer w;

	if (detail && !route_admit(request))
		return;
	w = route_reply(request, why == NULL ? 200 : 503);
	request->in->reply.report = true;
	json_open(&w, '{');
	json_key(&w, "status");
	json_text(&w, why == NULL ? "ready" : why);
	if (detail) {
		json_key(&w, "applying_paused");
		json_bool(&w, engine_paused());
		json_key(&w, "webhooks");
		json_open(&w, '[');
		for (size_t i = 0; i < conf->webhook_count; i++)
			write_webhook(&w, &conf->webhooks[i]);
		json_close(&w, ']');
	}
	json_close(&w, '}');
}

/* Applies a switch's record and answers word once it lasts. */
static void
throw_switch(struct route_request *request, const struct record *record, const char *word)
{
	if (!apply_for(request, record)) {
		in_unavailable(request->in, "The switch could not be stored.");
		return;
	}
	answer_word(request, 200, word);
	in_park(request->in);
}

void
api_pause(struct route_request *request)
{
	struct record record = apply_record(RECORD_PAUSE, 0);

	log_begin(LOG_LEVEL_WARNING, "server.warning", "applying alerts is paused");
	route_log_who(request);
	log_end_after_commit();
	throw_switch(request, &record, "paused");
}

void
api_resume(struct route_request *request)
{
	struct record record = apply_record(RECORD_RESUME, 0);

	log_begin(LOG_LEVEL_INFO, "server.warning", "applying alerts is resumed");
	route_log_who(request);
	log_end_after_commit();
	throw_switch(request, &record, "resumed");
}

static void
switch_webhook(struct route_request *request, enum record_kind kind, const char *word)
{
	char name[1024];
	struct conf_webhook *webhook = conf_webhook_by_name(route_conf(),
	    route_decode(request->part[0], name, sizeof name));
	struct record record;

	if (webhook == NULL) {
		route_not_found(request);
		return;
	}
	record = apply_record(kind, 0);
	record.webhook = webhook->id;
	throw_switch(request, &record, word);
}

void
api_webhook_pause(struct route_request *request)
{
	switch_webhook(request, RECORD_HOLD, "paused");
}

void
api_webhook_resume(struct route_request *request)
{
	switch_webhook(request, RECORD_RELEASE, "resumed");
}
