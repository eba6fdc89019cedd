/*
 * Incidents and services as text.
 *
 *     incident_write_webhook   the outgoing webhook's body (CONTRACT §8); service is the object
 *     incident_write_api       the incidents API's object (CONTRACT §2); service is an id, the
 *                              object stands in service_object
 *
 * Both print exactly the vendor's keys in the vendor's order: its own client refuses unknown ones,
 * and receivers that sign what they parsed see the order.
 */
#include "proto/incident.h"

#include "proto/date.h"
#include "proto/utf8.h"

#define CONTEXT_WINDOW (INT64_C(30) * 60 * 1000000) /* us before the creation */

static const struct slice ellipsis = {"...", 3};

static void
write_text(struct json_writer *w, const char *key, struct slice text)
{
	json_key(w, key);
	json_string(w, text);
}

static void
write_text_or_null(struct json_writer *w, const char *key, struct slice text)
{
	json_key(w, key);
	if (text.n == 0)
		json_null(w);
	else
		json_string(w, text);
}

static void
write_null(struct json_writer *w, const char *key)
{
	json_key(w, key);
	json_null(w);
}

static void
write_int(struct json_writer *w, const char *key, int64_t n)
{
	json_key(w, key);
	json_int(w, n);
}

static void
write_date(struct json_writer *w, const char *key, int64_t us)
{
	char text[DATE_TEXT];

	json_key(w, key);
	if (us == 0) {
		json_null(w);
		return;
	}
	date_text(us, text);
	json_text(w, text);
}

static void
write_uuid(struct json_writer *w, const char *key, const struct uuid *id)
{
	char text[UUID_TEXT];

	uuid_text(id, text);
	json_key(w, key);
	json_text(w, text);
}

static void
write_id22(struct json_writer *w, const char *key, const struct uuid *id)
{
	char text[ID22_TEXT];

	id22_text(id, text);
	json_key(w, key);
	json_text(w, text);
}

/* A reference to something of the vendor's, which webhooks print without dashes. */
static void
write_reference(struct json_writer *w, const char *key, struct slice text, bool dashes)
{
	char hex[UUID_HEX];
	struct uuid id;

	if (dashes || !uuid_parse(text, &id)) {
		write_text_or_null(w, key, text);
		return;
	}
	uuid_hex(&id, hex);
	json_key(w, key);
	json_text(w, hex);
}

/* The keys that the service has in both texts. */
static void
write_service_facts(struct json_writer *w, const struct service_facts *s,
    const struct incident *incident, bool dashes)
{
	bool own = incident->task_template.n > 0;


	write_text(w, "name", s->name);
	write_date(w, "creation_date", s->created);
	write_text(w, "summary", s->summary);
	write_text(w, "description", s->description);
	write_uuid(w, "unique_id", &s->unique_id);
	write_int(w, "auto_resolve_timeout", s->auto_resolve_timeout);
	write_text_or_null(w, "created_by", s->created_by);
	write_reference(w, "team_priority", s->team_priority, dashes);
	write_reference(w, "task_template", own ? incident->task_template : s->task_template,
	    dashes);
	write_int(w, "acknowledgement_timeout", s->acknowledgement_timeout);
	write_int(w, "status", s->status);
	write_reference(w, "escalation_policy", s->escalation_policy, dashes);
	write_reference(w, "team", s->team, dashes);
	write_reference(w, "sla", s->sla, dashes);
	write_int(w, "collation_time", s->collation_time);
	write_int(w, "collation", s->collation);
}

static void
write_webhook_service(struct json_writer *w, const struct service_facts *service,
    const struct incident *incident)
{
	json_key(w, "service");
	json_open(w, '{');
	write_service_facts(w, service, incident, false);
	json_close(w, '}');
}

static void
write_api_service(struct json_writer *w, const struct service_facts *service,
    const struct incident *incident)
{
	json_key(w, "service_object");
	if (service == NULL) {
		json_null(w);
		return;
	}
	json_open(w, '{');
	write_service_facts(w, service, incident, true);
	json_key(w, "under_maintenance");
	json_bool(w, service->under_maintenance);
	json_close(w, '}');
}

static void
write_user(struct json_writer *w, const char *key, const struct user_facts *user)
{
	json_key(w, key);
	if (user == NULL) {
		json_null(w);
		return;
	}
	json_open(w, '{');
	write_text(w, "username", user->username);
	write_text(w, "first_name", user->first_name);
	write_text(w, "last_name", user->last_name);
	write_text(w, "email", user->email);
	json_close(w, '}');
}

/* summary to unique_id: how both texts begin. */
static void
write_beginning(struct json_writer *w, const struct incident *incident)
{
	write_text(w, "summary", incident->summary);
	json_key(w, "incident_number");
	json_uint(w, incident->number);
	write_date(w, "creation_date", incident->created);
	write_int(w, "status", (int64_t)incident->status);
	write_id22(w, "unique_id", &incident->unique_id);
}

static int64_t
cut_to_milliseconds(int64_t us)
{
	return us - us % 1000;
}

/* resolved_date to context_window_end. */
static void
write_dates(struct json_writer *w, const struct incident *incident)
{
	int64_t end = cut_to_milliseconds(incident->created);

	write_date(w, "resolved_date", incident->resolved);
	write_date(w, "acknowledged_date", incident->acknowledged);
	write_date(w, "context_window_start", end == 0 ? 0 : end - CONTEXT_WINDOW);
	write_date(w, "context_window_end", end);
}

static void
write_webhook_incident(struct json_writer *w, const struct incident *incident,
    const struct service_facts *service, const struct user_facts *user)
{
	json_open(w, '{');
	write_beginning(w, incident);
	write_text(w, "title", incident->title);
	write_text_or_null(w, "incident_key", incident->incident_key);
	write_webhook_service(w, service, incident);
	write_text_or_null(w, "priority", incident->priority);
	write_int(w, "urgency", incident->urgency);
	write_null(w, "merged_with");
	write_user(w, "assigned_to", user);
	write_dates(w, incident);
	json_close(w, '}');
}

void
incident_write_webhook(struct buf *buf, const char *event_type, const struct incident *incident,
    const struct service_facts *service, const struct user_facts *user)
{
	struct json_writer w = {.buf = buf};

	json_open(&w, '{');
	json_key(&w, "payload");
	json_open(&w, '{');
	json_key(&w, "event_type");
	json_text(&w, event_type);
	json_key(&w, "incident");
	write_webhook_incident(&w, incident, service, user);
	json_close(&w, '}');
	json_close(&w, '}');
}

static void
write_tags(struct json_writer *w, struct slice tags)
{
	json_key(w, "tags");
	json_raw(w, tags.n == 0 ? SLICE("[]") : tags);
}

static void
write_service_id(struct json_writer *w, const struct service_facts *service)
{
	if (service == NULL)
		write_null(w, "service");
	else
		write_uuid(w, "service", &service->unique_id);
}

void
incident_write_api(struct json_writer *w, const struct incident *incident,
    const struct service_facts *service)
{
	json_open(w, '{');
	write_beginning(w, incident);
	write_api_service(w, service, incident);
	write_text(w, "title", incident->title);
	write_text_or_null(w, "incident_key", incident->incident_key);
	write_service_id(w, service);
	write_int(w, "urgency", incident->urgency);
	write_null(w, "merged_with");
	write_text_or_null(w, "assigned_to", incident->assigned_to);
	write_text_or_null(w, "escalation_policy", incident->escalation_policy);
	write_null(w, "escalation_policy_object");
	write_text(w, "assigned_to_name", SLICE(""));
	write_dates(w, incident);
	write_tags(w, incident->tags);
	write_text_or_null(w, "sla", incident->sla);
	write_null(w, "sla_object");
	write_text_or_null(w, "team_priority", incident->priority);
	write_null(w, "team_priority_object");
	json_close(w, '}');
}

struct slice
incident_cut(struct arena *arena, struct slice text, size_t max)
{
	struct slice kept;
	char *copy;

	if (text.n <= max)
		return text;
	if (max < ellipsis.n)
		return utf8_cut(text, max);
	kept = utf8_cut(text, max - ellipsis.n);
	copy = arena_alloc(arena, kept.n + ellipsis.n);
	if (copy == NULL)
		return (struct slice){NULL, 0};
	memcpy(copy, kept.p, kept.n);
	memcpy(copy + kept.n, ellipsis.p, ellipsis.n);
	return (struct slice){copy, kept.n + ellipsis.n};
}
