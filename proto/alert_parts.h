/* What alert.c, which reads a body, and alert_fields.c, which writes the record of it, share. */
#ifndef PROTO_ALERT_PARTS_H
#define PROTO_ALERT_PARTS_H

#include "proto/alert.h"

/* The fields that have a meaning, in the order in which a record has them. */
enum alert_field {
	FIELD_MESSAGE,
	FIELD_ALERT_TYPE,
	FIELD_ENTITY_ID,
	FIELD_SUMMARY,
	FIELD_SUPPRESSED,
	FIELD_PAYLOAD,
	FIELD_URLS,
	FIELD_SLA,
	FIELD_ESCALATION_POLICY,
	FIELD_PRIORITY,
	FIELD_TAGS,
	FIELD_STAKEHOLDERS,
	FIELD_STAKEHOLDERS_COMMS,
	FIELD_STAKEHOLDER_COMMS, /* the same, as the vendor's own example has it */
	FIELD_COUNT
};

/* A body's members by their meaning; NULL where there is none. */
struct alert_body {
	const struct json *object;
	const struct json *field[FIELD_COUNT];
	uint32_t known; /* members that are one of these */
};

/* Reads the names of an object's members, once. */
struct alert_body alert_body(const struct json *object) MUST NONNULL;

/* The record of the alert: what the alert says, and what else the body says. Empty if the arena is
 * full. */
struct slice alert_write(struct arena *, const struct alert_body *, const struct alert *) NONNULL;

static inline bool
alert_is_type(const struct json *value, enum json_type type)
{
	return value != NULL && value->type == type;
}

/* Null counts as absent: that is how many languages print a value that is not there. */
static inline bool
alert_is_absent(const struct json *value)
{
	return value == NULL || value->type == JSON_NULL;
}

/* A scalar's text, or nothing. */
static inline struct slice
alert_text_of(const struct json *value)
{
	struct slice text;

	return json_scalar(value, &text) ? text : (struct slice){NULL, 0};
}

/* true, false or their texts in any letter case. */
static inline bool
alert_read_bool(const struct json *value, bool *truth)
{
	struct slice text = alert_text_of(value);

	*truth = slice_is_nocase(text, SLICE("true"));
	return *truth || slice_is_nocase(text, SLICE("false"));
}

static inline bool
alert_read_id(const struct json *value, char text[UUID_TEXT])
{
	struct uuid id;

	if (!alert_is_type(value, JSON_STRING) || !uuid_parse(value->text, &id))
		return false;
	uuid_text(&id, text);
	return true;
}

#endif
