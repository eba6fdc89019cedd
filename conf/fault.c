/*
 * A fault is a place (an offset, and a node of the tree or a member that it lacks) and a sentence.
 * The line that operators read is made from it at the end:
 *
 *     tocsin.json:12:9: services[0].webhooks[1].deadline: must be between 100ms and 3s
 *     name        line column      path                   what
 *
 * Nodes do not know their parents. The path is found by walking down from the root to the node:
 * at each level it is in the last child that begins at or before it.
 */
#include "conf/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/utf8.h"

enum { LINE_MAX_BYTES = 16384, QUOTE_MAX = 64 };

struct fault {
	struct fault *next;
	size_t at;
	size_t order;            /* of discovery: settles faults at the same place */
	const struct json *node; /* NULL: there is no tree */
	const char *member;      /* of the node; NULL: the node itself */
	const char *what;
	bool warning;
};

/* Where a walk through the text has come to. */
struct place {
	size_t at;
	unsigned line, column;
};

static void keep(struct faults *, struct fault, const char *, va_list) PRINTF(3, 0);

/* A fault that finds no memory is lost, but counts as refused; the arena's `failed` tells. */
static void
keep(struct faults *f, struct fault fault, const char *format, va_list args)
{
	char what[1024];
	struct fault *copy;
	struct slice text;

	f->refused |= !fault.warning;
	if (f->count++ >= FAULT_MAX)
		return;
	vsnprintf(what, sizeof what, format, args);
	text = arena_copy(f->arena, (struct slice){what, strlen(what) + 1});
	copy = arena_alloc(f->arena, sizeof *copy);
	if (copy == NULL || text.p == NULL)
		return;
	*copy = fault;
	copy->what = text.p;
	copy->order = f->count;
	copy->next = f->list;
	f->list = copy;
}

void
fault_add(struct faults *f, const struct json *node, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	keep(f, (struct fault){.at = node->at, .node = node}, format, args);
	va_end(args);
}

void
fault_add_key(struct faults *f, const struct json *node, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	keep(f, (struct fault){.at = node->key_at, .node = node}, format, args);
	va_end(args);
}

void
fault_add_member(struct faults *f, const struct json *object, const char *member,
    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	keep(f, (struct fault){.at = object->at, .node = object, .member = member}, format, args);
	va_end(args);
}

void
fault_add_at(struct faults *f, size_t at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	keep(f, (struct fault){.at = at}, format, args);
	va_end(args);
}

void
fault_warn(struct faults *f, const struct json *node, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	keep(f, (struct fault){.at = node->at, .node = node, .warning = true}, format, args);
	va_end(args);
}

/* Moves on to offset `to`. Columns count characters; a byte order mark is none. */
static void
walk(struct slice text, struct place *place, size_t to)
{
	if (place->at == 0 && text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		place->at = 3;
	for (; place->at < to && place->at < text.n; place->at++) {
		unsigned char c = (unsigned char)text.p[place->at];

		if (c == '\n') {
			place->line++;
			place->column = 1;
		} else if ((c & 0xc0) != 0x80) {
			place->column++;
		}
	}
}

unsigned
fault_line(const struct faults *f, size_t at)
{
	struct place place = {0, 1, 1};

	if (f->count < FAULT_MAX) /* else nobody sees it */
		walk(f->text, &place, at);
	return place.line;
}

/* Control characters, and those that reorder a terminal's line. */
static bool
is_unprintable(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void
put_escaped(struct buf *b, struct slice text)
{
	struct slice shown = utf8_cut(text, QUOTE_MAX);

	for (size_t at = 0; at < shown.n;) {
		size_t from = at;
		uint32_t c = utf8_next(shown, &at);

		if (is_unprintable(c))
			buf_printf(b, "\\u%04x", (unsigned)c);
		else
			buf_put(b, shown.p + from, at - from);
	}
	if (shown.n < text.n)
		buf_puts(b, "...");
}

const char *
fault_quote(struct faults *f, struct slice text)
{
	struct slice copy;
	struct buf b;

	buf_init(&b, LINE_MAX_BYTES);
	buf_putc(&b, '"');
	put_escaped(&b, text);
	buf_putc(&b, '"');
	buf_putc(&b, '\0');
	copy = arena_copy(f->arena, buf_slice(&b));
	buf_free(&b);
	return copy.p == NULL ? "" : copy.p;
}

/* The child that is the node or holds it, and its place among the children. */
static const struct json *
step(const struct json *parent, const struct json *node, size_t *index)
{
	const struct json *found = NULL;
	size_t i = 0;

	for (const struct json *child = parent->first; child != NULL; child = child->next, i++) {
		if (child->at > node->at)
			break;
		found = child;
		*index = i;
	}
	return found;
}

/* Keys that would blur the path (a header "X Team:") stand in quotes. */
static bool
is_plain(struct slice key)
{
	for (size_t i = 0; i < key.n; i++)
		if ((unsigned char)key.p[i] <= ' ' || strchr(":.[]\"", key.p[i]) != NULL)
			return false;
	return key.n > 0;
}

static void
put_key(struct buf *b, size_t path, struct slice key)
{
	bool plain = is_plain(key);

	if (b->n > path && plain)
		buf_putc(b, '.');
	if (!plain)
		buf_puts(b, "[\"");
	put_escaped(b, key);
	if (!plain)
		buf_puts(b, "\"]");
}

static void
put_path(struct buf *b, const struct json *root, const struct fault *fault)
{
	const struct json *at = root, *child;
	size_t path = b->n, index = 0;

	for (; at != fault->node; at = child) {
		child = step(at, fault->node, &index);
		if (child == NULL)
			break;
		if (at->type == JSON_ARRAY)
			buf_printf(b, "[%zu]", index);
		else
			put_key(b, path, child->key);
	}
	if (fault->member != NULL)
		put_key(b, path, slice_of(fault->member));
	if (b->n > path)
		buf_puts(b, ": ");
}

static int
by_place(const void *a, const void *b)
{
	const struct fault *const *x = a, *const *y = b;

	if ((*x)->at != (*y)->at)
		return (*x)->at < (*y)->at ? -1 : 1;
	return (*x)->order < (*y)->order ? -1 : 1;
}

static void
tell(const struct faults *f, const struct fault *fault, struct place *place, conf_report *report,
    void *arg)
{
	struct buf b;

	walk(f->text, place, fault->at);
	buf_init(&b, LINE_MAX_BYTES);
	buf_printf(&b, "%s:%u:%u: ", f->name, place->line, place->column);
	if (fault->warning)
		buf_puts(&b, "warning: ");
	if (fault->node != NULL)
		put_path(&b, f->root, fault);
	buf_puts(&b, fault->what);
	buf_putc(&b, '\0');
	report(arg, b.failed ? "out of memory" : b.p);
	buf_free(&b);
}

static void
tell_rest(const struct faults *f, conf_report *report, void *arg)
{
	struct buf b;

	buf_init(&b, LINE_MAX_BYTES);
	buf_printf(&b, "%s: %zu more are not shown", f->name, f->count - FAULT_MAX);
	buf_putc(&b, '\0');
	report(arg, b.failed ? "out of memory" : b.p);
	buf_free(&b);
}

void
fault_report(struct faults *f, conf_report *report, void *arg)
{
	const struct fault **sorted = arena_alloc(f->arena, FAULT_MAX * sizeof *sorted);
	struct place place = {0, 1, 1};
	size_t n = 0;

	if (sorted == NULL)
		return;
	for (const struct fault *fault = f->list; fault != NULL; fault = fault->next)
		sorted[n++] = fault;
	qsort(sorted, n, sizeof *sorted, by_place);
	for (size_t i = 0; i < n; i++)
		tell(f, sorted[i], &place, report, arg);
	if (f->count > FAULT_MAX)
		tell_rest(f, report, arg);
}
