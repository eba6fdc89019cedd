/*
 * The record of an alert, as text: the known fields by the table below, in its order, then the
 * unknown ones. What the engine works with is written as the alert has it, the rest as the body has
 * it, or left out where that is of no use.
 */
#include "proto/alert_parts.h"
#include "proto/json_make.h"
#include "proto/json_write.h"

enum { FIELDS_DEPTH = 1024 }; /* of what we wrote ourselves: deeper than limits.depth goes */

/* The writers of known fields: key and value, or nothing where the value is of no use. */
static void
write_text(struct json_writer *w, const char *name, const struct json *value)
{
	struct slice text;

	if (!json_scalar(value, &text))
		return;
	json_key(w, name);
	json_string(w, text);
}

static void
write_bool(struct json_writer *w, const char *name, const struct json *value)
{
	bool truth;

	if (!alert_read_bool(value, &truth))
		return;
	json_key(w, name);
	json_bool(w, truth);
}

static void
write_object(struct json_writer *w, const char *name, const struct json *value)
{
	if (!alert_is_type(value, JSON_OBJECT))
		return;
	json_key(w, name);
	json_tree(w, value);
}

static void
write_id(struct json_writer *w, const char *name, const struct json *value)
{
	char text[UUID_TEXT];

	if (!alert_read_id(value, text))
		return;
	json_key(w, name);
	json_text(w, text);
}

static void
write_ids(struct json_writer *w, const char *name, const struct json *value)
{
	char text[UUID_TEXT];

	if (!alert_is_type(value, JSON_ARRAY))
		return;
	json_key(w, name);
	json_open(w, '[');
	for (const struct json *item = value->first; item != NULL; item = item->next)
		if (alert_read_id(item, text))
			json_text(w, text);
	json_close(w, ']');
}

static void
write_raw(struct json_writer *w, const char *name, struct slice value)
{
	json_key(w, name);
	json_raw(w, value);
}

/* {"link_url", "link_text"}, or a string that stands for the former. */
static void
write_link(struct json_writer *w, const struct json *item)
{
	bool object = alert_is_type(item, JSON_OBJECT);
	const struct json *url = object ? json_get(item, "link_url") : item;
	struct slice text = {NULL, 0};

	if (!alert_is_type(url, JSON_STRING))
		return;
	if (object)
		text = alert_text_of(json_get(item, "link_text"));
	json_open(w, '{');
	json_key(w, "link_url");
	json_string(w, url->text);
	json_key(w, "link_text");
	json_string(w, text);
	json_close(w, '}');
}

static void
write_links(struct json_writer *w, const char *name, const struct json *value)
{
	if (!alert_is_type(value, JSON_ARRAY))
		return;
	json_key(w, name);
	json_open(w, '[');
	for (const struct json *item = value->first; item != NULL; item = item->next)
		write_link(w, item);
	json_close(w, ']');
}

#define NAME(literal) {literal, sizeof(literal) - 1}

/* Names, and what writes them; without a writer they are taken from the alert, or written under
 * their other name. */
static const struct {
	struct slice name;
	void (*write)(struct json_writer *, const char *name, const struct json *value);
} fields[FIELD_COUNT] = {
	[FIELD_MESSAGE] = {NAME("message"), NULL},
	[FIELD_ALERT_TYPE] = {NAME("alert_type"), NULL},
	[FIELD_ENTITY_ID] = {NAME("entity_id"), NULL},
	[FIELD_SUMMARY] = {NAME("summary"), write_text},
	[FIELD_SUPPRESSED] = {NAME("suppressed"), write_bool},
	[FIELD_PAYLOAD] = {NAME("payload"), write_object},
	[FIELD_URLS] = {NAME("urls"), write_links},
	[FIELD_SLA] = {NAME("sla"), write_id},
	[FIELD_ESCALATION_POLICY] = {NAME("escalation_policy"), write_id},
	[FIELD_PRIORITY] = {NAME("priority"), write_id},
	[FIELD_TAGS] = {NAME("tags"), write_ids},
	[FIELD_STAKEHOLDERS] = {NAME("stakeholders"), write_object},
	[FIELD_STAKEHOLDERS_COMMS] = {NAME("stakeholders_comms"), write_object},
	[FIELD_STAKEHOLDER_COMMS] = {NAME("stakeholder_comms"), NULL},
};

/* FIELD_COUNT where the name is none of these. */
static size_t
field_of(struct slice name)
{
	size_t i = 0;

	while (i < FIELD_COUNT && !slice_is(name, fields[i].name))
		i++;
	return i;
}

struct alert_body
alert_body(const struct json *object)
{
	struct alert_body body = {.object = object};
	size_t i;

	for (const struct json *item = object->first; item != NULL; item = item->next) {
		i = field_of(item->key);
		if (i < FIELD_COUNT) {
			body.field[i] = item;
			body.known++;
		}
	}
	if (alert_is_absent(body.field[FIELD_STAKEHOLDERS_COMMS]))
		body.field[FIELD_STAKEHOLDERS_COMMS] = body.field[FIELD_STAKEHOLDER_COMMS];
	return body;
}

static void
write_known(struct json_writer *w, const struct alert_body *body, const struct alert *alert)
{
	json_key(w, "message");
	json_string(w, alert->message);
	json_key(w, "alert_type");
	json_text(w, alert_type_name((int)alert->type));
	json_key(w, "entity_id");
	json_string(w, alert->entity_id);
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (i == FIELD_TAGS && alert->tags.n > 0)
			write_raw(w, fields[i].name.p, alert->tags);
		else if (fields[i].write != NULL && body->field[i] != NULL)
			fields[i].write(w, fields[i].name.p, body->field[i]);
}

static void
write_unknown(struct json_writer *w, const struct json *object)
{
	for (const struct json *item = object->first; item != NULL; item = item->next)
		if (field_of(item->key) == FIELD_COUNT) {
			json_key_slice(w, item->key);
			json_tree(w, item);
		}
}

struct slice
alert_write(struct arena *arena, const struct alert_body *body, const struct alert *alert)
{
	struct buf buf;
	struct json_writer w = {.buf = &buf};

	buf_init_arena(&buf, arena);
	json_open(&w, '{');
	write_known(&w, body, alert);
	if (body->known < body->object->count)
		write_unknown(&w, body->object);
	json_close(&w, '}');
	return buf.failed ? (struct slice){NULL, 0} : buf_slice(&buf);
}

/* A text of the alert, where it has one. */
static void
put_text(struct arena *arena, struct json *body, const char *name, struct slice text)
{
	if (text.n > 0)
		json_put(body, name, json_make_text(arena, text));
}

static struct json *
read_again(struct arena *arena, struct slice text)
{
	char *copy = arena_alloc(arena, text.n);
	struct json_error error;

	if (copy == NULL || text.n == 0)
		return NULL;
	memcpy(copy, text.p, text.n);
	return json_read(arena, copy, text.n, 0, FIELDS_DEPTH, &error);
}

bool
alert_rewrite(struct arena *arena, struct alert *alert)
{
	struct json *object = read_again(arena, alert->fields);
	struct alert_body body;

	if (object == NULL)
		return false;
	put_text(arena, object, "summary", alert->summary);
	put_text(arena, object, "sla", alert->sla);
	put_text(arena, object, "escalation_policy", alert->escalation_policy);
	put_text(arena, object, "priority", alert->priority);
	if (alert->suppressed || json_get(object, "suppressed") != NULL)
		json_put(object, "suppressed", json_make_bool(arena, alert->suppressed));
	body = alert_body(object);
	alert->fields = alert_write(arena, &body, alert);
	return alert->fields.n > 0;
}
