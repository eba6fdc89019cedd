/*
 * The log of deliveries (CONTRACT §9): a page of it, newest first, and one delivery with its
 * attempts.
 *
 * A page may mean a walk over every row there is, so it is a task, made in three walks:
 *
 *   ROWS    down from the page's key until the page is full     "results", "next"
 *   BACK    up from the key, as far as a page                   "previous"
 *   COUNT   down from the newest row, when there is a filter    "count"
 *
 * Each step looks at some thousand rows of a snapshot of its own; the key says where it was.
 */
#include <stdlib.h>

#include "gateway/filter.h"
#include "gateway/task.h"
#include "gateway/turn.h"
#include "gateway/view.h"

enum { PAGE_DEFAULT = 50, PAGE_MOST = 500, PAGE_BYTES = 1 << 20, BODY_MOST = 2 << 20 };
enum { STEP_ROWS = 2000, COUNT_MOST = 10000, LINK_MOST = 32 << 10 };

enum phase { PHASE_ROWS, PHASE_BACK, PHASE_COUNT, PHASE_OVER };

struct list {
	struct task task; /* first: they are cast to each other */
	enum phase phase;
	struct filter filter;
	uint64_t limit;
	bool first;        /* the page that starts with the newest row */
	struct uuid key;   /* where the page starts */
	struct uuid at;    /* where the walk is */
	struct uuid back;  /* BACK: the furthest match so far */
	uint64_t n;        /* matches of this walk */
	struct buf query;  /* of links: the filters and the limit, each with its '&' */
	struct buf body;
	struct json_writer w;
};

static void
free_list(struct list *list)
{
	if (list == NULL)
		return;
	buf_free(&list->query);
	buf_free(&list->body);
	free(list);
}

static void
on_gone(struct task *task)
{
	free_list((struct list *)task);
}

/* ---- the page ---------------------------------------------------------------------------- */

/* A page that starts at key; NULL: there is none. */
static void
write_link(struct list *list, const char *name, const struct uuid *key)
{
	struct buf url = {.ceiling = LINK_MOST};
	char text[UUID_TEXT];

	json_key(&list->w, name);
	if (key == NULL) {
		json_null(&list->w);
		return;
	}
	uuid_text(key, text);
	buf_put_slice(&url, route_conf()->public_url);
	buf_puts(&url, "/api/deliveries/?");
	buf_put_slice(&url, buf_slice(&list->query));
	buf_printf(&url, "page=%s", text);
	json_string(&list->w, buf_slice(&url));
	list->body.failed = list->body.failed || url.failed;
	buf_free(&url);
}

static void
end_count(struct list *list, uint64_t count)
{
	json_key(&list->w, "count");
	json_uint(&list->w, count);
	json_close(&list->w, '}');
	list->phase = PHASE_OVER;
}

static void
start_count(struct list *list, struct txn *txn)
{
	if (filter_is_open(&list->filter)) {
		end_count(list, deliveries_count(txn));
		return;
	}
	list->phase = PHASE_COUNT;
	/* The first page's rows are counted already, and the walk is behind them. */
	if (!list->first) {
		list->at = filter_newest(&list->filter);
		list->n = 0;
	}
}

static void
end_back(struct list *list, struct txn *txn)
{
	write_link(list, "previous", list->n > 0 ? &list->back : NULL);
	start_count(list, txn);
}

/* next: the first row of the next page, or NULL. */
static void
end_rows(struct list *list, struct txn *txn, const struct uuid *next)
{
	json_close(&list->w, ']');
	write_link(list, "next", next);
	if (list->first) {
		write_link(list, "previous", NULL);
		list->n += next != NULL;
		start_count(list, txn);
		return;
	}
	list->phase = PHASE_BACK;
	list->at = list->key;
	filter_next(&list->at);
	list->n = 0;
}

/* ---- the walks --------------------------------------------------------------------------- */

static void
look_rows(struct list *list, struct txn *txn)
{
	struct delivery_row row;
	struct uuid id;
	enum filter_step step = filter_down(txn, &list->filter, &list->at, &id, &row);

	if (step == FILTER_SKIP)
		return;
	if (step == FILTER_END) {
		end_rows(list, txn, NULL);
	} else if (list->n == list->limit || list->body.n >= PAGE_BYTES) {
		end_rows(list, txn, &id);
	} else {
		json_open(&list->w, '{');
		view_delivery(&list->w, txn, &id, &row);
		json_close(&list->w, '}');
		list->n++;
	}
}

static void
look_back(struct list *list, struct txn *txn)
{
	struct delivery_row row;
	struct uuid id;
	enum filter_step step = filter_up(txn, &list->filter, &list->at, &id, &row);

	if (step == FILTER_MATCH) {
		list->back = id;
		list->n++;
	}
	if (step == FILTER_END || list->n == list->limit)
		end_back(list, txn);
}

static void
look_count(struct list *list, struct txn *txn)
{
	struct delivery_row row;
	struct uuid id;
	enum filter_step step = filter_down(txn, &list->filter, &list->at, &id, &row);

	if (step == FILTER_MATCH)
		list->n++;
	if (step == FILTER_END || list->n >= COUNT_MOST)
		end_count(list, list->n);
}

static void (*const looks[])(struct list *, struct txn *) = {[PHASE_ROWS] = look_rows,
    [PHASE_BACK] = look_back,
    [PHASE_COUNT] = look_count};

static void
step_list(struct task *task)
{
	struct list *list = (struct list *)task;
	struct txn *txn = turn_read();

	for (int i = 0; txn != NULL && i < STEP_ROWS && list->phase != PHASE_OVER; i++)
		looks[list->phase](list, txn);
	if (txn != NULL && !store_failed(txn) && list->phase != PHASE_OVER) {
		task_go_on(task);
		return;
	}
	if (txn == NULL || store_failed(txn) || list->body.failed)
		task_detail(task, 503, "The log cannot be read.");
	else
		task_answer(task, 200, buf_slice(&list->body));
	free_list(list);
}

/* ---- the request ------------------------------------------------------------------------- */

static bool
read_page(struct route_request *request, struct list *list)
{
	struct slice limit = route_query(request, "limit"), page = route_query(request, "page");

	list->limit = PAGE_DEFAULT;
	if (limit.n > 0 && (!route_number(limit, &list->limit) || list->limit == 0)) {
		route_detail(request, 400, "limit: is not a positive number");
		return false;
	}
	if (list->limit > PAGE_MOST)
		list->limit = PAGE_MOST;
	list->first = page.n == 0;
	if (!list->first && !uuid_parse(page, &list->key)) {
		route_detail(request, 400, "page: is not a key from a link");
		return false;
	}
	return true;
}

/* What links repeat, as it came. */
static void
keep_query(const struct route_request *request, struct buf *query)
{
	static const char *const names[] = {"webhook", "incident", "state", "since", "limit"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct slice text = route_query(request, names[i]);

		if (text.n == 0)
			continue;
		buf_printf(query, "%s=", names[i]);
		buf_put_slice(query, text);
		buf_putc(query, '&');
	}
}

static struct list *
new_list(void)
{
	struct list *list = calloc(1, sizeof *list);

	if (list == NULL)
		return NULL;
	list->task = (struct task){.step = step_list, .gone = on_gone};
	buf_init(&list->query, LINK_MOST);
	buf_init(&list->body, BODY_MOST);
	list->w.buf = &list->body;
	json_open(&list->w, '{');
	json_key(&list->w, "results");
	json_open(&list->w, '[');
	return list;
}

void
api_deliveries(struct route_request *request)
{
	struct txn *txn = turn_read();
	struct list *list = new_list();

	if (txn == NULL || list == NULL) {
		in_detail(request->in, 503, "The log cannot be read.");
		free_list(list);
		return;
	}
	if (!filter_read(request, txn, &list->filter) || !read_page(request, list)) {
		free_list(list);
		return;
	}
	keep_query(request, &list->query);
	list->at = list->first ? filter_newest(&list->filter) : list->key;
	if (!task_begin(&list->task, request))
		free_list(list);
}

void
api_delivery(struct route_request *request)
{
	struct txn *txn = turn_read();
	struct delivery_row row;
	struct json_writer w;
	struct uuid id;

	if (txn == NULL) {
		in_detail(request->in, 503, "The log cannot be read.");
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
