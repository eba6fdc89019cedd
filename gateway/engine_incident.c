/*
 * What happens to an incident:
 *
 *             acknowledged              resolved
 *   TRIGGERED ───────────▶ ACKNOWLEDGED ────────▶ RESOLVED
 *       ▲  │                  │                      ▲
 *       │  └──────────────────┼──────────────────────┘
 *       └─ acknowledgement_timeout          auto_resolve_timeout
 *
 * Each arrow is one event, whose body is built once and stored once, with one delivery for each
 * webhook that wants it. The rows of incident and event are written before the deliveries, and
 * everything taken from a stored row is used before the next put.
 */
#include "gateway/engine_parts.h"

static const char *
event_name(uint8_t type)
{
	return type == EVENT_TRIGGERED ? "triggered"
	       : type == EVENT_RESOLVED ? "resolved"
					: "acknowledged";
}

struct incident
engine_incident(uint64_t number, const struct incident_row *row)
{
	return (struct incident){.number = number,
	    .unique_id = row->unique_id,
	    .status = row->status,
	    .urgency = row->urgency,
	    .created = row->created,
	    .acknowledged = row->acknowledged,
	    .resolved = row->resolved,
	    .title = row->title,
	    .summary = row->summary,
	    .incident_key = row->incident_key,
	    .priority = row->priority,
	    .sla = row->sla,
	    .escalation_policy = row->escalation_policy,
	    .tags = row->tags,
	    .assigned_to = row->assigned_to,
	    .task_template = row->task_template};
}

struct uuid
engine_head(uint64_t number, const struct incident_row *row)
{
	return row->status == INCIDENT_RESOLVED ? row->head : open_committed_head(number);
}

struct service_facts
engine_service_facts(const struct conf_service *service, int64_t now)
{
	struct service_facts facts = service->facts;

	if (facts.created == 0)
		facts.created = service->seen;
	facts.under_maintenance = conf_in_maintenance(service, now);
	facts.status = !service->enabled ? 0 : facts.under_maintenance ? 4 : 1;
	return facts;
}

static const struct user_facts *
find_user(struct slice username, struct user_facts *unknown)
{
	const struct conf_user *user = conf_user_by_name(engine.conf, username);

	if (username.n == 0)
		return NULL;
	if (user != NULL)
		return &user->facts;
	*unknown = (struct user_facts){.username = username};
	return unknown;
}

static void
write_body(const struct conf_service *service, int64_t wall, uint8_t type, uint64_t number,
    const struct incident_row *row)
{
	struct incident incident = engine_incident(number, row);
	struct service_facts facts = engine_service_facts(service, wall);
	struct user_facts unknown;

	buf_clear(&engine.body);
	incident_write_webhook(&engine.body, event_name(type), &incident, &facts,
	    find_user(row->assigned_to, &unknown));
}

/* Writes the incident as changed in row, and the event of that type. */
static void
make_event(struct txn *txn, const struct record *record, uint64_t number, struct incident_row *row,
    uint8_t type, uint32_t nth, const char *why)
{
	const struct conf_service *service = engine_service(row->service);
	struct event_row event = {.number = number,
	    .n = ++row->events,
	    .type = type,
	    .wall = record->wall,
	    .previous = row->last_event};
	struct uuid id = uuid_v7_after(&record->id, nth);

	id = delivery_id(&id, 0);
	row->last_event = id;
	buf_clear(&engine.body);
	if (service != NULL)
		write_body(service, record->wall, type, number, row);
	if (engine.body.failed) {
		engine_fail(txn);
		return;
	}
	event.body = buf_slice(&engine.body);
	incidents_put(txn, number, row);
	events_put(txn, &id, &event);
	if (service != NULL)
		delivery_create(txn, record, service, &id, &event);
	engine.watch->event(number, type, why);
}

/* ---- timers ------------------------------------------------------------------------------ */

/* When the incident's timer of that kind is due; 0: it has none. */
static int64_t
timer_time(const struct open_incident *incident, uint8_t kind)
{
	const struct conf_service *service = engine_service(incident->service);
	int64_t from, seconds;

	if (service == NULL)
		return 0;
	if (kind == TIMER_AUTO_RESOLVE) {
		from = incident->triggered;
		seconds = service->facts.auto_resolve_timeout;
	} else {
		from = incident->status == INCIDENT_ACKNOWLEDGED ? incident->acknowledged : 0;
		seconds = service->facts.acknowledgement_timeout;
	}
	return from == 0 || seconds == 0 ? 0 : from + seconds * 1000000;
}

static void
file_timer(struct txn *txn, const struct open_incident *incident, uint8_t kind)
{
	int64_t time = timer_time(incident, kind);

	if (time != 0)
		timers_put(txn,
		    &(struct timer_key){.time = time, .kind = kind, .number = incident->number});
}

void
incident_file_timers(struct txn *txn, const struct open_incident *incident)
{
	file_timer(txn, incident, TIMER_AUTO_RESOLVE);
	file_timer(txn, incident, TIMER_ACKNOWLEDGEMENT);
}

/* The row was a hint; the incident and the configuration decide: act, refile or drop. One that is
 * really due later is refiled even if that has passed too: what was due first happens first. */
void
incident_timer(struct txn *txn, const struct record *record, const struct timer_key *key,
    uint32_t event)
{
	struct open_incident *incident = open_by_number(key->number);
	int64_t time;

	timers_remove(txn, key);
	time = incident == NULL ? 0 : timer_time(incident, key->kind);
	if (time == 0)
		return;
	if (time > key->time)
		file_timer(txn, incident, key->kind);
	else if (key->kind == TIMER_AUTO_RESOLVE)
		incident_move(txn, record, incident, INCIDENT_RESOLVED, event,
		    "auto_resolve_timeout");
	else
		incident_move(txn, record, incident, INCIDENT_TRIGGERED, event,
		    "acknowledgement_timeout");
}

/* ---- changes ----------------------------------------------------------------------------- */

static void
close_incident(const struct record *record, struct open_incident *incident,
    struct incident_row *row)
{
	row->resolved = record->wall;
	row->resolved_steady = record->steady;
	row->head = incident->head;
	open_close(incident);
}

static uint8_t
event_of(enum incident_status status)
{
	return status == INCIDENT_TRIGGERED      ? EVENT_TRIGGERED
	       : status == INCIDENT_ACKNOWLEDGED ? EVENT_ACKNOWLEDGED
						 : EVENT_RESOLVED;
}

void
incident_move(struct txn *txn, const struct record *record, struct open_incident *incident,
    enum incident_status status, uint32_t event, const char *why)
{
	uint64_t number = incident->number;
	struct incident_row row;

	if (!incidents_get(txn, number, &row) || !open_touch(incident)) {
		engine_fail(txn);
		return;
	}
	row.status = (uint8_t)status;
	open_set_status(incident, status);
	if (status == INCIDENT_RESOLVED) {
		close_incident(record, incident, &row);
	} else if (status == INCIDENT_ACKNOWLEDGED) {
		row.acknowledged = record->wall;
		incident->acknowledged = record->steady;
	} else {
		incident->triggered = record->steady;
		incident->acknowledged = 0;
		row.acknowledged = 0;
	}
	make_event(txn, record, number, &row, event_of(status), event, why);
	if (status == INCIDENT_RESOLVED) {
		open_remove(txn, number);
		closed_put(txn, record->steady, number);
	} else {
		open_save(txn, incident);
		incident_file_timers(txn, incident);
	}
}

/* The record's random half, then the number: it needs no index, and is compared whole on read. */
static struct uuid
unique_id(const struct record *record, uint64_t number)
{
	struct uuid id;

	memcpy(id.b, record->salt, sizeof record->salt);
	put_u64(id.b + 8, number);
	return id;
}

static void
complete(const struct record *record, uint64_t number, struct incident_row *row)
{
	const struct conf_service *service = engine_service(row->service);

	row->unique_id = unique_id(record, number);
	row->status = INCIDENT_TRIGGERED;
	row->created = record->wall;
	row->title = incident_cut(&engine.arena, row->title, INCIDENT_TITLE_MAX);
	row->summary = incident_cut(&engine.arena, row->summary, INCIDENT_SUMMARY_MAX);
	if (row->escalation_policy.n == 0)
		row->escalation_policy = service->facts.escalation_policy;
	if (row->assigned_to.n == 0 && service->assigned_to != NULL)
		row->assigned_to = service->assigned_to->facts.username;
}

struct open_incident *
incident_create(struct txn *txn, const struct record *record, struct incident_row *row,
    const char *why)
{
	uint64_t number = engine.meta.next_number;
	struct open_incident *incident = open_add(number, row->service);

	complete(record, number, row);
	if (incident == NULL || engine.arena.failed ||
	    (row->integration != 0 && !open_link(incident, row->integration, row->incident_key))) {
		engine_fail(txn);
		return NULL;
	}
	engine.meta.next_number++;
	open_set_status(incident, INCIDENT_TRIGGERED);
	incident->unique_id = row->unique_id;
	incident->created = incident->triggered = record->steady;
	incident->head = row->head;
	row->head = (struct uuid){{0}}; /* until it is resolved */
	make_event(txn, record, number, row, EVENT_TRIGGERED, 0, why);
	open_save(txn, incident);
	incident_file_timers(txn, incident);
	return incident;
}
