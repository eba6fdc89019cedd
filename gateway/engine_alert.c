/*
 * An accepted alert becomes an outcome (CONTRACT §5):
 *
 *   mapping, rules (done at accept) → maintenance → suppression → threshold → correlation
 *
 * and two rows: its trace, and the alert itself, linked to the one before it in the same incident.
 */
#include "gateway/engine_parts.h"

static const char under_maintenance[] = "Your service is under maintenance";

/* What the alert did, on its way into its two rows. */
struct applied {
	enum engine_outcome outcome;
	uint64_t number;
	struct uuid unique_id;
	struct uuid previous;           /* alert of the same incident */
	bool event;                     /* it used the record's event id */
	struct slice error;
};

static void
join(struct applied *applied, const struct record *record, struct open_incident *incident)
{
	applied->outcome = OUTCOME_JOINED;
	applied->number = incident->number;
	applied->unique_id = incident->unique_id;
	applied->previous = incident->head;
	open_set_head(incident, &record->alert.alert_id);
}

static void
join_and_move(struct txn *txn, struct applied *applied, const struct record *record,
    struct open_incident *incident, enum incident_status status)
{
	join(applied, record, incident);
	incident_move(txn, record, incident, status, 0, NULL);
	applied->event = true;
	applied->outcome =
	    status == INCIDENT_RESOLVED ? OUTCOME_RESOLVED : OUTCOME_ACKNOWLEDGED;
}

/* The service's newest open incident, if it is young enough to collect this alert too; its
 * entity id then stands for that incident as well. */
static struct open_incident *
collate(const struct record *record, const struct conf_integration *integration)
{
	const struct service_facts *facts = &integration->service->facts;
	struct open_incident *newest;

	if (facts->collation != 1 || facts->collation_time == 0)
		return NULL;
	newest = open_newest(integration->service->id);
	if (newest == NULL ||
	    record->steady - newest->created > facts->collation_time * 60 * 1000000 ||
	    !open_link(newest, integration->id, record->alert.alert.entity_id))
		return NULL;
	return newest;
}

static struct incident_row
row_of(const struct record *record, const struct conf_integration *integration)
{
	const struct alert *alert = &record->alert.alert;

	return (struct incident_row){.service = integration->service->id,
	    .integration = integration->id,
	    .urgency = (uint8_t)(alert->urgency >= 0 ? alert->urgency
						     : integration->default_urgency),
	    .head = record->alert.alert_id,
	    .title = alert->message,
	    .summary = alert->summary,
	    .incident_key = alert->entity_id,
	    .priority = alert->priority,
	    .sla = alert->sla,
	    .escalation_policy = alert->escalation_policy,
	    .tags = alert->tags,
	    .assigned_to = alert->assigned_to,
	    .task_template = alert->task_template};
}

static void
create_or_collate(struct txn *txn, struct applied *applied, const struct record *record,
    const struct conf_integration *integration)
{
	struct open_incident *incident = collate(record, integration);
	struct incident_row row = row_of(record, integration);

	if (incident != NULL) {
		join(applied, record, incident);
		open_save(txn, incident);
		return;
	}
	incident = incident_create(txn, record, &row, NULL);
	if (incident == NULL)
		return;
	applied->outcome = OUTCOME_CREATED;
	applied->number = incident->number;
	applied->unique_id = incident->unique_id;
	applied->event = true;
}

static void
correlate(struct txn *txn, struct applied *applied, const struct record *record,
    const struct conf_integration *integration)
{
	const struct alert *alert = &record->alert.alert;
	struct open_incident *incident = open_find(integration->id, alert->entity_id);
	bool opens = alert->type <= ALERT_CRITICAL && alert->type != ALERT_INFO &&
		     (int)alert->type >= integration->create_incidents_for;

	if (incident == NULL && opens)
		create_or_collate(txn, applied, record, integration);
	else if (incident == NULL)
		applied->outcome = OUTCOME_ALONE;
	else if (alert->type == ALERT_RESOLVED)
		join_and_move(txn, applied, record, incident, INCIDENT_RESOLVED);
	else if (alert->type == ALERT_ACKNOWLEDGED && incident->status == INCIDENT_TRIGGERED)
		join_and_move(txn, applied, record, incident, INCIDENT_ACKNOWLEDGED);
	else
		join(applied, record, incident);
}

/* What keeps the alert from being applied at all, or an empty slice. */
static struct slice
refusal(const struct record *record, const struct conf_integration *integration)
{
	const struct alert *alert = &record->alert.alert;

	if (integration == NULL)
		return SLICE("The integration is no longer configured");
	if (record->alert.failure.n > 0)
		return record->alert.failure;
	if (alert->type != ALERT_ACKNOWLEDGED && alert->type != ALERT_RESOLVED &&
	    conf_in_maintenance(integration->service, record->wall))
		return slice_of(under_maintenance);
	return (struct slice){NULL, 0};
}

static void
write_rows(struct txn *txn, const struct record *record, const struct applied *applied)
{
	const struct record_alert *in = &record->alert;
	bool failed = applied->outcome == OUTCOME_FAILED;
	struct trace_row trace = {.state = failed ? TRACE_FAILED : TRACE_COMPLETED,
	    .created = applied->outcome == OUTCOME_CREATED,
	    .suppressed = applied->outcome == OUTCOME_SUPPRESSED,
	    .integration = in->integration,
	    .number = applied->number,
	    .unique_id = applied->unique_id,
	    .error = applied->error};
	struct alert_row alert = {.number = applied->number,
	    .previous = applied->previous,
	    .integration = in->integration,
	    .type = (uint8_t)in->alert.type,
	    .suppressed = trace.suppressed,
	    .wall = record->wall,
	    .entity_id = in->alert.entity_id,
	    .rules = in->rules,
	    .fields = in->alert.fields};

	if (applied->event)
		trace.event = delivery_id(&record->id, 0);
	if (!failed) {
		trace.alert = in->alert_id;
		alerts_put(txn, &in->alert_id, &alert);
	}
	traces_put(txn, &in->trace, &trace);
}

/* Rules write no more notes than there are ids with one's last 4 bytes. */
static void
write_notes(struct txn *txn, const struct record *record, uint64_t number)
{
	struct note_row row = {.wall = record->wall};
	struct slice notes = record->alert.alert.notes;
	struct uuid id;

	for (uint32_t n = 1; alert_note(&notes, &row.text); n++) {
		id = delivery_id(&record->id, n);
		notes_put(txn, number, &id, &row);
	}
}

void
engine_alert(struct txn *txn, const struct record *record)
{
	const struct conf_integration *integration = engine_integration(record->alert.integration);
	struct applied applied = {.error = refusal(record, integration)};

	arena_reset(&engine.arena);
	if (applied.error.n > 0)
		applied.outcome = OUTCOME_FAILED;
	else if (record->alert.alert.suppressed)
		applied.outcome = OUTCOME_SUPPRESSED;
	else
		correlate(txn, &applied, record, integration);
	if (store_failed(txn))
		return;
	write_rows(txn, record, &applied);
	if (applied.number != 0)
		write_notes(txn, record, applied.number);
	if (applied.outcome == OUTCOME_CREATED && record->alert.similar.n > 0)
		similar_put(txn, integration->id, record->alert.similar, record->steady);
	engine.meta.applied++;
	engine.watch->alert(record, applied.outcome, applied.number);
}
