/* Liveness, readiness, and the switches: applying alerts, one webhook's deliveries (CONTRACT §2,
 * §5). */
#include "gateway/apply.h"
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

void
api_ready(struct route_request *request)
{
	const char *why = server_unready();

	answer_word(request, why == NULL ? 200 : 503, why == NULL ? "ready" : why);
}

/* Applies a switch's record and answers word once it lasts. */
static void
throw_switch(struct route_request *request, const struct record *record, const char *word)
{
	if (!apply(record)) {
		in_detail(request->in, 503, "The switch could not be stored.");
		return;
	}
	answer_word(request, 200, word);
	in_park(request->in);
}

void
api_pause(struct route_request *request)
{
	struct record record = apply_record(RECORD_PAUSE, 0);

	throw_switch(request, &record, "paused");
}

void
api_resume(struct route_request *request)
{
	struct record record = apply_record(RECORD_RESUME, 0);

	throw_switch(request, &record, "resumed");
}

static void
switch_webhook(struct route_request *request, enum record_kind kind, const char *word)
{
	struct conf_webhook *webhook = conf_webhook_by_name(route_conf(), request->part[0]);
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
