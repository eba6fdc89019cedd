/* What the commands that ask a gateway print, and how they read their arguments. */
#include <stdlib.h>

#include "conf/shape.h"
#include "gateway/clock.h"
#include "gateway/remote.h"
#include "proto/date.h"

enum { LIMIT_MOST = 100000 };

/* ---- lists ------------------------------------------------------------------------------- */

/* The link is for others; what leads there from here is its path. NULL with *more false: there is
 * no next page. */
static const struct json *
next_page(struct remote *remote, const struct remote_list *list, const struct json *page,
    bool *more)
{
	struct slice link = remote_text(page, "next");
	struct buf target;
	const char *path = link.n == 0 ? NULL : memmem(link.p, link.n, "/api/", 5);
	const struct json *answer = NULL;

	*more = path != NULL;
	if (path == NULL)
		return NULL;
	buf_init(&target, 32 << 10);
	buf_put(&target, path, link.n - (size_t)(path - link.p));
	if (!target.failed && shape_token(buf_slice(&target), NULL) == NULL)
		answer = remote_ask(remote, list->method, buf_slice(&target), list->body);
	else
		command_failed(remote->command, "%s has an impossible next page",
		    remote->client.place);
	buf_free(&target);
	return answer;
}

/* The page's rows, as far as the limit lets them; how many those were. */
static uint64_t
put_rows(struct grid *grid, const struct remote_list *list, const struct json *page, uint64_t left)
{
	const struct json *rows = json_get(page, "results");
	uint64_t n = 0;

	if (rows == NULL || rows->type != JSON_ARRAY)
		return 0;
	for (const struct json *row = rows->first; row != NULL && n < left; row = row->next, n++)
		list->put(grid, row);
	return n;
}

static bool
walk(struct remote *remote, const struct remote_list *list, struct grid *grid)
{
	const struct json *page = remote_ask(remote, list->method, list->target, list->body);
	uint64_t left = list->limit;
	bool more = true;

	while (page != NULL && more) {
		if (remote->json && !remote_print(remote, page))
			return false;
		left -= put_rows(grid, list, page, left);
		more = left > 0;
		if (more)
			page = next_page(remote, list, page, &more);
	}
	return !more || page != NULL;
}

bool
remote_list(struct remote *remote, const struct remote_list *list)
{
	struct grid grid;
	bool ok;

	grid_start(&grid, &remote->screen, list->columns, list->column_count);
	ok = walk(remote, list, &grid);
	if (ok && !remote->json)
		return remote_end(remote, &grid);
	grid_free(&grid);
	return ok;
}

/* ---- for tables -------------------------------------------------------------------------- */

struct slice
remote_text(const struct json *object, const char *key)
{
	struct slice text = {"", 0};

	return json_scalar(json_get(object, key), &text) ? text : SLICE("");
}

struct slice
remote_date(const struct json *object, const char *key, char out[20])
{
	int64_t us;
	char text[DATE_TEXT];

	if (!date_parse(remote_text(object, key), &us))
		return SLICE("");
	date_text(us, text);
	snprintf(out, 20, "%.10s %.8s", text, text + 11);
	return (struct slice){out, 19};
}

void
remote_put(struct grid *grid, const struct json *object, const char *key)
{
	grid_put(grid, remote_text(object, key), SCREEN_PLAIN);
}

void
remote_put_date(struct grid *grid, const struct json *object, const char *key)
{
	char text[20];

	grid_put(grid, remote_date(object, key, text), SCREEN_PLAIN);
}

enum screen_colour
remote_state_colour(struct slice state)
{
	return slice_is(state, SLICE("dead"))        ? SCREEN_RED
	       : slice_is(state, SLICE("delivered")) ? SCREEN_GREEN
						     : SCREEN_YELLOW;
}

void
remote_put_state(struct grid *grid, const struct json *row)
{
	struct slice state = remote_text(row, "state");

	grid_put(grid, state, remote_state_colour(state));
}

void
remote_put_reason(struct grid *grid, const struct json *row)
{
	struct slice reason = remote_text(row, "reason");

	grid_put(grid, reason, slice_is(reason, SLICE("ok")) ? SCREEN_GREEN : SCREEN_RED);
}

void
remote_start_lines(struct remote *remote, struct grid *grid)
{
	static const struct grid_column columns[] = {{NULL, false, false}, {NULL, false, false}};

	grid_start(grid, &remote->screen, columns, COUNT_OF(columns));
}

void
remote_line(struct grid *grid, const char *name, struct slice text, enum screen_colour colour)
{
	if (text.n == 0)
		return;
	grid_put(grid, slice_of(name), SCREEN_DIM);
	grid_put(grid, text, colour);
}

bool
remote_end(struct remote *remote, struct grid *grid)
{
	bool ok = grid_print(grid);

	grid_free(grid);
	if (!ok)
		command_failed(remote->command, "it is too much for a table");
	return ok;
}

/* ---- for arguments ----------------------------------------------------------------------- */

bool
remote_moment(const char *value, int64_t *wall)
{
	int64_t ago;

	if (date_parse(slice_of(value), wall))
		return true;
	if (!conf_parse_time(slice_of(value), &ago))
		return false;
	*wall = clock_wall() - ago;
	return true;
}

const char *
remote_limit(const char *value, uint64_t *limit)
{
	static char wrong[64];
	char *end;

	*limit = strtoull(value, &end, 10);
	if (value[0] >= '0' && value[0] <= '9' && *end == '\0' && *limit > 0 &&
	    *limit <= LIMIT_MOST)
		return NULL;
	snprintf(wrong, sizeof wrong, "must be a number from 1 to %d", LIMIT_MOST);
	return wrong;
}

void
remote_escape(struct buf *to, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if ((c >= '0' && c <= '9') || (ascii_lower((char)c) >= 'a' &&
						  ascii_lower((char)c) <= 'z') ||
		    memchr("-._~", c, 4) != NULL)
			buf_putc(to, (char)c);
		else
			buf_printf(to, "%%%02X", c);
	}
}
