/*
 * A page is made in three walks:
 *
 *   ROWS    on from the page's key until the page is full; for page N, over N - 1 pages first,
 *           which are written like any other and thrown away, as their bytes count       "results"
 *   BACK    against the order, from the key, as far as a page                            "previous"
 *   COUNT   on from the beginning, where the number of rows is not known otherwise       "count"
 *
 * A step looks at some thousand rows of a snapshot of its own, or writes some ten KiB; `at`
 * says where it was.
 */
#include "gateway/page.h"

#include <stdlib.h>

#include "gateway/turn.h"

enum { PAGE_DEFAULT = 50, PAGE_MOST = 500, PAGE_BYTES = 1 << 20, BODY_MOST = 2 << 20 };
enum { STEP_ROWS = 2000, STEP_BYTES = 32 << 10, LINK_MOST = 32 << 10, KEY_TEXT = UUID_TEXT };

static const char unreadable[] = "The store cannot be read.";

/* ---- keys -------------------------------------------------------------------------------- */

struct uuid
page_key(uint64_t number)
{
	struct uuid key = {{0}};

	put_u64(key.b + 8, number);
	return key;
}

uint64_t
page_number(const struct uuid *key)
{
	return get_u64(key->b + 8);
}

static void
put_key(const struct page_source *source, struct buf *url, const struct uuid *key)
{
	char text[KEY_TEXT];

	if (source->numbers) {
		buf_printf(url, "k%llu", (unsigned long long)page_number(key));
		return;
	}
	uuid_text(key, text);
	buf_puts(url, text);
}

static bool
read_key(const struct page_source *source, struct slice text, struct uuid *key)
{
	uint64_t number;

	if (!source->numbers)
		return uuid_parse(text, key);
	if (text.n < 2 || text.p[0] != 'k' ||
	    !route_number((struct slice){text.p + 1, text.n - 1}, &number))
		return false;
	*key = page_key(number);
	return true;
}

/* ---- the page ---------------------------------------------------------------------------- */

/* A page that starts at key; NULL: there is none. */
static void
write_link(struct page *page, const char *name, const struct uuid *key)
{
	struct buf url = {.ceiling = LINK_MOST};

	json_key(&page->w, name);
	if (key == NULL) {
		json_null(&page->w);
		return;
	}
	buf_put_slice(&url, route_conf()->public_url);
	buf_puts(&url, page->path);
	buf_put_slice(&url, buf_slice(&page->query));
	buf_puts(&url, "page=");
	put_key(page->source, &url, key);
	json_string(&page->w, buf_slice(&url));
	page->body.failed = page->body.failed || url.failed;
	buf_free(&url);
}

static void
end_count(struct page *page, uint64_t count)
{
	json_key(&page->w, "count");
	json_uint(&page->w, count);
	json_close(&page->w, '}');
	page->phase = PAGE_OVER;
}

static void
start_count(struct page *page, struct txn *txn)
{
	uint64_t count;

	if (page->source->count(page, txn, &count)) {
		end_count(page, count);
		return;
	}
	page->phase = PAGE_COUNT;
	/* The first page's rows are counted already, and the walk is behind them. */
	if (!page->first) {
		page->at = page->source->start(page);
		page->n = 0;
	}
}

static void
end_back(struct page *page, struct txn *txn)
{
	write_link(page, "previous", page->n > 0 ? &page->back : NULL);
	start_count(page, txn);
}

static void
step_key(const struct page_source *source, struct uuid *key, bool forwards)
{
	if (source->upwards == forwards)
		uuid_next(key);
	else
		uuid_previous(key);
}

/* next: the first row of the next page, or NULL. */
static void
end_rows(struct page *page, struct txn *txn, const struct uuid *next)
{
	json_close(&page->w, ']');
	write_link(page, "next", next);
	if (page->first) {
		write_link(page, "previous", NULL);
		page->n += next != NULL;
		start_count(page, txn);
		return;
	}
	page->phase = PAGE_BACK;
	page->at = page->key;
	step_key(page->source, &page->at, false);
	page->n = 0;
}

/* Throws the rows away: the page that is meant starts at key, or further on. */
static void
turn_page(struct page *page, const struct uuid *key)
{
	page->pages--;
	page->first = false;
	page->key = *key;
	page->n = 0;
	buf_cut(&page->body, page->opened);
	page->w.more = false;
}

/* ---- the walks --------------------------------------------------------------------------- */

static bool
is_full(const struct page *page)
{
	return page->n == page->limit || page->body.n - page->opened >= PAGE_BYTES;
}

static void
write_row(struct page *page, struct txn *txn, const struct uuid *key)
{
	size_t before = page->body.n;

	page->source->write(page, txn, key);
	page->written += page->body.n - before;
	page->n++;
}

static void
look_rows(struct page *page, struct txn *txn)
{
	struct uuid key;
	enum page_step step =
	    page->source->look(page, txn, page->source->upwards, &page->at, &key);

	if (step == PAGE_END && page->pages > 0)
		turn_page(page, &page->at); /* behind the end: an empty page */
	if (step == PAGE_END)
		end_rows(page, txn, NULL);
	if (step != PAGE_MATCH)
		return;
	if (is_full(page) && page->pages == 0) {
		end_rows(page, txn, &key);
		return;
	}
	if (is_full(page))
		turn_page(page, &key);
	write_row(page, txn, &key);
}

static void
look_back(struct page *page, struct txn *txn)
{
	struct uuid key;
	enum page_step step =
	    page->source->look(page, txn, !page->source->upwards, &page->at, &key);

	if (step == PAGE_MATCH) {
		page->back = key;
		page->n++;
	}
	if (step == PAGE_END || page->n == page->limit)
		end_back(page, txn);
}

static void
look_count(struct page *page, struct txn *txn)
{
	struct uuid key;
	enum page_step step =
	    page->source->look(page, txn, page->source->upwards, &page->at, &key);

	if (step == PAGE_MATCH)
		page->n++;
	if (step == PAGE_END || page->n >= PAGE_COUNT_MOST)
		end_count(page, page->n);
}

static void (*const looks[])(struct page *, struct txn *) = {[PAGE_ROWS] = look_rows,
    [PAGE_BACK] = look_back,
    [PAGE_COUNT] = look_count};

/* ---- the task ---------------------------------------------------------------------------- */

static void
free_page(struct page *page)
{
	buf_free(&page->query);
	buf_free(&page->body);
	page->source->free(page);
}

static void
on_gone(struct task *task)
{
	free_page((struct page *)task);
}

static void
step_page(struct task *task)
{
	struct page *page = (struct page *)task;
	struct txn *txn = turn_read();

	page->written = 0;
	for (int i = 0; txn != NULL && i < STEP_ROWS && page->written < STEP_BYTES &&
	     page->phase != PAGE_OVER; i++)
		looks[page->phase](page, txn);
	if (txn != NULL && !store_failed(txn) && page->phase != PAGE_OVER) {
		task_go_on(task);
		return;
	}
	if (txn == NULL || store_failed(txn) || page->body.failed)
		task_detail(task, 503, unreadable);
	else
		task_answer(task, 200, &page->body);
	free_page(page);
}

/* ---- the request ------------------------------------------------------------------------- */

static bool
read_limit(struct route_request *request, struct page *page)
{
	static const char *const names[] = {"limit", "page_size"};
	struct slice text = {NULL, 0};
	size_t i;

	page->limit = PAGE_DEFAULT;
	for (i = 0; i < COUNT_OF(names) && text.n == 0; i++)
		text = route_query(request, names[i]);
	if (text.n > 0 && (!route_number(text, &page->limit) || page->limit == 0))
		return route_refuse(request, slice_of(names[i - 1]), "is not a positive number");
	if (page->limit > PAGE_MOST)
		page->limit = PAGE_MOST;
	if (text.n > 0)
		buf_printf(&page->query, "limit=%llu&", (unsigned long long)page->limit);
	return true;
}

static bool
read_page(struct route_request *request, struct page *page)
{
	struct slice text = route_query(request, "page");
	uint64_t number = 1;

	page->at = page->source->start(page);
	page->first = true;
	if (text.n == 0)
		return true;
	if (read_key(page->source, text, &page->key)) {
		page->first = false;
		page->at = page->key;
		return true;
	}
	if (!route_number(text, &number) || number == 0)
		return route_refuse(request, SLICE("page"),
		    "is neither a key from a link nor a page's number");
	page->pages = number - 1;
	return true;
}

/* What links repeat, as it came. */
static void
keep_query(const struct route_request *request, struct page *page)
{
	for (const char *const *name = page->source->query; *name != NULL; name++) {
		struct slice text = route_query(request, *name);

		if (text.n == 0)
			continue;
		buf_printf(&page->query, "%s=", *name);
		buf_put_slice(&page->query, text);
		buf_putc(&page->query, '&');
	}
}

void
page_begin(struct page *page, const struct page_source *source, const char *path,
    struct route_request *request)
{
	page->source = source;
	page->path = path;
	page->task = (struct task){.step = step_page, .gone = on_gone};
	buf_init(&page->query, LINK_MOST);
	buf_init(&page->body, BODY_MOST);
	page->w.buf = &page->body;
	json_open(&page->w, '{');
	json_key(&page->w, "results");
	json_open(&page->w, '[');
	page->opened = page->body.n;
	keep_query(request, page);
	if (!read_limit(request, page) || !read_page(request, page) ||
	    !task_begin(&page->task, request))
		free_page(page);
}
