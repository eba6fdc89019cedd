/*
 * An alert in Zenduty's generic format (CONTRACT §3).
 *
 *     body --> required: message, alert_type       a fault refuses the alert, `why` names the field
 *          --> what the engine works with: entity_id, summary, suppressed, three ids
 *          --> fields: the known ones by the table below, in its order, then the unknown ones
 *
 * Optional fields of a wrong kind are left out, never refused: a page must not be lost for a detail
 * that is not needed to send it. Senders' scalars are taken as text, as the vendor does.
 */
#include "proto/alert.h"

#include <sodium.h>

#include "proto/json_make.h"
#include "proto/json_write.h"
#include "proto/utf8.h"

enum {
	QUOTED_MAX = 40,     /* bytes of a stranger's value that a fault repeats */
	FIELDS_DEPTH = 1024, /* of what we wrote ourselves: deeper than limits.depth goes */
};

static const char *const type_names[] = {
	[ALERT_INFO] = "info",
	[ALERT_WARNING] = "warning",
	[ALERT_ERROR] = "error",
	[ALERT_CRITICAL] = "critical",
	[ALERT_ACKNOWLEDGED] = "acknowledged",
	[ALERT_RESOLVED] = "resolved",
};

const char *
alert_type_name(int type)
{
	return type >= 0 && type < (int)COUNT_OF(type_names) ? type_names[type] : NULL;
}

int
alert_type_parse(struct slice text)
{
	text = slice_trim(text);
	for (size_t i = 0; i < COUNT_OF(type_names); i++)
		if (slice_is_nocase(text, slice_of(type_names[i])))
			return (int)i;
	return -1;
}

struct slice
alert_entity(struct arena *arena, struct slice id)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof hash + 1];

	if (id.n <= ALERT_ENTITY_MAX)
		return id;
	crypto_hash_sha256(hash, (const unsigned char *)id.p, id.n);
	sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
	return arena_copy(arena, slice_of(hex));
}

static bool
is_type(const struct json *value, enum json_type type)
{
	return value != NULL && value->type == type;
}

/* Null counts as absent: that is how many languages print a value that is not there. */
static bool
is_absent(const struct json *value)
{
	return value == NULL || value->type == JSON_NULL;
}

/* A scalar's text, or nothing. */
static struct slice
text_of(const struct json *value)
{
	struct slice text;

	return json_scalar(value, &text) ? text : (struct slice){NULL, 0};
}

/* true, false or their texts in any letter case. */
static bool
read_bool(const struct json *value, bool *truth)
{
	struct slice text = text_of(value);

	*truth = slice_is_nocase(text, SLICE("true"));
	return *truth || slice_is_nocase(text, SLICE("false"));
}

static bool
read_id(const struct json *value, char text[UUID_TEXT])
{
	struct uuid id;

	if (!is_type(value, JSON_STRING) || !uuid_parse(value->text, &id))
		return false;
	uuid_text(&id, text);
	return true;
}

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

	if (!read_bool(value, &truth))
		return;
	json_key(w, name);
	json_bool(w, truth);
}

static void
write_object(struct json_writer *w, const char *name, const struct json *value)
{
	if (!is_type(value, JSON_OBJECT))
		return;
	json_key(w, name);
	json_tree(w, value);
}

static void
write_id(struct json_writer *w, const char *name, const struct json *value)
{
	char text[UUID_TEXT];

	if (!read_id(value, text))
		return;
	json_key(w, name);
	json_text(w, text);
}

static void
write_ids(struct json_writer *w, const char *name, const struct json *value)
{
	char text[UUID_TEXT];

	if (!is_type(value, JSON_ARRAY))
		return;
	json_key(w, name);
	json_open(w, '[');
	for (const struct json *item = value->first; item != NULL; item = item->next)
		if (read_id(item, text))
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
	bool object = is_type(item, JSON_OBJECT);
	const struct json *url = object ? json_get(item, "link_url") : item;
	struct slice text = object ? text_of(json_get(item, "link_text")) : (struct slice){NULL, 0};

	if (!is_type(url, JSON_STRING))
		return;
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
	if (!is_type(value, JSON_ARRAY))
		return;
	json_key(w, name);
	json_open(w, '[');
	for (const struct json *item = value->first; item != NULL; item = item->next)
		write_link(w, item);
	json_close(w, ']');
}

/* The known names in the order in which they are kept. Without a writer: taken from the alert. */
static const struct field {
	const char *name;
	void (*write)(struct json_writer *, const char *name, const struct json *value);
	const char *alias; /* as the vendor's own example has it */
} known[] = {
	{"message", NULL, NULL},
	{"alert_type", NULL, NULL},
	{"entity_id", NULL, NULL},
	{"summary", write_text, NULL},
	{"suppressed", write_bool, NULL},
	{"payload", write_object, NULL},
	{"urls", write_links, NULL},
	{"sla", write_id, NULL},
	{"escalation_policy", write_id, NULL},
	{"priority", write_id, NULL},
	{"tags", write_ids, NULL},
	{"stakeholders", write_object, NULL},
	{"stakeholders_comms", write_object, "stakeholder_comms"},
};

static bool
is_known(struct slice name)
{
	for (const struct field *f = known; f < known + COUNT_OF(known); f++) {
		if (slice_is(name, slice_of(f->name)))
			return true;
		if (f->alias != NULL && slice_is(name, slice_of(f->alias)))
			return true;
	}
	return false;
}

static void
write_known(struct json_writer *w, const struct json *body, const struct alert *alert)
{
	json_key(w, "message");
	json_string(w, alert->message);
	json_key(w, "alert_type");
	json_text(w, alert_type_name((int)alert->type));
	json_key(w, "entity_id");
	json_string(w, alert->entity_id);
	for (const struct field *f = known; f < known + COUNT_OF(known); f++) {
		const struct json *value = json_get(body, f->name);

		if (is_absent(value) && f->alias != NULL)
			value = json_get(body, f->alias);
		if (f->write == write_ids && alert->tags.n > 0)
			write_raw(w, f->name, alert->tags);
		else if (f->write != NULL)
			f->write(w, f->name, value);
	}
}

/* The record of the alert. The ceiling is the arena's, where the text ends up. */
static struct slice
write_fields(struct arena *arena, const struct json *body, const struct alert *alert)
{
	struct buf buf;
	struct json_writer w = {.buf = &buf};

	buf_init_arena(&buf, arena);
	json_open(&w, '{');
	write_known(&w, body, alert);
	for (const struct json *item = body->first; item != NULL; item = item->next)
		if (!is_known(item->key)) {
			json_key_slice(&w, item->key);
			json_tree(&w, item);
		}
	json_close(&w, '}');
	return buf.failed ? (struct slice){NULL, 0} : buf_slice(&buf);
}

static bool
read_message(const struct json *body, struct alert *alert, struct slice *why)
{
	const struct json *value = json_get(body, "message");

	if (is_absent(value))
		*why = SLICE("message is missing");
	else if (!json_scalar(value, &alert->message))
		*why = SLICE("message is not a text, a number or a boolean");
	else if (slice_trim(alert->message).n == 0)
		*why = SLICE("message is empty");
	else
		return true;
	return false;
}

struct slice
alert_unknown(struct arena *arena, const char *field, struct slice text, const char *words)
{
	struct buf buf;
	struct json_writer w = {.buf = &buf};
	struct slice cut = utf8_cut(text, QUOTED_MAX);

	buf_init_arena(&buf, arena);
	buf_puts(&buf, field);
	buf_putc(&buf, ' ');
	json_string(&w, cut);
	buf_puts(&buf, cut.n < text.n ? "... is not one of " : " is not one of ");
	buf_puts(&buf, words);
	return buf.failed ? SLICE("a value is unknown") : buf_slice(&buf);
}

static bool
read_type(const struct json *body, int default_type, struct arena *arena, struct alert *alert,
    struct slice *why)
{
	const struct json *value = json_get(body, "alert_type");
	struct slice text = SLICE("");
	int type = default_type;

	if (!is_absent(value) && !json_scalar(value, &text)) {
		*why = SLICE("alert_type is not a text");
		return false;
	}
	if (slice_trim(text).n > 0) {
		type = alert_type_parse(text);
		if (type < 0) {
			*why = alert_unknown(arena, "alert_type", text,
			    "critical, error, warning, info, acknowledged, resolved");
			return false;
		}
	}
	if (type < 0)
		*why = is_absent(value) ? SLICE("alert_type is missing")
					: SLICE("alert_type is empty");
	alert->type = type < 0 ? ALERT_INFO : (enum alert_type)type;
	return type >= 0;
}

static struct slice
copy_id(struct arena *arena, const struct json *value)
{
	char text[UUID_TEXT];

	return read_id(value, text) ? arena_copy(arena, slice_of(text)) : (struct slice){NULL, 0};
}

/* The ids among them as the text of a JSON array; empty when there is none. */
static struct slice
copy_tags(struct arena *arena, const struct json *value)
{
	struct buf buf;
	struct json_writer w = {.buf = &buf};
	char text[UUID_TEXT];
	size_t count = 0;

	if (!is_type(value, JSON_ARRAY))
		return (struct slice){NULL, 0};
	buf_init_arena(&buf, arena);
	json_open(&w, '[');
	for (const struct json *item = value->first; item != NULL; item = item->next)
		if (read_id(item, text)) {
			json_text(&w, text);
			count++;
		}
	json_close(&w, ']');
	return count == 0 || buf.failed ? (struct slice){NULL, 0} : buf_slice(&buf);
}

static void
read_optional(const struct json *body, struct arena *arena, struct alert *alert)
{
	alert->urgency = -1;
	alert->entity_id = alert_entity(arena, text_of(json_get(body, "entity_id")));
	alert->summary = text_of(json_get(body, "summary"));
	if (!read_bool(json_get(body, "suppressed"), &alert->suppressed))
		alert->suppressed = false;
	alert->sla = copy_id(arena, json_get(body, "sla"));
	alert->escalation_policy = copy_id(arena, json_get(body, "escalation_policy"));
	alert->priority = copy_id(arena, json_get(body, "priority"));
	alert->tags = copy_tags(arena, json_get(body, "tags"));
}

bool
alert_read(const struct json *body, int default_type, struct slice made_entity,
    struct arena *arena, struct alert *alert, struct slice *why)
{
	*alert = (struct alert){0};
	if (body->type != JSON_OBJECT) {
		*why = SLICE("the body is not a JSON object");
		return false;
	}
	if (!read_message(body, alert, why) || !read_type(body, default_type, arena, alert, why))
		return false;
	read_optional(body, arena, alert);
	if (alert->entity_id.n == 0)
		alert->entity_id = made_entity;
	alert->fields = write_fields(arena, body, alert);
	if (alert->fields.n == 0) {
		*why = SLICE("the alert is too large");
		return false;
	}
	return true;
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
	struct json *body = read_again(arena, alert->fields);

	if (body == NULL)
		return false;
	put_text(arena, body, "summary", alert->summary);
	put_text(arena, body, "sla", alert->sla);
	put_text(arena, body, "escalation_policy", alert->escalation_policy);
	put_text(arena, body, "priority", alert->priority);
	if (alert->suppressed || json_get(body, "suppressed") != NULL)
		json_put(body, "suppressed", json_make_bool(arena, alert->suppressed));
	alert->fields = write_fields(arena, body, alert);
	return alert->fields.n > 0;
}

bool
alert_note(struct slice *notes, struct slice *note)
{
	size_t n;

	*note = (struct slice){NULL, 0};
	if (notes->n < 4)
		return false;
	n = get_u32((const uint8_t *)notes->p);
	if (n > notes->n - 4)
		return false;
	*note = (struct slice){notes->p + 4, n};
	*notes = (struct slice){notes->p + 4 + n, notes->n - 4 - n};
	return true;
}
