/*
 * What operators do to incidents through the API (CONTRACT §2): create one, change what it says or
 * its status, write a note on it. The API has refused what makes no sense; what makes none by the
 * time it is applied (the incident has expired, or is resolved) is left out here.
 */
#include "gateway/engine_parts.h"

/* Named in log lines beside incidents that no alert has changed. */
static const char why_api[] = "api";

static void
set_text(const struct record_incident *in, unsigned field, struct slice *to, struct slice text)
{
	if (in->fields & field)
		*to = text;
}

static void
set_fields(const struct record_incident *in, struct incident_row *row)
{
	const struct incident *to = &in->to;

	if (in->fields & FIELD_URGENCY)
		row->urgency = (uint8_t)to->urgency;
	set_text(in, FIELD_TITLE, &row->title,
	    incident_cut(&engine.arena, to->title, INCIDENT_TITLE_MAX));
	set_text(in, FIELD_SUMMARY, &row->summary,
	    incident_cut(&engine.arena, to->summary, INCIDENT_SUMMARY_MAX));
	set_text(in, FIELD_ASSIGNED_TO, &row->assigned_to, to->assigned_to);
	set_text(in, FIELD_ESCALATION_POLICY, &row->escalation_policy, to->escalation_policy);
	set_text(in, FIELD_SLA, &row->sla, to->sla);
	set_text(in, FIELD_PRIORITY, &row->priority, to->priority);
}

/* event: which of the record's ids. */
static void
set_status(struct txn *txn, const struct record *record, struct open_incident *incident,
    uint32_t event)
{
	const struct record_incident *in = &record->incident;

	if ((in->fields & FIELD_STATUS) && incident->status != in->to.status)
		incident_move(txn, record, incident, in->to.status, event, why_api);
}

void
engine_create(struct txn *txn, const struct record *record)
{
	struct incident_row row = {.service = record->incident.service, .urgency = 1};
	struct open_incident *incident;
	char key[ID22_TEXT];

	if (engine_service(row.service) == NULL)
		return;
	arena_reset(&engine.arena);
	id22_text(&record->id, key);
	row.incident_key = slice_of(key);
	set_fields(&record->incident, &row);
	incident = incident_create(txn, record, &row, why_api);
	if (incident != NULL)
		set_status(txn, record, incident, 1);
}

void
engine_change(struct txn *txn, const struct record *record)
{
	const struct record_incident *in = &record->incident;
	struct open_incident *incident = open_by_number(in->number);
	struct incident_row row;

	if (!incidents_get(txn, in->number, &row))
		return;
	arena_reset(&engine.arena);
	set_fields(in, &row);
	if (engine.arena.failed) {
		engine_fail(txn);
		return;
	}
	if (in->fields & ~(unsigned)FIELD_STATUS)
		incidents_put(txn, in->number, &row);
	if (incident != NULL)
		set_status(txn, record, incident, 0);
}

void
engine_note(struct txn *txn, const struct record *record)
{
	const struct record_note *in = &record->note;
	struct incident_row row;

	if (incidents_get(txn, in->number, &row))
		notes_put(txn, in->number, &record->id,
		    &(struct note_row){.wall = record->wall, .user = in->user, .text = in->text});
}
