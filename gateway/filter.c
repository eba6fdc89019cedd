/*
 * Three ways down, all by the same key, the delivery id:
 *
 *   an incident's           its newest event, the deliveries of that, the event before it, ...
 *   a webhook's dead ones   by the index of dead letters
 *   any other               by the table of deliveries
 */
#include "gateway/filter.h"

#include "proto/date.h"

enum { NAME_ROOM = 2048, DATE_ROOM = 64 };

/* ---- from the query ---------------------------------------------------------------------- */

static bool
read_webhook(struct route_request *request, struct txn *txn, struct filter *filter)
{
	struct slice text = route_query(request, "webhook");
	char room[NAME_ROOM];
	struct name_row name;

	if (text.n == 0)
		return true;
	/* In the store, as there may be rows of one that is no longer configured. */
	if (!names_get(txn, NAME_WEBHOOK, route_decode(text, room, sizeof room), &name)) {
		route_not_found(request);
		return false;
	}
	filter->webhook = name.id;
	return true;
}

static bool
read_incident(struct route_request *request, struct txn *txn, struct filter *filter)
{
	struct slice text = route_query(request, "incident");
	struct incident_row incident;

	if (text.n == 0)
		return true;
	if (!route_number(text, &filter->incident) || filter->incident == 0) {
		route_detail(request, 400, "incident: is not an incident's number");
		return false;
	}
	filter->chained = incidents_get(txn, filter->incident, &incident);
	if (filter->chained)
		filter->last_event = incident.last_event;
	return true;
}

static bool
read_state(struct route_request *request, struct filter *filter)
{
	struct slice text = route_query(request, "state");

	if (text.n == 0)
		return true;
	filter->state = view_state_of(text);
	if (filter->state != VIEW_STATES)
		return true;
	route_detail(request, 400,
	    "state: is not waiting, held, in_flight, delivered or dead");
	return false;
}

static bool
read_since(struct route_request *request, struct filter *filter)
{
	struct slice text = route_query(request, "since");
	char room[DATE_ROOM];

	if (text.n == 0)
		return true;
	if (date_parse(route_decode(text, room, sizeof room), &filter->since))
		return true;
	route_detail(request, 400, "since: is not a date of RFC 3339");
	return false;
}

bool
filter_read(struct route_request *request, struct txn *txn, struct filter *filter)
{
	*filter = (struct filter){.state = VIEW_STATES, .since = INT64_MIN};
	return read_webhook(request, txn, filter) && read_incident(request, txn, filter) &&
	       read_state(request, filter) && read_since(request, filter);
}

bool
filter_is_open(const struct filter *filter)
{
	return filter->webhook == 0 && filter->incident == 0 && filter->state == VIEW_STATES &&
	       filter->since == INT64_MIN;
}

/* ---- the walk ---------------------------------------------------------------------------- */

struct uuid
filter_newest(const struct filter *filter)
{
	struct uuid newest;

	memset(&newest, 0xff, sizeof newest);
	return filter->chained ? delivery_id(&filter->last_event, UINT32_MAX) : newest;
}

static enum page_step
judge(const struct filter *filter, const struct uuid *id, const struct delivery_row *row)
{
	bool match = (filter->webhook == 0 || filter->webhook == delivery_webhook(id)) &&
		     (filter->incident == 0 || filter->incident == row->number) &&
		     row->created >= filter->since &&
		     (filter->state == VIEW_STATES || filter->state == view_state(id, row));

	return match ? PAGE_MATCH : PAGE_SKIP;
}

/* The event at *at has no more deliveries: on to the incident's event before it. */
static enum page_step
down_event(struct txn *txn, struct filter *filter, struct uuid *at)
{
	struct uuid id = delivery_event(at);
	struct event_row event;

	if (!events_get(txn, &id, &event)) {
		filter->chained = false; /* expired, but there may be undelivered ones before it */
		return PAGE_SKIP;
	}
	*at = delivery_id(&event.previous, UINT32_MAX);
	return uuid_is_zero(&event.previous) ? PAGE_END : PAGE_SKIP;
}

static bool
find_down(struct txn *txn, const struct filter *filter, struct uuid *id, struct delivery_row *row)
{
	if (filter->state == VIEW_DEAD && filter->webhook != 0 && !filter->chained)
		return dead_before(txn, filter->webhook, id) && deliveries_get(txn, id, row);
	return deliveries_before(txn, id, row);
}

enum page_step
filter_down(struct txn *txn, struct filter *filter, struct uuid *at, struct uuid *id,
    struct delivery_row *row)
{
	struct uuid event = delivery_event(at), found;
	bool any;

	*id = *at;
	any = find_down(txn, filter, id, row);
	found = delivery_event(id);
	if (filter->chained && (!any || uuid_compare(&found, &event) != 0))
		return down_event(txn, filter, at);
	if (!any || (filter->since != INT64_MIN && row->created < filter->since - FILTER_SLACK))
		return PAGE_END;
	*at = *id;
	uuid_previous(at);
	return judge(filter, id, row);
}

enum page_step
filter_up(struct txn *txn, const struct filter *filter, struct uuid *at, struct uuid *id,
    struct delivery_row *row)
{
	*id = *at;
	if (!deliveries_after(txn, id, row))
		return PAGE_END;
	*at = *id;
	uuid_next(at);
	return judge(filter, id, row);
}
