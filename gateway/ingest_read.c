/*
 * From a body to alerts (CONTRACT §5, §7):
 *
 *     body ── split ──┬─ element ── mapping ── door: read ── rules ── alert
 *                     └─ element ── ...
 *
 * All of it is a function of body, configuration, time, and when the last similar incident was
 * made.
 */
#include "gateway/clock.h"
#include "gateway/ingest.h"
#include "gateway/record.h"
#include "gateway/turn.h"
#include "proto/mapping.h"
#include "proto/rules.h"

static const char too_large[] = "the alert is too large";

/* ---- split ------------------------------------------------------------------------------- */

static struct slice
refuse_split(struct ingest *in, const struct json *found)
{
	struct slice path = in->integration->split->text;
	const char *what = "is missing";

	if (found != NULL && found->type != JSON_ARRAY)
		what = "is not an array";
	else if (found != NULL && found->count == 0)
		what = "is empty";
	else if (found != NULL)
		return arena_printf(in->arena,
		    "%.*s has %u elements, more than limits.split (%lld)", (int)path.n, path.p,
		    found->count, (long long)route_conf()->limits.split);
	return arena_printf(in->arena, "%.*s %s", (int)path.n, path.p, what);
}

/* The body as it came is one alert. */
static struct json *
split(struct ingest *in, size_t *count, struct slice *why)
{
	const struct json *found = path_find(in->integration->split, &in->scope);

	if (found == NULL || found->type != JSON_ARRAY || found->count == 0 ||
	    found->count > route_conf()->limits.split) {
		*why = refuse_split(in, found);
		return NULL;
	}
	in->scope.root = in->body;
	*count = found->count;
	return found->first;
}

struct json *
ingest_elements(struct ingest *in, size_t *count, struct slice *why)
{
	in->scope = (struct scope){.here = in->body,
	    .arena = in->arena,
	    .lasting = in->arena,
	    .limits = route_json_limits()};
	*count = 1;
	if (in->body->type == JSON_OBJECT)
		return in->integration->split == NULL ? in->body : split(in, count, why);
	*why = SLICE("the body is not a JSON object");
	return NULL;
}

/* ---- rules ------------------------------------------------------------------------------- */

/* Seconds since the last incident of the same key was made, in this turn too; -1 if that is long
 * ago. */
static int64_t
since_similar(const struct ingest *in, struct slice entity_id)
{
	struct txn *txn = in->txn != NULL ? in->txn : turn_write();
	int64_t at, since;

	if (txn == NULL || !similar_get(txn, in->integration->id, entity_id, &at))
		return -1;
	since = (clock_steady() - at) / CLOCK_S;
	return since > SUBJECT_SIMILAR_MOST ? -1 : since;
}

static void
apply_rules(struct ingest *in, struct ingest_alert *alert)
{
	const struct rules *rules = in->integration->rules;
	struct subject_facts facts = {.wall = clock_wall(),
	    .since_similar = -1,
	    .default_urgency = in->integration->default_urgency,
	    .limits = in->scope.limits,
	    .payload = alert->payload};

	if (rules_want_similar(rules)) {
		alert->similar = alert->alert.entity_id;
		facts.since_similar = since_similar(in, alert->similar);
	}
	rules_apply(rules, in->arena, &facts, &alert->alert, &alert->rules, in->scope.observer);
}

/* ---- an alert ---------------------------------------------------------------------------- */

static bool
is_too_large(const struct alert *alert)
{
	return alert->message.n + alert->summary.n + alert->fields.n + alert->notes.n >
	       RECORD_ALERT_MOST;
}

static enum ingest_reading
read_alert(struct ingest *in, struct json *element, struct ingest_alert *alert, struct slice *why)
{
	const struct mapping *mapping = in->integration->mapping;
	enum ingest_reading reading;

	in->scope.here = element;
	in->scope.arena = in->arena;
	in->scope.texts = NULL;
	if (mapping != NULL) {
		element = mapping_apply(mapping, &in->scope);
	} else if (element->type != JSON_OBJECT) {
		*why = SLICE("the element is not a JSON object");
		return INGEST_WRONG;
	}
	if (in->arena->failed || in->scope.lasting->failed)
		return INGEST_LARGE;
	reading = in->door->read(in, element, alert, why);
	if (reading == INGEST_READ && in->integration->rules != NULL)
		apply_rules(in, alert);
	if (in->arena->failed || (reading == INGEST_READ && is_too_large(&alert->alert)))
		return INGEST_LARGE;
	return reading;
}

enum ingest_reading
ingest_read(struct ingest *in, struct json *element, struct ingest_alert *alert,
    struct slice *why)
{
	bool mapped = in->integration->mapping != NULL, one = in->integration->split == NULL;
	enum ingest_reading reading = read_alert(in, element, alert, why);

	if (reading == INGEST_READ || reading == INGEST_NOTHING || (one && !mapped))
		return reading;
	*alert = (struct ingest_alert){.failure = slice_of(too_large)};
	if (reading == INGEST_WRONG)
		alert->failure = !mapped ? *why
					 : arena_printf(in->arena, "mapping: %.*s", (int)why->n,
					       why->p);
	return INGEST_READ;
}
