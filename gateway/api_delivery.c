/*
 * The log of deliveries (CONTRACT §9): a page of it, newest first, and one delivery with its
 * attempts.
 */
#include <stdlib.h>

#include "gateway/filter.h"
#include "gateway/turn.h"
#include "gateway/view.h"

struct deliveries {
	struct page page; /* first: they are cast to each other */
	struct filter filter;
	struct delivery_row row; /* looked at last */
};

static struct uuid
start(struct page *page)
{
	return filter_newest(&((struct deliveries *)page)->filter);
}

static enum page_step
look(struct page *page, struct txn *txn, bool up, struct uuid *at, struct uuid *id)
{
	struct deliveries *list = (struct deliveries *)page;

	return up ? filter_up(txn, &list->filter, at, id, &list->row)
		  : filter_down(txn, &list->filter, at, id, &list->row);
}

static void
write_row(struct page *page, struct txn *txn, const struct uuid *id)
{
	json_open(&page->w, '{');
	view_delivery(&page->w, txn, id, &((struct deliveries *)page)->row);
	json_close(&page->w, '}');
}

static bool
count(struct page *page, struct txn *txn, uint64_t *n)
{
	*n = deliveries_count(txn);
	return filter_is_open(&((struct deliveries *)page)->filter);
}

static void
free_deliveries(struct page *page)
{
	free((struct deliveries *)page);
}

static const char *const repeated[] = {"webhook", "incident", "state", "since", NULL};

static const struct page_source source = {.query = repeated,
    .start = start,
    .look = look,
    .write = write_row,
    .count = count,
    .free = free_deliveries};

void
api_deliveries(struct route_request *request)
{
	struct txn *txn = turn_read();
	struct deliveries *list = calloc(1, sizeof *list);

	if (txn == NULL || list == NULL)
		in_unavailable(request->in, "The log cannot be read.");
	else if (filter_read(request, txn, &list->filter)) {
		page_begin(&list->page, &source, "/api/deliveries/?", request);
		return;
	}
	free(list);
}

void
api_delivery(struct route_request *request)
{
	struct txn *txn = turn_read();
	struct delivery_row row;
	struct json_writer w;
	struct uuid id;

	if (txn == NULL) {
		in_unavailable(request->in, "The log cannot be read.");
	} else if (!uuid_parse(request->part[0], &id) || !deliveries_get(txn, &id, &row)) {
		route_not_found(request);
	} else {
		w = route_reply(request, 200);
		json_open(&w, '{');
		view_delivery(&w, txn, &id, &row);
		view_attempts(&w, txn, &id, &row, VIEW_ATTEMPTS_MOST);
		json_close(&w, '}');
	}
}
