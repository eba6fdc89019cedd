/* The notes on an incident (CONTRACT §2), oldest first, in pages. */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/page.h"
#include "gateway/turn.h"
#include "gateway/view.h"

struct notes {
	struct page page; /* first: they are cast to each other */
	uint64_t number;
	char path[64];
	struct note_row row; /* looked at last */
};

/* No id is as small. */
static struct uuid
start(struct page *page)
{
	(void)page;
	return page_key(1);
}

static enum page_step
look(struct page *page, struct txn *txn, bool up, struct uuid *at, struct uuid *id)
{
	struct notes *list = (struct notes *)page;
	bool found;

	*id = *at;
	if (up)
		uuid_previous(id); /* the next one behind that */
	found = up ? notes_next(txn, list->number, id, &list->row)
		   : notes_before(txn, list->number, id, &list->row);
	if (!found)
		return PAGE_END;
	*at = *id;
	if (up)
		uuid_next(at);
	else
		uuid_previous(at);
	return PAGE_MATCH;
}

static void
write_row(struct page *page, struct txn *txn, const struct uuid *id)
{
	struct notes *list = (struct notes *)page;

	(void)txn;
	view_note(&page->w, list->number, id, &list->row);
}

static bool
count(struct page *page, struct txn *txn, uint64_t *n)
{
	(void)page;
	(void)txn;
	*n = 0;
	return false;
}

static void
free_notes(struct page *page)
{
	free((struct notes *)page);
}

static const char *const repeated[] = {NULL};

static const struct page_source source = {.query = repeated,
    .upwards = true,
    .start = start,
    .look = look,
    .write = write_row,
    .count = count,
    .free = free_notes};

void
api_notes(struct route_request *request)
{
	struct txn *txn = turn_read();
	struct notes *list = calloc(1, sizeof *list);
	struct incident_row row;

	if (txn == NULL || list == NULL) {
		in_unavailable(request->in, "The store cannot be read.");
	} else if (!view_find(txn, request->part[0], &list->number, &row)) {
		route_not_found(request);
	} else {
		snprintf(list->path, sizeof list->path, "/api/incidents/%llu/note/?",
		    (unsigned long long)list->number);
		page_begin(&list->page, &source, list->path, request);
		return;
	}
	free(list);
}
