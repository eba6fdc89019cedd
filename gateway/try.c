/*
 *     body ── ingest_elements ── ingest_read ── engine_try ── rows ── written
 *                                    │ observer               (and dropped by the caller)
 *                                    ▼
 *                               try_steps.c
 *
 * Elements of one body are tried one behind the other in one transaction, as they are applied.
 */
#include "gateway/engine.h"
#include "gateway/ids.h"
#include "gateway/ingest.h"
#include "gateway/try_parts.h"

const struct conf_integration *
try_find(const struct conf *conf, struct slice key)
{
	const struct conf_integration *found;

	found = conf_integration_find(conf, INTEGRATION_GENERIC, key);
	return found != NULL ? found : conf_integration_find(conf, INTEGRATION_PAGERTREE, key);
}

/* ---- what the engine tells ---------------------------------------------------------------- */

static struct {
	enum engine_outcome outcome;
	uint64_t number;
	const char *event;
} told;

static void
see_alert(const struct record *record, enum engine_outcome outcome, uint64_t number)
{
	(void)record;
	told.outcome = outcome;
	told.number = number;
}

static void
see_event(uint64_t number, uint8_t type, const char *why)
{
	(void)number, (void)why;
	told.event = type == EVENT_TRIGGERED ? "triggered"
		     : type == EVENT_RESOLVED ? "resolved"
					      : "acknowledged";
}

static void
see_head(const struct lane_key *key, const struct uuid *delivery, bool fresh)
{
	(void)key, (void)delivery, (void)fresh;
}

static void
see_dead(uint32_t webhook, uint64_t number, const char *reason, const char *why)
{
	(void)webhook, (void)number, (void)reason, (void)why;
}

static void
see_settled(uint32_t webhook, const struct delivery_row *row, int64_t age)
{
	(void)webhook, (void)row, (void)age;
}

static void
see_held(uint32_t webhook, bool held)
{
	(void)webhook, (void)held;
}

const struct engine_watch try_watch = {.alert = see_alert,
    .event = see_event,
    .head = see_head,
    .dead = see_dead,
    .settled = see_settled,
    .held = see_held};

/* ---- one alert ---------------------------------------------------------------------------- */

static void
put_text(struct json_writer *w, const char *key, struct slice text)
{
	json_key(w, key);
	if (text.p != NULL)
		json_string(w, text);
	else
		json_null(w);
}

static void
write_incident(struct json_writer *w, struct txn *txn)
{
	struct incident_row row;
	char id[ID22_TEXT];

	json_key(w, "incident");
	if (told.number == 0 || !incidents_get(txn, told.number, &row)) {
		json_null(w);
		return;
	}
	id22_text(&row.unique_id, id);
	json_open(w, '{');
	json_key(w, "incident_number");
	json_uint(w, told.number);
	json_key(w, "unique_id");
	json_text(w, id);
	json_close(w, '}');
}

static void
write_outcome(struct json_writer *w, struct txn *txn, const struct ingest_alert *alert,
    const struct record *record)
{
	struct trace_row trace = {.state = TRACE_FAILED};
	bool known = traces_get(txn, &record->alert.trace, &trace);

	json_key(w, "alert");
	json_raw(w, alert->alert.fields.n > 0 ? alert->alert.fields : SLICE("null"));
	put_text(w, "outcome", slice_of(engine_outcome_word(told.outcome)));
	put_text(w, "error", known && trace.state == TRACE_FAILED ? trace.error
								  : (struct slice){NULL, 0});
	write_incident(w, txn);
	put_text(w, "event", slice_of(told.event));
	try_send_write(w, txn, &trace.event, record->wall);
}

static void
try_alert(struct json_writer *w, struct txn *txn, const struct ingest *in,
    struct ingest_alert *alert, struct try_steps *steps)
{
	struct record record = ingest_record(in, alert);

	memset(&told, 0, sizeof told);
	engine_try(txn, &record, &try_watch);
	json_open(w, '{');
	try_steps_write(steps, w);
	write_outcome(w, txn, alert, &record);
	json_close(w, '}');
}

/* ---- the body ----------------------------------------------------------------------------- */

/* What became of reading: the status that the sender would be answered. */
static int
status_of(enum ingest_reading reading)
{
	return reading == INGEST_WRONG ? 400 : reading == INGEST_LARGE ? 413 : 200;
}

static int
try_elements(struct json_writer *w, struct txn *txn, struct ingest *in, struct slice *why)
{
	struct json *element = ingest_elements(in, &in->count, why);
	enum ingest_reading reading = element == NULL ? INGEST_WRONG : INGEST_READ;

	for (size_t i = 0; element != NULL && i < in->count && reading == INGEST_READ; i++) {
		struct ingest_alert alert = {.rules = {NULL, 0}};
		struct try_steps steps;
		struct observer observer = {try_steps_see, &steps};

		try_steps_init(&steps, in->arena);
		in->scope.observer = &observer;
		reading = ingest_read(in, element, &alert, why);
		if (reading == INGEST_READ)
			try_alert(w, txn, in, &alert, &steps);
		element = element->next;
	}
	return status_of(reading);
}

static int
try_text(struct json_writer *w, struct txn *txn, struct ingest *in, char *body, size_t n,
    struct slice *why)
{
	struct json_error error;

	in->body = json_read_body(in->arena, body, n, route_json_limits(), &error);
	if (in->body != NULL)
		return try_elements(w, txn, in, why);
	*why = arena_printf(in->arena, "%s (at byte %zu)", error.what, error.at);
	return 400;
}

void
try_body(struct json_writer *w, struct txn *txn, const struct conf_integration *integration,
    char *body, size_t n)
{
	struct arena arena;
	struct ingest in = {.integration = integration,
	    .door = integration->type == INTEGRATION_GENERIC ? &ingest_generic : &ingest_pagertree,
	    .arena = &arena,
	    .txn = txn};
	struct slice why = {NULL, 0};
	int status;

	arena_init(&arena, (size_t)route_conf()->limits.body * 64 + (1 << 20));
	json_open(w, '{');
	put_text(w, "integration", integration->name);
	put_text(w, "service", integration->service->facts.name);
	json_key(w, "alerts");
	json_open(w, '[');
	status = try_text(w, txn, &in, body, n, &why);
	json_close(w, ']');
	json_key(w, "status");
	json_int(w, status);
	put_text(w, "error", status == 200 && why.n == 0 ? (struct slice){NULL, 0} : why);
	json_close(w, '}');
	engine_settle(false);
	w->buf->failed = w->buf->failed || arena.failed || store_failed(txn);
	arena_free(&arena);
}
