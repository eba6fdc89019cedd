/*
 * How a table's rows are printed is a row of `layouts`: the parts of the key in order, what decodes
 * the value, and the fields to print of it.
 *
 *	lanes   webhook u32 | number u64 | n u32   ->   {"table": "lanes", "webhook": "ops",
 *	        delivery id, due                         "incident_number": 7, "n": 2,
 *	                                                 "delivery": "0193...", "due": null}
 *
 * Values are read with the store's own decoders.
 */
#include <stdlib.h>

#include "gateway/dump_parts.h"
#include "gateway/record.h"
#include "store/record.h"

enum { ROW_MOST = 64 << 20, KEY_PARTS = 4 };

struct part {
	const char *name;
	dump_part *print;
};

struct field {
	const char *name;
	dump_field *print;
	size_t at;    /* in the decoded row */
	bool payload; /* what senders wrote */
};

struct layout {
	const char *table;
	const char *only; /* the one key that looks like this; NULL: all others */
	struct part key[KEY_PARTS];
	bool (*decode)(struct slice value, void *row);
	const struct field *fields; /* the last one has no name */
};

/* ---- what decodes ------------------------------------------------------------------------ */

#define DECODER(noun, type)                                                                        \
	static bool decode_##noun(struct slice value, void *row)                                   \
	{                                                                                          \
		return record_get_##noun(value, row);                                              \
	}
RECORD_ROWS(DECODER)

struct schema {
	uint32_t schema;
};

struct similar {
	int64_t time;
};

struct count {
	uint64_t count;
};

static bool
decode_schema(struct slice value, void *row)
{
	struct field_reader r = field_read(value);

	field_u8(&r);
	((struct schema *)row)->schema = field_u32(&r);
	return field_end(&r);
}

static bool
decode_similar(struct slice value, void *row)
{
	struct field_reader r = field_read(value);

	field_u8(&r);
	((struct similar *)row)->time = field_i64(&r);
	return field_end(&r);
}

static bool
decode_count(struct slice value, void *row)
{
	struct field_reader r = field_read(value);

	field_u8(&r);
	((struct count *)row)->count = field_u64(&r);
	return field_end(&r);
}

/* A record behind the store's version byte. */
static bool
decode_pending(struct slice value, void *row)
{
	return value.n > 0 && record_decode((struct slice){value.p + 1, value.n - 1}, row);
}

/* A version byte: the key said it all. */
static bool
decode_nothing(struct slice value, void *row)
{
	(void)row;
	return value.n == 1;
}

#define MEMBER(noun, type) type noun;
union row {
	RECORD_ROWS(MEMBER)
	struct schema schema;
	struct similar similar;
	struct count count;
	struct record pending;
};

/* ---- what is printed --------------------------------------------------------------------- */

#define FIELDS(noun) static const struct field noun##_fields[]
#define F(noun, member, print)    {#member, print, offsetof(struct noun, member), false}
#define TEXT(noun, member, print) {#member, print, offsetof(struct noun, member), true}
#define AS(name, noun, member, print) {name, print, offsetof(struct noun, member), false}
#define END {0}

FIELDS(nothing) = {END};
FIELDS(schema) = {F(schema, schema, dump_u32), END};
FIELDS(similar) = {F(similar, time, dump_date), END};
FIELDS(count) = {F(count, count, dump_u64), END};

FIELDS(meta) = {F(meta, next_number, dump_u64), F(meta, applied, dump_u64),
    F(meta, next_pending, dump_u64), F(meta, next_name, dump_u32), F(meta, last_id, dump_id),
    F(meta, heads_from, dump_id), F(meta, paused, dump_bool), F(meta, boot_id, dump_boot),
    F(meta, boot_time, dump_us), F(meta, steady, dump_date), F(meta, conf_print, dump_u64), END};

FIELDS(name) = {F(name_row, id, dump_u32), F(name_row, seen, dump_date),
    F(name_row, paused, dump_bool), END};

FIELDS(trace) = {AS("status", trace_row, state, dump_trace_state),
    AS("is_incident_created", trace_row, created, dump_bool), F(trace_row, suppressed, dump_bool),
    F(trace_row, integration, dump_integration), F(trace_row, alert, dump_id22),
    AS("incident_number", trace_row, number, dump_number), F(trace_row, unique_id, dump_id22),
    F(trace_row, event, dump_id), TEXT(trace_row, error, dump_text), END};

#define R(name, member, print)      AS(name, record, alert.member, print)
#define R_TEXT(name, member, print) {name, print, offsetof(struct record, alert.member), true}
FIELDS(pending) = {AS("time", record, wall, dump_date), AS("steady", record, steady, dump_date),
    AS("event", record, id, dump_id), AS("salt", record, salt, dump_salt),
    R("trace", trace, dump_id), R("alert", alert_id, dump_id22),
    R("integration", integration, dump_integration),
    R("alert_type", alert.type, dump_alert_type), R("suppressed", alert.suppressed, dump_bool),
    R("urgency", alert.urgency, dump_int), R("entity_id", alert.entity_id, dump_text),
    R("sla", alert.sla, dump_text),
    R("escalation_policy", alert.escalation_policy, dump_text),
    R("priority", alert.priority, dump_text), R("assigned_to", alert.assigned_to, dump_text),
    R("task_template", alert.task_template, dump_text), R("rules", rules, dump_json),
    R("similar", similar, dump_text), R_TEXT("failure", failure, dump_text),
    R_TEXT("message", alert.message, dump_text), R_TEXT("summary", alert.summary, dump_text),
    R_TEXT("tags", alert.tags, dump_json), R_TEXT("notes", alert.notes, dump_notes),
    R_TEXT("fields", alert.fields, dump_json), END};

FIELDS(alert) = {AS("incident_number", alert_row, number, dump_number),
    F(alert_row, previous, dump_id22), F(alert_row, integration, dump_integration),
    AS("alert_type", alert_row, type, dump_alert_type8), F(alert_row, suppressed, dump_bool),
    AS("time", alert_row, wall, dump_date), F(alert_row, entity_id, dump_text),
    F(alert_row, rules, dump_json), TEXT(alert_row, fields, dump_json), END};

FIELDS(incident) = {F(incident_row, unique_id, dump_id22), F(incident_row, service, dump_service),
    F(incident_row, integration, dump_integration), F(incident_row, status, dump_status),
    F(incident_row, urgency, dump_u8), F(incident_row, created, dump_date),
    F(incident_row, acknowledged, dump_date), F(incident_row, resolved, dump_date),
    F(incident_row, resolved_steady, dump_date), F(incident_row, head, dump_id22),
    F(incident_row, last_event, dump_id), F(incident_row, events, dump_u32),
    TEXT(incident_row, title, dump_text), TEXT(incident_row, summary, dump_text),
    F(incident_row, incident_key, dump_text), F(incident_row, priority, dump_text),
    F(incident_row, sla, dump_text), F(incident_row, escalation_policy, dump_text),
    TEXT(incident_row, tags, dump_json), F(incident_row, assigned_to, dump_text),
    F(incident_row, task_template, dump_text), END};

FIELDS(open) = {F(open_row, service, dump_service), F(open_row, status, dump_status),
    F(open_row, triggered, dump_date), F(open_row, acknowledged, dump_date),
    F(open_row, created, dump_date), F(open_row, head, dump_id22), {"keys", dump_keys, 0, false},
    END};

FIELDS(event) = {AS("incident_number", event_row, number, dump_u64), F(event_row, n, dump_u32),
    AS("event_type", event_row, type, dump_event), AS("time", event_row, wall, dump_date),
    F(event_row, previous, dump_id), TEXT(event_row, body, dump_json), END};

FIELDS(delivery) = {AS("incident_number", delivery_row, number, dump_u64),
    F(delivery_row, n, dump_u32), F(delivery_row, event_type, dump_event),
    F(delivery_row, state, dump_delivery_state), F(delivery_row, tries, dump_u32),
    F(delivery_row, refusals, dump_u32), AS("attempt_count", delivery_row, attempts, dump_u32),
    F(delivery_row, reason, dump_reason), F(delivery_row, created, dump_date),
    AS("next_attempt", delivery_row, next, dump_date), END};

FIELDS(lane) = {F(lane_row, delivery, dump_id), F(lane_row, due, dump_date), END};

FIELDS(attempt) = {AS("time", attempt_row, wall, dump_date), F(attempt_row, reason, dump_reason),
    F(attempt_row, status, dump_u16), F(attempt_row, reused, dump_bool),
    AS("lookup_us", attempt_row, lookup, dump_u32),
    AS("connect_us", attempt_row, connect, dump_u32), AS("tls_us", attempt_row, tls, dump_u32),
    AS("first_byte_us", attempt_row, first_byte, dump_u32),
    AS("total_us", attempt_row, total, dump_u32), END};

FIELDS(note) = {AS("time", note_row, wall, dump_date), F(note_row, user, dump_text),
    TEXT(note_row, text, dump_text), END};

#define NUMBER  {"incident_number", dump_part_u64}
#define N       {"n", dump_part_u32}
#define TIME    {"time", dump_part_time}
#define WEBHOOK {"webhook", dump_part_webhook}

static const struct layout layouts[] = {
    {"meta", "schema", {{"name", dump_part_text}}, decode_schema, schema_fields},
    {"meta", NULL, {{"name", dump_part_text}}, decode_meta, meta_fields},
    {"names", NULL, {{"name", dump_part_name}}, decode_name, name_fields},
    {"traces", NULL, {{"id", dump_part_id}}, decode_trace, trace_fields},
    {"pending", NULL, {{"sequence", dump_part_u64}}, decode_pending, pending_fields},
    {"alerts", NULL, {{"id", dump_part_id22}}, decode_alert, alert_fields},
    {"incidents", NULL, {NUMBER}, decode_incident, incident_fields},
    {"open", NULL, {NUMBER}, decode_open, open_fields},
    {"events", NULL, {{"id", dump_part_id}}, decode_event, event_fields},
    {"deliveries", NULL, {{"id", dump_part_delivery}}, decode_delivery, delivery_fields},
    {"lanes", NULL, {WEBHOOK, NUMBER, N}, decode_lane, lane_fields},
    {"due", NULL, {TIME, WEBHOOK, NUMBER, N}, decode_nothing, nothing_fields},
    {"dead", NULL, {WEBHOOK, {"delivery", dump_part_id}}, decode_nothing, nothing_fields},
    {"dead_counts", NULL, {WEBHOOK}, decode_count, count_fields},
    {"attempts", NULL, {{"delivery", dump_part_id}, N}, decode_attempt, attempt_fields},
    {"notes", NULL, {NUMBER, {"id", dump_part_id}}, decode_note, note_fields},
    {"timers", NULL, {TIME, {"kind", dump_part_timer}, NUMBER}, decode_nothing, nothing_fields},
    {"closed", NULL, {TIME, NUMBER}, decode_nothing, nothing_fields},
    {"similar", NULL, {{"hash", dump_part_hash}}, decode_similar, similar_fields},
};

/* ---- the walk ---------------------------------------------------------------------------- */

struct walk {
	struct dump dump;
	FILE *to;
	int bad; /* rows that could not be read */
};

static const struct layout *
find_layout(const char *table, struct slice key)
{
	for (size_t i = 0; i < COUNT_OF(layouts); i++)
		if (strcmp(layouts[i].table, table) == 0 &&
		    (layouts[i].only == NULL || slice_is(key, slice_of(layouts[i].only))))
			return &layouts[i];
	return NULL;
}

/* True if the key has the parts of the layout and nothing else. */
static bool
print_key(struct dump *d, const struct layout *layout, struct slice key)
{
	struct field_reader r = field_read(key);

	for (size_t i = 0; i < KEY_PARTS && layout->key[i].name != NULL; i++)
		layout->key[i].print(d, layout->key[i].name, &r);
	return field_end(&r);
}

static bool
print_value(struct dump *d, const struct layout *layout, struct slice value)
{
	union row row;

	if (!layout->decode(value, &row))
		return false;
	for (const struct field *field = layout->fields; field->name != NULL; field++)
		if (d->payload || !field->payload)
			field->print(d, field->name, (const char *)&row + field->at);
	return true;
}

static bool
print_row(void *arg, const char *table, struct slice key, struct slice value)
{
	struct walk *walk = arg;
	struct dump *d = &walk->dump;
	const struct layout *layout = find_layout(table, key);

	buf_clear(&d->row);
	d->w = (struct json_writer){.buf = &d->row};
	json_open(&d->w, '{');
	json_key(&d->w, "table");
	json_text(&d->w, table);
	if (layout == NULL || !print_key(d, layout, key) || !print_value(d, layout, value)) {
		json_key(&d->w, "error");
		json_text(&d->w, "this row cannot be read");
		walk->bad++;
	}
	json_close(&d->w, '}');
	buf_putc(&d->row, '\n');
	d->failed = d->failed || d->row.failed;
	return !d->failed && fwrite(d->row.p, 1, d->row.n, walk->to) == d->row.n;
}

int
dump_store(struct txn *txn, bool payload, FILE *to)
{
	struct walk walk = {.dump = {.payload = payload}, .to = to};
	bool ok;

	buf_init(&walk.dump.row, ROW_MOST);
	ok = dump_load_names(&walk.dump, txn);
	if (ok)
		store_each(txn, print_row, &walk);
	ok = ok && !walk.dump.failed && !store_failed(txn) && fflush(to) == 0 && !ferror(to);
	buf_free(&walk.dump.row);
	free(walk.dump.names);
	return ok ? walk.bad : -1;
}
