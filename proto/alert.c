/*
 * An alert in Zenduty's generic format (CONTRACT §3).
 *
 *     body --> required: message, alert_type       a fault refuses the alert, `why` names the field
 *          --> what the engine works with: entity_id, summary, suppressed, three ids
 *          --> fields: the whole of it, as text (alert_fields.c)
 *
 * Optional fields of a wrong kind are left out, never refused: a page must not be lost for a detail
 * that is not needed to send it. Senders' scalars are taken as text, as the vendor does.
 */
#include <sodium.h>

#include "proto/alert_parts.h"
#include "proto/json_write.h"
#include "proto/utf8.h"

enum { QUOTED_MAX = 40 }; /* bytes of a stranger's value that a fault repeats */

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
read_message(const struct alert_body *body, struct alert *alert, struct slice *why)
{
	const struct json *value = body->field[FIELD_MESSAGE];

	if (alert_is_absent(value))
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
read_type(const struct alert_body *body, int default_type, struct arena *arena,
    struct alert *alert, struct slice *why)
{
	const struct json *value = body->field[FIELD_ALERT_TYPE];
	struct slice text = SLICE("");
	int type = default_type;

	if (!alert_is_absent(value) && !json_scalar(value, &text)) {
		*why = SLICE("alert_type is not a text");
		return false;
	}
	if (slice_trim(text).n > 0) {
		type = alert_type_parse(text);
		if (type < 0) {
			*why = alert_unknown(arena, "alert_type", text, ALERT_TYPE_WORDS);
			return false;
		}
	}
	if (type < 0)
		*why = alert_is_absent(value) ? SLICE("alert_type is missing")
					      : SLICE("alert_type is empty");
	alert->type = type < 0 ? ALERT_INFO : (enum alert_type)type;
	return type >= 0;
}

static struct slice
copy_id(struct arena *arena, const struct json *value)
{
	char text[UUID_TEXT];

	if (!alert_read_id(value, text))
		return (struct slice){NULL, 0};
	return arena_copy(arena, slice_of(text));
}

/* The ids among them as the text of a JSON array; empty when there is none. */
static struct slice
copy_tags(struct arena *arena, const struct json *value)
{
	struct buf buf;
	struct json_writer w = {.buf = &buf};
	char text[UUID_TEXT];
	size_t count = 0;

	if (!alert_is_type(value, JSON_ARRAY))
		return (struct slice){NULL, 0};
	buf_init_arena(&buf, arena);
	json_open(&w, '[');
	for (const struct json *item = value->first; item != NULL; item = item->next)
		if (alert_read_id(item, text)) {
			json_text(&w, text);
			count++;
		}
	json_close(&w, ']');
	return count == 0 || buf.failed ? (struct slice){NULL, 0} : buf_slice(&buf);
}

static void
read_optional(const struct alert_body *body, struct arena *arena, struct alert *alert)
{
	const struct json *const *field = body->field;

	alert->urgency = -1;
	alert->entity_id = alert_entity(arena, alert_text_of(field[FIELD_ENTITY_ID]));
	alert->summary = alert_text_of(field[FIELD_SUMMARY]);
	if (!alert_read_bool(field[FIELD_SUPPRESSED], &alert->suppressed))
		alert->suppressed = false;
	alert->sla = copy_id(arena, field[FIELD_SLA]);
	alert->escalation_policy = copy_id(arena, field[FIELD_ESCALATION_POLICY]);
	alert->priority = copy_id(arena, field[FIELD_PRIORITY]);
	alert->tags = copy_tags(arena, field[FIELD_TAGS]);
}

bool
alert_read(const struct json *object, int default_type, struct slice made_entity,
    struct arena *arena, struct alert *alert, struct slice *why)
{
	struct alert_body body;

	*alert = (struct alert){0};
	if (object->type != JSON_OBJECT) {
		*why = SLICE("the body is not a JSON object");
		return false;
	}
	body = alert_body(object);
	if (!read_message(&body, alert, why) ||
	    !read_type(&body, default_type, arena, alert, why))
		return false;
	read_optional(&body, arena, alert);
	if (alert->entity_id.n == 0)
		alert->entity_id = made_entity;
	alert->fields = alert_write(arena, &body, alert);
	if (alert->fields.n == 0) {
		*why = SLICE("the alert is too large");
		return false;
	}
	return true;
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
