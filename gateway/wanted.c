/*
 * The body of POST /api/deliveries/replay (CONTRACT §9). Every field is a text; whatever is not
 * understood is refused, as its effect cannot be taken back.
 */
#include "gateway/wanted.h"

#include "proto/date.h"

enum { BODY_MEMORY = 1 << 20 };

static bool
read_state(struct route_request *request, const struct json *value, struct wanted *wanted)
{
	wanted->state = DELIVERY_DEAD;
	if (value == NULL || slice_is(value->text, SLICE("dead")))
		return true;
	wanted->state = DELIVERY_DELIVERED;
	return slice_is(value->text, SLICE("delivered")) ||
	       route_refuse(request, SLICE("state"), "is not dead or delivered");
}

static bool
read_date(struct route_request *request, const struct json *value, int64_t *wall)
{
	return value == NULL || date_parse(value->text, wall) ||
	       route_refuse(request, value->key, "is not a date of RFC 3339");
}

static bool
read_webhook(struct route_request *request, const struct json *value, struct wanted *wanted)
{
	const struct conf_webhook *webhook;

	if (value == NULL)
		return route_refuse(request, SLICE("webhook"), "is required");
	webhook = conf_webhook_by_name(route_conf(), value->text);
	if (webhook == NULL)
		route_not_found(request);
	else
		wanted->webhook = webhook->id;
	return webhook != NULL;
}

/* A field that nobody knows is refused: with a misspelt date too many would be replayed. */
static bool
check_fields(struct route_request *request, const struct json *body)
{
	static const char *const known[] = {"webhook", "since", "until", "state"};

	for (const struct json *field = body->first; field != NULL; field = field->next) {
		bool found = false;

		for (size_t i = 0; i < COUNT_OF(known); i++)
			found = found || slice_is(field->key, slice_of(known[i]));
		if (!found)
			return route_refuse(request, field->key, "is not a field of a replay");
		if (field->type != JSON_STRING)
			return route_refuse(request, field->key, "is not a text");
	}
	return true;
}

static bool
read_body(struct route_request *request, struct arena *arena, struct wanted *wanted)
{
	const struct json *body = route_body(request, arena);

	if (body == NULL)
		return false;
	return check_fields(request, body) &&
	       read_date(request, json_get(body, "since"), &wanted->since) &&
	       read_date(request, json_get(body, "until"), &wanted->until) &&
	       read_state(request, json_get(body, "state"), wanted) &&
	       read_webhook(request, json_get(body, "webhook"), wanted);
}

bool
wanted_read(struct route_request *request, struct wanted *wanted)
{
	struct arena arena;
	bool ok;

	*wanted = (struct wanted){.since = INT64_MIN, .until = INT64_MAX};
	arena_init(&arena, BODY_MEMORY);
	ok = read_body(request, &arena, wanted);
	arena_free(&arena);
	return ok;
}
