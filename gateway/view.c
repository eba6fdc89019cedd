/*
 * A row of the log of deliveries is a row of the store, and a look at the jobs:
 *
 *   stored      time  job                shown
 *   waiting     any   out or settling    in_flight
 *   waiting     set                      waiting
 *   waiting     none                     held
 *   delivered, dead                      delivered, dead
 */
#include "gateway/view.h"

#include "gateway/engine.h"
#include "gateway/job.h"
#include "gateway/reason.h"
#include "proto/date.h"

static const char *const words[] = {[VIEW_WAITING] = "waiting",
    [VIEW_HELD] = "held",
    [VIEW_IN_FLIGHT] = "in_flight",
    [VIEW_DELIVERED] = "delivered",
    [VIEW_DEAD] = "dead"};

enum view_state
view_state(const struct uuid *id, const struct delivery_row *row)
{
	int job;

	if (row->state != DELIVERY_WAITING)
		return row->state == DELIVERY_DEAD ? VIEW_DEAD : VIEW_DELIVERED;
	job = job_state(delivery_webhook(id), row->number, id);
	if (job == JOB_FLIGHT || job == JOB_SETTLING)
		return VIEW_IN_FLIGHT;
	return row->next != 0 ? VIEW_WAITING : VIEW_HELD;
}

const char *
view_word(enum view_state state)
{
	return words[state];
}

enum view_state
view_state_of(struct slice word)
{
	enum view_state state = VIEW_WAITING;

	while (state < VIEW_STATES && !slice_is(word, slice_of(words[state])))
		state++;
	return state;
}

/* ---- members ----------------------------------------------------------------------------- */

static void
put_word(struct json_writer *w, const char *key, const char *word)
{
	json_key(w, key);
	if (word[0] == '\0')
		json_null(w);
	else
		json_text(w, word);
}

void
view_date(struct json_writer *w, const char *key, int64_t wall)
{
	char text[DATE_TEXT] = "";

	if (wall != 0)
		date_text(wall, text);
	put_word(w, key, text);
}

const char *
view_event(uint8_t type)
{
	return type == EVENT_TRIGGERED   ? "triggered"
	       : type == EVENT_RESOLVED ? "resolved"
					: "acknowledged";
}

void
view_webhook(struct json_writer *w, struct txn *txn, uint32_t webhook)
{
	const struct conf_webhook *conf = engine_webhook(webhook);
	struct name_row name;

	json_key(w, "webhook");
	if (conf != NULL)
		json_string(w, conf->name);
	else if (names_find(txn, NAME_WEBHOOK, webhook, &name))
		json_string(w, name.text);
	else
		json_null(w);
}

void
view_delivery(struct json_writer *w, struct txn *txn, const struct uuid *id,
    const struct delivery_row *row)
{
	char text[UUID_TEXT];

	uuid_text(id, text);
	put_word(w, "id", text);
	view_webhook(w, txn, delivery_webhook(id));
	json_key(w, "incident_number");
	json_uint(w, row->number);
	put_word(w, "event_type", view_event(row->event_type));
	put_word(w, "state", view_word(view_state(id, row)));
	view_date(w, "created", row->created);
	view_date(w, "next_attempt", row->next);
	json_key(w, "attempt_count");
	json_uint(w, row->attempts);
	put_word(w, "reason", reason_word(row->reason));
}

/* ---- attempts ---------------------------------------------------------------------------- */

static void
put_phase(struct json_writer *w, const char *key, uint32_t us)
{
	json_key(w, key);
	json_double(w, us / 1000.0);
}

void
view_attempt(struct json_writer *w, uint32_t n, const struct attempt_row *attempt)
{
	json_key(w, "n");
	json_uint(w, n);
	view_date(w, "time", attempt->wall);
	put_word(w, "reason", reason_word(attempt->reason));
	json_key(w, "status");
	if (attempt->status != 0)
		json_uint(w, attempt->status);
	else
		json_null(w);
	json_key(w, "reused");
	json_bool(w, attempt->reused);
	json_key(w, "phases_ms");
	json_open(w, '{');
	put_phase(w, "lookup", attempt->lookup);
	put_phase(w, "connect", attempt->connect);
	put_phase(w, "tls", attempt->tls);
	put_phase(w, "first_byte", attempt->first_byte);
	put_phase(w, "total", attempt->total);
	json_close(w, '}');
}

void
view_attempts(struct json_writer *w, struct txn *txn, const struct uuid *id,
    const struct delivery_row *row, uint32_t most)
{
	uint32_t n = row->attempts > most ? row->attempts - most : 0;
	struct attempt_row attempt;

	json_key(w, "attempts");
	json_open(w, '[');
	while (n++ < row->attempts) {
		if (!attempts_get(txn, id, n, &attempt))
			continue;
		json_open(w, '{');
		view_attempt(w, n, &attempt);
		json_close(w, '}');
	}
	json_close(w, ']');
}
