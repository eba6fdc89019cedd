/*
 * An alert as an object:
 *
 *     {message, summary, entity_id, alert_type, urgency, suppressed, payload,
 *      alert_time, alert_date, day_of_week, seconds_since_similar}
 */
#include "proto/subject.h"

#include <stdio.h>

#include "proto/date.h"
#include "proto/json_make.h"
#include "proto/text.h"

static const char *const days[] = {"sunday", "monday", "tuesday", "wednesday", "thursday",
    "friday", "saturday"};

static const char *
refuse_type(struct slice text)
{
	int type = alert_type_parse(text);

	return type >= 0 && slice_is(text, slice_of(alert_type_name(type)))
		   ? NULL
		   : "is not one of " ALERT_TYPE_WORDS;
}

static const char *
refuse_urgency(struct slice text)
{
	return slice_is(text, SLICE("high")) || slice_is(text, SLICE("low"))
		   ? NULL
		   : "must be high or low";
}

static const char *
refuse_bool(struct slice text)
{
	return slice_is(text, SLICE("true")) || slice_is(text, SLICE("false"))
		   ? NULL
		   : "must be true or false";
}

static const char *
refuse_day(struct slice text)
{
	for (size_t i = 0; i < COUNT_OF(days); i++)
		if (slice_is(text, slice_of(days[i])))
			return NULL;
	return "must be a day such as monday";
}

/* True if the text stands for its part of a whole date. */
static bool
is_date(const char *before, struct slice text, size_t n, const char *behind)
{
	char whole[64];
	int64_t us;

	if (text.n != n)
		return false;
	snprintf(whole, sizeof whole, "%s%.*s%s", before, (int)n, text.p, behind);
	return date_parse(slice_of(whole), &us);
}

static const char *
refuse_time(struct slice text)
{
	return is_date("2000-01-01T", text, 5, ":00Z") ? NULL : "must be a time such as 22:30";
}

static const char *
refuse_date(struct slice text)
{
	return is_date("", text, 10, "T00:00:00Z") ? NULL : "must be a date such as 2026-11-21";
}

static const char *
refuse_seconds(struct slice text)
{
	double seconds;

	return text_number(text, &seconds) && seconds >= 0 && seconds <= SUBJECT_SIMILAR_MOST
		   ? NULL
		   : "must be seconds, 86400 at most";
}

enum { FIELD_SIMILAR = 10 };

const struct compiler_field subject_fields[] = {
	{"message", false, false, NULL},
	{"summary", false, false, NULL},
	{"entity_id", false, false, NULL},
	{"alert_type", false, false, refuse_type},
	{"urgency", false, false, refuse_urgency},
	{"suppressed", false, false, refuse_bool},
	{"payload", true, false, NULL},
	{"alert_time", false, true, refuse_time},
	{"alert_date", false, false, refuse_date},
	{"day_of_week", false, false, refuse_day},
	[FIELD_SIMILAR] = {"seconds_since_similar", false, false, refuse_seconds},
	{NULL, false, false, NULL},
};

bool
subject_used_similar(uint32_t used)
{
	return used & UINT32_C(1) << FIELD_SIMILAR;
}

static void
put_text(struct arena *arena, struct json *object, const char *name, struct slice text)
{
	json_put(object, name, json_make_text(arena, text));
}

static void
put_time(struct arena *arena, struct json *object, int64_t wall)
{
	const int64_t day = INT64_C(86400) * 1000000;
	int64_t number = wall / day - (wall % day < 0); /* since 1970-01-01, a Thursday */
	char text[DATE_TEXT];
	struct slice copy;

	date_text(wall, text);
	copy = arena_copy(arena, slice_of(text));
	if (copy.p == NULL)
		return;
	put_text(arena, object, "alert_time", (struct slice){copy.p + 11, 5});
	put_text(arena, object, "alert_date", (struct slice){copy.p, 10});
	put_text(arena, object, "day_of_week", slice_of(days[((number + 4) % 7 + 7) % 7]));
}

static void
put_seconds(struct arena *arena, struct json *object, int64_t seconds)
{
	struct json *node = seconds < 0 ? NULL : json_make(arena, JSON_NUMBER);

	if (node != NULL)
		node->text = arena_printf(arena, "%lld", (long long)seconds);
	json_put(object, subject_fields[FIELD_SIMILAR].name, node);
}

struct json *
subject_make(struct arena *arena, const struct alert *alert, const struct subject_facts *facts)
{
	struct json *object = json_make(arena, JSON_OBJECT);
	int urgency = alert->urgency < 0 ? facts->default_urgency : alert->urgency;

	put_text(arena, object, "message", alert->message);
	put_text(arena, object, "summary", alert->summary);
	put_text(arena, object, "entity_id", alert->entity_id);
	put_text(arena, object, "alert_type", slice_of(alert_type_name((int)alert->type)));
	put_text(arena, object, "urgency", urgency > 0 ? SLICE("high") : SLICE("low"));
	json_put(object, "suppressed", json_make_bool(arena, alert->suppressed));
	json_put(object, "payload", json_make_alias(arena, facts->payload));
	put_time(arena, object, facts->wall);
	put_seconds(arena, object, facts->since_similar);
	return object;
}
