/* Incidents as the API shows them (CONTRACT §2): one, or a page of them, newest first. */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/clock.h"
#include "gateway/engine.h"
#include "gateway/route.h"
#include "gateway/turn.h"
#include "proto/json_write.h"
#include "store/store.h"

enum { PAGE_DEFAULT = 50, PAGE_MOST = 500, PAGE_BYTES = 1 << 20 };

/* By number, or by unique id, which holds the number. */
static bool
find_incident(struct txn *txn, struct slice name, uint64_t *number, struct incident_row *row)
{
	struct uuid id;

	if (route_number(name, number))
		return incidents_get(txn, *number, row);
	if (!id22_parse(name, &id))
		return false;
	*number = get_u64(id.b + 8);
	return incidents_get(txn, *number, row) && uuid_compare(&row->unique_id, &id) == 0;
}

static void
write_row(struct json_writer *w, uint64_t number, const struct incident_row *row)
{
	const struct conf_service *service = engine_service(row->service);
	struct incident incident = engine_incident(number, row);
	struct service_facts facts;

	if (service != NULL)
		facts = engine_service_facts(service, clock_wall());
	incident_write_api(w, &incident, service != NULL ? &facts : NULL);
}

void
api_incident(struct route_request *request)
{
	struct txn *txn = turn_read();
	struct incident_row row;
	struct json_writer w;
	uint64_t number;

	if (txn == NULL) {
		in_detail(request->in, 503, "The store cannot be read.");
	} else if (!find_incident(txn, request->part[0], &number, &row)) {
		route_not_found(request);
	} else {
		w = route_reply(request, 200);
		write_row(&w, number, &row);
	}
}

/* ---- pages ------------------------------------------------------------------------------- */

static void
write_link(struct json_writer *w, const char *key, uint64_t page, uint64_t limit)
{
	struct slice url = route_conf()->public_url;
	char text[512];

	json_key(w, key);
	if (page == 0) {
		json_null(w);
		return;
	}
	snprintf(text, sizeof text, "%.*s/api/incidents/?limit=%llu&page=%llu", (int)url.n, url.p,
	    (unsigned long long)limit, (unsigned long long)page);
	json_text(w, text);
}

/* Writes at most limit rows from *from down; *from becomes where the next page starts, 0:
 * nowhere. */
static void
write_rows(struct json_writer *w, struct txn *txn, uint64_t *from, uint64_t limit)
{
	struct incident_row row;
	bool found = false;
	uint64_t n;

	for (n = 0; n < limit && w->buf->n < PAGE_BYTES; n++) {
		found = incidents_before(txn, from, &row);
		if (!found)
			break;
		write_row(w, *from, &row);
		(*from)--;
	}
	if (!found || *from == 0 || !incidents_before(txn, from, &row))
		*from = 0;
}

/* Where the page before the one that starts at `from` starts; 0: from is on the first page. */
static uint64_t
previous_page(struct txn *txn, uint64_t from, uint64_t limit)
{
	uint64_t at = from, newest = UINT64_MAX;
	struct incident_row row;

	if (!incidents_before(txn, &newest, &row) || from >= newest)
		return 0;
	for (uint64_t n = 0; n < limit && at < newest; n++) {
		at++;
		if (!incidents_after(txn, &at, &row))
			break;
	}
	return at;
}

void
api_incidents(struct route_request *request)
{
	struct slice limit_text = route_query(request, "limit");
	struct slice page = route_query(request, "page");
	uint64_t limit = PAGE_DEFAULT, from = UINT64_MAX, first;
	struct txn *txn = turn_read();
	struct json_writer w;

	if ((limit_text.n > 0 && (!route_number(limit_text, &limit) || limit == 0)) ||
	    (page.n > 0 && !route_number(page, &from))) {
		route_detail(request, 400,
		    limit_text.n > 0 && limit == 0 ? "limit is not a positive number"
						   : "limit or page is not a number");
		return;
	}
	if (txn == NULL) {
		in_detail(request->in, 503, "The store cannot be read.");
		return;
	}
	limit = limit < PAGE_MOST ? limit : PAGE_MOST;
	first = from;
	w = route_reply(request, 200);
	json_open(&w, '{');
	json_key(&w, "results");
	json_open(&w, '[');
	write_rows(&w, txn, &from, limit);
	json_close(&w, ']');
	write_link(&w, "next", from, limit);
	write_link(&w, "previous", previous_page(txn, first, limit), limit);
	json_key(&w, "count");
	json_uint(&w, incidents_count(txn));
	json_close(&w, '}');
}
