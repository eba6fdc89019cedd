/* One row for each field: its name, where it goes, and what reads it. */
#include "gateway/change.h"

#include <stddef.h>

struct reading {
	struct arena *arena;
	struct slice assigned;
};

/* A number's own text, or a text. */
static struct slice
text_of(const struct json *value)
{
	bool scalar = value->type == JSON_NUMBER || value->type == JSON_STRING;

	return scalar ? value->text : (struct slice){NULL, 0};
}

static bool
is_none(const struct json *value)
{
	return value->type == JSON_NULL || (value->type == JSON_STRING && value->text.n == 0);
}

static bool
is_blank(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != ' ' && (text.p[i] < '\t' || text.p[i] > '\r'))
			return false;
	return true;
}

static const char *
read_status(struct reading *r, const struct json *value, void *to)
{
	struct slice text = text_of(value);

	(void)r;
	if (text.n != 1 || text.p[0] < '1' || text.p[0] > '3')
		return "is not 1, 2 or 3";
	*(enum incident_status *)to = (enum incident_status)(text.p[0] - '0');
	return NULL;
}

static const char *
read_urgency(struct reading *r, const struct json *value, void *to)
{
	struct slice text = text_of(value);

	(void)r;
	if (text.n != 1 || text.p[0] < '0' || text.p[0] > '1')
		return "is not 0 or 1";
	*(int *)to = text.p[0] - '0';
	return NULL;
}

static const char *
read_title(struct reading *r, const struct json *value, void *to)
{
	(void)r;
	if (value->type != JSON_STRING)
		return "is not a text";
	*(struct slice *)to = value->text;
	return is_blank(value->text) ? "is empty" : NULL;
}

static const char *
read_summary(struct reading *r, const struct json *value, void *to)
{
	(void)r;
	if (value->type != JSON_STRING && value->type != JSON_NULL)
		return "is not a text";
	*(struct slice *)to = value->text;
	return NULL;
}

static const char *
read_user(struct reading *r, const struct json *value, void *to)
{
	*(struct slice *)to = value->text;
	if (is_none(value))
		return NULL;
	if (value->type != JSON_STRING)
		return "is not a username";
	if (slice_is(value->text, r->assigned) ||
	    conf_user_by_name(route_conf(), value->text) != NULL)
		return NULL;
	return "is not the username of a configured user";
}

static const char *
read_id(struct reading *r, const struct json *value, void *to)
{
	char text[UUID_TEXT];
	struct uuid id;

	*(struct slice *)to = (struct slice){NULL, 0};
	if (is_none(value))
		return NULL;
	if (value->type != JSON_STRING || !uuid_parse(value->text, &id))
		return "is not a unique id";
	uuid_text(&id, text);
	*(struct slice *)to = arena_copy(r->arena, slice_of(text));
	return r->arena->failed ? "is too much" : NULL;
}

static const struct field {
	const char *name;
	unsigned bit;
	size_t at; /* in struct incident */
	/* What is wrong, or NULL. */
	const char *(*read)(struct reading *, const struct json *value, void *to);
} fields[] = {
    {"summary", FIELD_SUMMARY, offsetof(struct incident, summary), read_summary},
    {"status", FIELD_STATUS, offsetof(struct incident, status), read_status},
    {"title", FIELD_TITLE, offsetof(struct incident, title), read_title},
    {"assigned_to", FIELD_ASSIGNED_TO, offsetof(struct incident, assigned_to), read_user},
    {"escalation_policy", FIELD_ESCALATION_POLICY,
	offsetof(struct incident, escalation_policy), read_id},
    {"sla", FIELD_SLA, offsetof(struct incident, sla), read_id},
    {"team_priority", FIELD_PRIORITY, offsetof(struct incident, priority), read_id},
    {"urgency", FIELD_URGENCY, offsetof(struct incident, urgency), read_urgency},
};

bool
change_read(struct route_request *request, struct arena *arena, const struct json *body,
    struct slice assigned, struct record_incident *change)
{
	struct reading reading = {arena, assigned};

	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		const struct field *field = &fields[i];
		const struct json *value = json_get(body, field->name);
		const char *wrong;

		if (value == NULL)
			continue;
		wrong = field->read(&reading, value, (char *)&change->to + field->at);
		if (wrong != NULL)
			return route_refuse(request, slice_of(field->name), wrong);
		change->fields |= field->bit;
	}
	return true;
}
