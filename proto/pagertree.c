/*
 * An alert in the format of PagerTree's webhook (CONTRACT §6).
 *
 *     {"event_type": " Create", "ID": 7, "Title": "t", "Tags": ["a", "", "a"], "zone": 1}
 *       keys in lower case, of several alike the last
 *     --> what the engine works with: type, entity id, message, summary, urgency, tags
 *     --> the body, changed in place, is the payload: {"tags": ["a"], "zone": 1}
 *
 * As in the generic format, optional values of a wrong kind are left out, never refused.
 */
#include "proto/pagertree.h"

#include "proto/json_repeat.h"
#include "proto/json_write.h"

static const struct event {
	const char *name;
	enum alert_type type;
} events[] = {
	{"create", ALERT_CRITICAL},
	{"acknowledge", ALERT_ACKNOWLEDGED},
	{"resolve", ALERT_RESOLVED},
};

/* ---- the payload ------------------------------------------------------------------------- */

static bool
has_upper(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (ascii_lower(text.p[i]) != text.p[i])
			return true;
	return false;
}

/* False without room. */
static bool
lower_keys(struct arena *arena, struct json *object)
{
	char *lower;

	for (struct json *member = object->first; member != NULL; member = member->next) {
		if (!has_upper(member->key))
			continue;
		lower = arena_alloc(arena, member->key.n);
		if (lower == NULL)
			return false;
		for (size_t i = 0; i < member->key.n; i++)
			lower[i] = ascii_lower(member->key.p[i]);
		member->key.p = lower;
	}
	return json_repeat_merge(arena, object);
}

/* Makes an element of the tags its text, under that text as its key; false for what is no tag. */
static bool
make_tag(struct json *item, uint32_t nth)
{
	if (!json_scalar(item, &item->text) || slice_trim(item->text).n == 0)
		return false;
	item->type = JSON_STRING;
	item->key = item->text;
	item->key_at = nth;
	return true;
}

static bool
is_scalar(const struct json *value)
{
	struct slice text;

	return json_scalar(value, &text);
}

/* A scalar becomes the array of it. Texts that are their own keys lose repeats as keys do. */
static bool
clean_tags(struct arena *arena, struct json *tags)
{
	struct json **link = &tags->first, *copy;

	if (tags->type != JSON_ARRAY) {
		copy = arena_alloc(arena, sizeof *copy);
		if (copy == NULL)
			return false;
		*copy = *tags;
		copy->next = NULL;
		tags->type = JSON_ARRAY;
		tags->first = copy;
	}
	tags->count = 0;
	while (*link != NULL)
		if (make_tag(*link, tags->count + 1)) {
			tags->count++;
			link = &(*link)->next;
		} else {
			*link = (*link)->next;
		}
	return json_repeat_merge(arena, tags);
}

/* Does the member belong in the payload? */
static bool
stays(const struct json *member, bool capture)
{
	static const char *const own[] = {"event_type", "id", "title", "description"};

	for (size_t i = 0; i < COUNT_OF(own); i++)
		if (slice_is(member->key, slice_of(own[i])))
			return false;
	if (slice_is(member->key, SLICE("tags")))
		return member->type == JSON_ARRAY || is_scalar(member);
	if (slice_is(member->key, SLICE("meta")))
		return member->type == JSON_OBJECT;
	if (slice_is(member->key, SLICE("urgency")))
		return is_scalar(member);
	return capture;
}

static bool
make_payload(struct arena *arena, struct json *body, bool capture)
{
	for (struct json **link = &body->first; *link != NULL;) {
		struct json *member = *link;

		if (!stays(member, capture)) {
			*link = member->next;
			body->count--;
			continue;
		}
		if (slice_is(member->key, SLICE("tags")) && !clean_tags(arena, member))
			return false;
		link = &member->next;
	}
	return true;
}

/* ---- the alert --------------------------------------------------------------------------- */

static struct slice
text_of(const struct json *body, const char *key)
{
	struct slice text;

	return json_scalar(json_get(body, key), &text) ? text : (struct slice){NULL, 0};
}

static enum pagertree_result
read_event(const struct json *body, struct arena *arena, struct alert *alert, struct slice *why)
{
	const struct json *value = json_get(body, "event_type");
	struct slice text;

	if (!json_scalar(value, &text)) {
		*why = value == NULL ? SLICE("event_type is missing")
				     : SLICE("event_type is not a text");
		return PAGERTREE_NOTHING;
	}
	for (const struct event *e = events; e < events + COUNT_OF(events); e++)
		if (slice_is_nocase(slice_trim(text), slice_of(e->name))) {
			alert->type = e->type;
			return PAGERTREE_ALERT;
		}
	*why = alert_unknown(arena, "event_type", text, "create, acknowledge, resolve");
	return PAGERTREE_NOTHING;
}

static enum pagertree_result
read_title(const struct json *body, struct alert *alert, struct slice *why)
{
	const struct json *value = json_get(body, "title");

	alert->message = text_of(body, "title");
	if (alert->type != ALERT_CRITICAL || slice_trim(alert->message).n > 0)
		return PAGERTREE_ALERT;
	if (value == NULL || value->type == JSON_NULL)
		*why = SLICE("Title is missing");
	else if (!is_scalar(value))
		*why = SLICE("Title is not a text, a number or a boolean");
	else
		*why = SLICE("Title is empty");
	return PAGERTREE_WRONG;
}

static enum pagertree_result
read_id(const struct json *body, struct slice made, struct arena *arena, struct alert *alert,
    struct slice *why)
{
	struct slice id = text_of(body, "id");

	if (id.n == 0 && alert->type != ALERT_CRITICAL) {
		*why = SLICE("Id is missing, so there is nothing to acknowledge or resolve");
		return PAGERTREE_NOTHING;
	}
	alert->entity_id = id.n == 0 ? made : alert_entity(arena, id);
	return PAGERTREE_ALERT;
}

static bool
contains_nocase(struct slice text, struct slice word)
{
	for (size_t i = 0; i + word.n <= text.n; i++)
		if (slice_is_nocase((struct slice){text.p + i, word.n}, word))
			return true;
	return false;
}

/* The highest that is named counts. */
static int
read_urgency(const struct json *payload)
{
	static const struct {
		const char *word;
		int urgency;
	} words[] = {{"critical", 1}, {"high", 1}, {"medium", 0}, {"low", 0}};
	struct slice text = text_of(payload, "urgency");

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (contains_nocase(text, slice_of(words[i].word)))
			return words[i].urgency;
	return -1;
}

static struct slice
write_tags(struct arena *arena, const struct json *tags)
{
	struct buf buf;
	struct json_writer w = {.buf = &buf};

	if (tags == NULL || tags->count == 0)
		return (struct slice){NULL, 0};
	buf_init_arena(&buf, arena);
	json_tree(&w, tags);
	return buf_slice(&buf);
}

static struct slice
write_fields(struct arena *arena, const struct json *payload, const struct alert *alert)
{
	struct buf buf;
	struct json_writer w = {.buf = &buf};

	buf_init_arena(&buf, arena);
	json_open(&w, '{');
	json_key(&w, "message");
	json_string(&w, alert->message);
	json_key(&w, "alert_type");
	json_text(&w, alert_type_name((int)alert->type));
	json_key(&w, "entity_id");
	json_string(&w, alert->entity_id);
	json_key(&w, "summary");
	json_string(&w, alert->summary);
	json_key(&w, "payload");
	json_tree(&w, payload);
	json_close(&w, '}');
	return buf_slice(&buf);
}

static enum pagertree_result
read_alert(const struct json *body, struct slice made, struct arena *arena, struct alert *alert,
    struct slice *why)
{
	enum pagertree_result result = read_event(body, arena, alert, why);

	if (result == PAGERTREE_ALERT)
		result = read_title(body, alert, why);
	if (result == PAGERTREE_ALERT)
		result = read_id(body, made, arena, alert, why);
	alert->summary = text_of(body, "description");
	return result;
}

enum pagertree_result
pagertree_read(struct json *body, bool capture, struct slice made_entity, struct arena *arena,
    struct alert *alert, struct slice *why)
{
	enum pagertree_result result = PAGERTREE_ALERT;

	*alert = (struct alert){0};
	if (body->type != JSON_OBJECT) {
		*why = SLICE("the body is not a JSON object");
		return PAGERTREE_WRONG;
	}
	if (lower_keys(arena, body))
		result = read_alert(body, made_entity, arena, alert, why);
	if (result != PAGERTREE_ALERT)
		return result;
	if (!arena->failed && make_payload(arena, body, capture)) {
		alert->urgency = read_urgency(body);
		alert->tags = write_tags(arena, json_get(body, "tags"));
		alert->fields = write_fields(arena, body, alert);
	}
	if (!arena->failed)
		return PAGERTREE_ALERT;
	*why = SLICE("the alert is too large");
	return PAGERTREE_WRONG;
}
