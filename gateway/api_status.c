/*
 * What became of an alert, by its trace id (CONTRACT §4). Anybody may ask that; with ?detail=1 a
 * token's holder also learns which rules matched and what the webhooks were told of it:
 *
 *   trace ─▶ alert: rules, entity id
 *     └────▶ event ─▶ its deliveries, one for each webhook ─▶ their attempts
 */
#include "gateway/engine.h"
#include "gateway/expire.h"
#include "gateway/route.h"
#include "gateway/turn.h"
#include "gateway/view.h"

/* The newest attempts of each delivery, as long as the answer does not get larger than that. */
enum { ATTEMPTS_MOST = 50, BODY_MOST = 1 << 20 };

static void
write_incident(struct json_writer *w, const struct trace_row *trace)
{
	char id[ID22_TEXT];

	if (trace->number == 0) {
		json_null(w);
		return;
	}
	id22_text(&trace->unique_id, id);
	json_open(w, '{');
	json_key(w, "incident_number");
	json_uint(w, trace->number);
	json_key(w, "unique_id");
	json_text(w, id);
	json_close(w, '}');
}

static void
write_completed(struct json_writer *w, const struct trace_row *trace)
{
	const struct conf_integration *integration = engine_integration(trace->integration);
	char alert[ID22_TEXT];

	id22_text(&trace->alert, alert);
	json_key(w, "alert");
	json_text(w, alert);
	json_key(w, "incident");
	write_incident(w, trace);
	json_key(w, "integration");
	json_open(w, '{');
	json_key(w, "name");
	if (integration != NULL)
		json_string(w, integration->name);
	else
		json_null(w);
	json_close(w, '}');
	json_key(w, "is_incident_created");
	json_bool(w, trace->created);
	json_key(w, "status");
	json_text(w, "completed");
	json_key(w, "suppressed");
	json_bool(w, trace->suppressed);
}

static void
write_members(struct json_writer *w, const struct trace_row *trace)
{
	if (trace->state == TRACE_COMPLETED) {
		write_completed(w, trace);
	} else {
		json_key(w, "status");
		json_text(w, trace->state == TRACE_QUEUED ? "queued" : "failed");
	}
	if (trace->state == TRACE_FAILED) {
		json_key(w, "error");
		json_string(w, trace->error);
	}
}

/* ---- detail ------------------------------------------------------------------------------ */

/* Of the alert as it was applied; one that waits or has failed is not there. */
static void
write_alert(struct json_writer *w, struct txn *txn, const struct uuid *id)
{
	struct alert_row alert;
	bool known = alerts_get(txn, id, &alert);

	json_key(w, "rules");
	json_raw(w, known && alert.rules.n > 0 ? alert.rules : SLICE("[]"));
	json_key(w, "entity_id");
	if (known)
		json_string(w, alert.entity_id);
	else
		json_null(w);
}

static void
write_delivery(struct json_writer *w, struct txn *txn, const struct uuid *id,
    const struct delivery_row *row)
{
	json_open(w, '{');
	view_webhook(w, txn, delivery_webhook(id));
	json_key(w, "state");
	json_text(w, view_word(view_state(id, row)));
	view_attempts(w, txn, id, row, ATTEMPTS_MOST);
	view_date(w, "next_attempt", row->next);
	json_close(w, '}');
}

static void
write_deliveries(struct json_writer *w, struct txn *txn, const struct uuid *event)
{
	struct delivery_row row;
	struct uuid id = *event, of;

	json_key(w, "deliveries");
	json_open(w, '[');
	while (!uuid_is_zero(event) && w->buf->n < BODY_MOST && deliveries_after(txn, &id, &row)) {
		of = delivery_event(&id);
		if (uuid_compare(&of, event) != 0)
			break;
		write_delivery(w, txn, &id, &row);
		id = delivery_id(event, delivery_webhook(&id) + 1);
	}
	json_close(w, ']');
}

static void
write_detail(struct json_writer *w, struct txn *txn, const struct trace_row *trace)
{
	json_key(w, "detail");
	json_open(w, '{');
	write_alert(w, txn, &trace->alert);
	write_deliveries(w, txn, &trace->event);
	json_close(w, '}');
}

/* ---- the request ------------------------------------------------------------------------- */

void
api_status(struct route_request *request)
{
	bool detail = slice_is(route_query(request, "detail"), SLICE("1"));
	struct json_writer w;
	struct trace_row trace;
	struct txn *txn;
	struct uuid id;

	if (detail && !route_admit(request))
		return;
	if (!uuid_parse(request->part[0], &id) || uuid_v7_ms(&id) < expire_trace_horizon()) {
		route_not_found(request);
		return;
	}
	txn = turn_read();
	if (txn == NULL) {
		in_unavailable(request->in, "The store cannot be read.");
	} else if (!traces_get(txn, &id, &trace)) {
		route_not_found(request);
	} else {
		w = route_reply(request, 200);
		json_open(&w, '{');
		write_members(&w, &trace);
		if (detail)
			write_detail(&w, txn, &trace);
		json_close(&w, '}');
	}
}
