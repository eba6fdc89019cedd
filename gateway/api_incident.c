/*
 * Incidents as the API shows them (CONTRACT §2): one, all of them in pages, and those that a filter
 * lets through, newest first.
 */
#include <stdlib.h>

#include "gateway/incident_filter.h"
#include "gateway/turn.h"
#include "gateway/view.h"

void
api_incident(struct route_request *request)
{
	struct txn *txn = turn_read();
	struct incident_row row;
	struct json_writer w;
	uint64_t number;

	if (txn == NULL) {
		in_unavailable(request->in, "The store cannot be read.");
	} else if (!view_find(txn, request->part[0], &number, &row)) {
		route_not_found(request);
	} else {
		w = route_reply(request, 200);
		view_incident(&w, number, &row);
	}
}

/* ---- pages ------------------------------------------------------------------------------- */

struct incidents {
	struct page page; /* first: they are cast to each other */
	struct incident_filter filter;
	struct incident_row row; /* looked at last */
};

static struct uuid
start(struct page *page)
{
	(void)page;
	return page_key(UINT64_MAX);
}

static enum page_step
look(struct page *page, struct txn *txn, bool up, struct uuid *at, struct uuid *key)
{
	struct incidents *list = (struct incidents *)page;
	uint64_t number = page_number(at);
	enum page_step step =
	    incident_filter_look(txn, &list->filter, up, &number, &list->row);

	if (step != PAGE_END) {
		*key = page_key(number);
		*at = page_key(up ? number + 1 : number - 1);
	}
	return step;
}

static void
write_row(struct page *page, struct txn *txn, const struct uuid *key)
{
	(void)txn;
	view_incident(&page->w, page_number(key), &((struct incidents *)page)->row);
}

static bool
count(struct page *page, struct txn *txn, uint64_t *n)
{
	return incident_filter_count(txn, &((struct incidents *)page)->filter, n);
}

static void
free_incidents(struct page *page)
{
	struct incidents *list = (struct incidents *)page;

	incident_filter_free(&list->filter);
	free(list);
}

static const char *const repeated[] = {NULL};

static const struct page_source source = {.query = repeated,
    .numbers = true,
    .start = start,
    .look = look,
    .write = write_row,
    .count = count,
    .free = free_incidents};

void
api_incidents(struct route_request *request)
{
	struct incidents *list = calloc(1, sizeof *list);

	if (list == NULL)
		in_unavailable(request->in, in_no_memory);
	else
		page_begin(&list->page, &source, "/api/incidents/?", request);
}

/* Its links are to be followed with the same body. */
void
api_incidents_filter(struct route_request *request)
{
	struct incidents *list = calloc(1, sizeof *list);

	if (list == NULL)
		in_unavailable(request->in, in_no_memory);
	else if (incident_filter_read(request, &list->filter))
		page_begin(&list->page, &source, "/api/incidents/filter/?", request);
	else
		free_incidents(&list->page);
}
