/* What alert.c, which reads a body, and alert_fields.c, which writes the record of it, share. */
#ifndef PROTO_ALERT_PARTS_H
#define PROTO_ALERT_PARTS_H

#include "proto/alert.h"

/* The record of the alert: what the alert says, and what else the body says. Empty if the arena is
 * full. */
struct slice alert_write(struct arena *, const struct json *body, const struct alert *) NONNULL;

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
