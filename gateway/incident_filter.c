/* From a filter's body to a judgement on each row. */
#include "gateway/incident_filter.h"

#include "gateway/engine.h"
#include "gateway/filter.h"
#include "proto/date.h"

enum { BODY_MEMORY = 4 << 20, USERS_MEMORY = 64 << 10 };

static const unsigned open_statuses = 1u << INCIDENT_TRIGGERED | 1u << INCIDENT_ACKNOWLEDGED;

/* ---- from the body ----------------------------------------------------------------------- */

static bool
read_status(struct route_request *request, const struct json *value,
    struct incident_filter *filter)
{
	static const struct {
		const char *text;
		unsigned statuses;
	} known[] = {{"-1", 1u << INCIDENT_TRIGGERED | 1u << INCIDENT_ACKNOWLEDGED},
	    {"0", 0},
	    {"1", 1u << INCIDENT_TRIGGERED},
	    {"2", 1u << INCIDENT_ACKNOWLEDGED},
	    {"3", 1u << INCIDENT_RESOLVED}};
	struct slice text = SLICE("1");

	if (value == NULL || value->type == JSON_NUMBER || value->type == JSON_STRING)
		text = value == NULL ? text : value->text;
	else
		text.n = 0;
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (slice_is(text, slice_of(known[i].text))) {
			filter->statuses = known[i].statuses;
			return true;
		}
	return route_refuse(request, SLICE("status"), "is not -1, 0, 1, 2 or 3");
}

static bool
is_absent(const struct json *value)
{
	return value == NULL || value->type == JSON_NULL;
}

/* That it is a list of texts, and not a long one. */
static bool
check_list(struct route_request *request, const struct json *list)
{
	if (list->type != JSON_ARRAY)
		return route_refuse(request, list->key, "is not a list");
	if (list->count > INCIDENT_FILTER_IDS)
		return route_refuse(request, list->key, "has more than 100 elements");
	for (const struct json *item = list->first; item != NULL; item = item->next)
		if (item->type != JSON_STRING)
			return route_refuse(request, list->key, "has an element that is no text");
	return true;
}

static bool
read_ids(struct route_request *request, const struct json *list, struct incident_filter_ids *set)
{
	if (is_absent(list))
		return true;
	if (!check_list(request, list))
		return false;
	for (const struct json *item = list->first; item != NULL; item = item->next)
		if (!uuid_parse(item->text, &set->ids[set->count++]))
			return route_refuse(request, list->key,
			    "has an element that is no unique id");
	return true;
}

static bool
read_users(struct route_request *request, const struct json *list, struct incident_filter *filter)
{
	if (is_absent(list))
		return true;
	if (!check_list(request, list))
		return false;
	for (const struct json *item = list->first; item != NULL; item = item->next)
		filter->users[filter->user_count++] = arena_copy(&filter->arena, item->text);
	return !filter->arena.failed ||
	       route_refuse(request, list->key, "has elements that are too long");
}

/* An instant, or the beginning of a day; the vendor sends [] for none. */
static bool
read_date(struct route_request *request, const struct json *value, int64_t *wall)
{
	char day[32];

	if (is_absent(value) || (value->type == JSON_ARRAY && value->count == 0) ||
	    (value->type == JSON_STRING && value->text.n == 0))
		return true;
	if (value->type == JSON_STRING && date_parse(value->text, wall))
		return true;
	if (value->type == JSON_STRING && value->text.n == strlen("2026-11-21")) {
		memcpy(day, value->text.p, value->text.n);
		memcpy(day + value->text.n, "T00:00:00Z", sizeof "T00:00:00Z");
		if (date_parse(slice_of(day), wall))
			return true;
	}
	return route_refuse(request, value->key, "is not a date of RFC 3339");
}

static bool
read_lists(struct route_request *request, const struct json *body, struct incident_filter *filter)
{
	const struct {
		const char *name;
		struct incident_filter_ids *ids;
	} lists[] = {{"service_ids", &filter->services},
	    {"team_ids", &filter->teams},
	    {"priority_ids", &filter->priorities},
	    {"sla_ids", &filter->slas},
	    {"escalation_policy_ids", &filter->policies},
	    {"tag_ids", &filter->tags}};

	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		if (!read_ids(request, json_get(body, lists[i].name), lists[i].ids))
			return false;
		filter->narrow = filter->narrow || lists[i].ids->count > 0;
	}
	return true;
}

static bool
read_body(struct route_request *request, struct arena *arena, struct incident_filter *filter)
{
	const struct json *body = route_body(request, arena);

	if (body == NULL || !read_status(request, json_get(body, "status"), filter) ||
	    !read_lists(request, body, filter) ||
	    !read_users(request, json_get(body, "user_ids"), filter) ||
	    !read_date(request, json_get(body, "from_date"), &filter->from) ||
	    !read_date(request, json_get(body, "to_date"), &filter->to))
		return false;
	filter->narrow = filter->narrow || filter->user_count > 0 || filter->from != 0 ||
			 filter->to != 0;
	return true;
}

bool
incident_filter_read(struct route_request *request, struct incident_filter *filter)
{
	struct arena arena;
	bool ok;

	arena_init(&filter->arena, USERS_MEMORY);
	arena_init(&arena, BODY_MEMORY);
	ok = read_body(request, &arena, filter);
	arena_free(&arena);
	return ok;
}

void
incident_filter_free(struct incident_filter *filter)
{
	arena_free(&filter->arena);
}

/* ---- on a row ---------------------------------------------------------------------------- */

static bool
has(const struct incident_filter_ids *set, const struct uuid *id)
{
	for (size_t i = 0; i < set->count; i++)
		if (uuid_compare(&set->ids[i], id) == 0)
			return true;
	return set->count == 0;
}

static bool
has_text(const struct incident_filter_ids *set, struct slice text)
{
	struct uuid id;

	return set->count == 0 || (uuid_parse(text, &id) && has(set, &id));
}

/* tags: a JSON array of texts, as text. What stands between two quotes and is an id is a tag. */
static bool
has_tag(const struct incident_filter_ids *set, struct slice tags)
{
	const size_t n = UUID_TEXT - 1;

	if (set->count == 0)
		return true;
	for (size_t i = 0; i + n + 1 < tags.n; i++)
		if (tags.p[i] == '"' && tags.p[i + n + 1] == '"' &&
		    has_text(set, (struct slice){tags.p + i + 1, n}))
			return true;
	return false;
}

static bool
has_user(const struct incident_filter *filter, struct slice username)
{
	for (size_t i = 0; i < filter->user_count; i++)
		if (slice_is(filter->users[i], username))
			return true;
	return filter->user_count == 0;
}

static bool
has_service(const struct incident_filter *filter, uint32_t id)
{
	const struct conf_service *service = engine_service(id);

	if (service == NULL)
		return filter->services.count + filter->teams.count == 0;
	return has(&filter->services, &service->facts.unique_id) &&
	       has_text(&filter->teams, service->facts.team);
}

static bool
matches(const struct incident_filter *filter, const struct incident_row *row)
{
	if (filter->statuses != 0 && !(filter->statuses & 1u << row->status))
		return false;
	return !filter->narrow ||
	       (has_service(filter, row->service) &&
		   has_text(&filter->priorities, row->priority) &&
		   has_text(&filter->slas, row->sla) &&
		   has_text(&filter->policies, row->escalation_policy) &&
		   has_tag(&filter->tags, row->tags) && has_user(filter, row->assigned_to) &&
		   (filter->from == 0 || row->created >= filter->from) &&
		   (filter->to == 0 || row->created < filter->to));
}

static bool
is_for_open(const struct incident_filter *filter)
{
	return filter->statuses != 0 && (filter->statuses & ~open_statuses) == 0;
}

static bool
find(struct txn *txn, const struct incident_filter *filter, bool up, uint64_t *number,
    struct incident_row *row)
{
	if (is_for_open(filter))
		return (up ? open_after(txn, number) : open_before(txn, number)) &&
		       incidents_get(txn, *number, row);
	return up ? incidents_after(txn, number, row) : incidents_before(txn, number, row);
}

enum page_step
incident_filter_look(struct txn *txn, const struct incident_filter *filter, bool up,
    uint64_t *number, struct incident_row *row)
{
	if (!find(txn, filter, up, number, row))
		return PAGE_END;
	if (!up && filter->from != 0 && row->created < filter->from - FILTER_SLACK)
		return PAGE_END; /* those before it are older still */
	return matches(filter, row) ? PAGE_MATCH : PAGE_SKIP;
}

bool
incident_filter_count(struct txn *txn, const struct incident_filter *filter, uint64_t *n)
{
	bool all_open = filter->statuses == open_statuses;

	*n = all_open ? open_count(txn) : incidents_count(txn);
	return !filter->narrow && (all_open || filter->statuses == 0);
}
