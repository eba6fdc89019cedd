/*
 * JSON in. Four steps, each of which may refuse the text:
 *
 *     1  skip a byte order mark; refuse bad bytes (yajl is lax about UTF-8, and takes form feeds
 *        as white space)
 *     2  mend lone surrogate escapes (yajl would make them "?" or wrong bytes)
 *     3  yajl calls back for each token; the callbacks grow the tree, one frame per open container
 *     4  nothing but white space may follow (yajl lets an unfinished string or comment pass there)
 *
 * Offsets: inside a callback yajl tells the end of the token. Its start follows from its length,
 * or, where that is not known, is the end of the one before plus white space, comments and
 * a separator. An error is where the wrong token starts.
 *
 * Memory: everything comes from the arena, yajl's own needs too. yajl uses what its allocator
 * returns without a look at it, so an arena that is full leaves the parser by longjmp(), and so do
 * too many values; nothing is lost, since nothing but the arena holds memory.
 */
#include "proto/json_read.h"

#include <setjmp.h>
#include <stdalign.h>
#include <yajl/yajl_parse.h>

#include "proto/json_repeat.h"
#include "proto/json_text.h"

/* A container that is open. */
struct frame {
	struct json *node;
	struct json *last; /* its newest child */
	struct slice key;  /* of the member whose value comes next */
	uint32_t key_at;
};

struct reader {
	struct arena *arena;
	struct json_error *error;
	yajl_handle yajl;
	jmp_buf over;         /* where to go when the arena has no room, or values are too many */
	struct slice text;    /* the whole source */
	size_t start;         /* what is handed to yajl starts here */
	size_t end;           /* of the last token */
	int flags;            /* JSON_COMMENTS, ... */
	struct json_limits limits;
	uint32_t values;      /* so far */
	int depth;            /* containers open now */
	struct frame *frames; /* [limits.depth + 1]; frames[0] stands for the source */
};

static _Noreturn void
leave_full(struct reader *r)
{
	json_text_fail(r->error, 0, "too large for the memory set aside for it");
	longjmp(r->over, 1);
}

/* Allocates or leaves json_read(). */
static void *
take(struct reader *r, size_t n)
{
	void *p = arena_alloc(r->arena, n);

	if (p == NULL)
		leave_full(r);
	return p;
}

/* Mostly there is one blank to skip, or nothing. */
static size_t
skip(const struct reader *r, size_t at)
{
	if (at < r->text.n && r->text.p[at] == ' ')
		at++;
	if (at < r->text.n && r->text.p[at] > ' ' && r->text.p[at] != '/')
		return at;
	return json_text_skip(r->text, at, (r->flags & JSON_COMMENTS) != 0);
}

/* Inside a container a separator may stand before the token. */
static size_t
token_start(const struct reader *r)
{
	size_t at = skip(r, r->end);

	if (r->depth > 0 && at < r->text.n && (r->text.p[at] == ',' || r->text.p[at] == ':'))
		at = skip(r, at + 1);
	return at;
}

static size_t
end_token(struct reader *r)
{
	return r->end = r->start + yajl_get_bytes_consumed(r->yajl);
}

/*
 * Step 3: yajl's callbacks. Returning 0 stops the parser; *error is filled by then.
 */

static _Noreturn void
leave_many(struct reader *r, size_t at)
{
	json_text_fail(r->error, at, "more than %u values (limits.values)",
	    r->limits.values);
	longjmp(r->over, 1);
}

static struct json *
add_node(struct reader *r, enum json_type type, size_t at)
{
	struct frame *frame = &r->frames[r->depth];
	struct json *node;

	if (r->values++ == r->limits.values)
		leave_many(r, at);
	node = take(r, sizeof *node);
	*node = (struct json){.type = type, .at = (uint32_t)at,
	    .key = frame->key, .key_at = frame->key_at};
	if (frame->last == NULL)
		frame->node->first = node;
	else
		frame->last->next = node;
	frame->last = node;
	frame->node->count++;
	return node;
}

static bool
is_inside(struct slice text, const char *p)
{
	return (uintptr_t)p - (uintptr_t)text.p < text.n;
}

/* yajl's string is a part of the source, or decoded in a buffer that the next one overwrites.
 * *at: where its opening quote stands. */
static struct slice
keep_text(struct reader *r, const unsigned char *bytes, size_t n, size_t *at)
{
	const char *p = (const char *)bytes;
	char *copy;

	if (is_inside(r->text, p)) {
		*at = (size_t)(p - r->text.p) - 1;
		return (struct slice){p, n};
	}
	*at = token_start(r);
	copy = take(r, n);
	if (n > 0)
		memcpy(copy, p, n);
	return (struct slice){copy, n};
}

static int
on_null(void *ctx)
{
	size_t end = end_token(ctx);

	add_node(ctx, JSON_NULL, end - strlen("null"));
	return 1;
}

static int
on_bool(void *ctx, int truth)
{
	size_t end = end_token(ctx);

	add_node(ctx, JSON_BOOL, end - strlen(truth ? "true" : "false"))->truth = truth != 0;
	return 1;
}

/* A number that ends the source is called back when yajl already looks at its own text. */
static int
on_number(void *ctx, const char *bytes, size_t n)
{
	struct reader *r = ctx;
	size_t at = is_inside(r->text, bytes) ? (size_t)(bytes - r->text.p) : token_start(r);

	add_node(r, JSON_NUMBER, at)->text = (struct slice){r->text.p + at, n};
	r->end = at + n;
	return 1;
}

static int
on_string(void *ctx, const unsigned char *bytes, size_t n)
{
	struct reader *r = ctx;
	size_t at;
	struct slice text = keep_text(r, bytes, n, &at);

	add_node(r, JSON_STRING, at)->text = text;
	end_token(r);
	return 1;
}

static int
on_key(void *ctx, const unsigned char *bytes, size_t n)
{
	struct reader *r = ctx;
	struct frame *frame = &r->frames[r->depth];
	size_t at;

	frame->key = keep_text(r, bytes, n, &at);
	frame->key_at = (uint32_t)at;
	end_token(r);
	return 1;
}

static int
open_container(struct reader *r, enum json_type type)
{
	size_t at = end_token(r) - 1;
	struct json *node;

	if (r->depth >= r->limits.depth)
		return json_text_fail(r->error, at, "nested deeper than %d", r->limits.depth);
	node = add_node(r, type, at);
	r->frames[++r->depth] = (struct frame){.node = node};
	return 1;
}

static int
on_object(void *ctx)
{
	return open_container(ctx, JSON_OBJECT);
}

static int
on_object_end(void *ctx)
{
	struct reader *r = ctx;

	end_token(r);
	if (!(r->flags & JSON_KEEP_DUPLICATES) &&
	    !json_repeat_merge(r->arena, r->frames[r->depth].node))
		leave_full(r);
	r->depth--;
	return 1;
}

static int
on_array(void *ctx)
{
	return open_container(ctx, JSON_ARRAY);
}

static int
on_array_end(void *ctx)
{
	struct reader *r = ctx;

	end_token(r);
	r->depth--;
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_bool,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_object,
	.yajl_map_key = on_key,
	.yajl_end_map = on_object_end,
	.yajl_start_array = on_array,
	.yajl_end_array = on_array_end,
};

/*
 * yajl's memory: pieces of the arena that know their size, for realloc.
 */

struct piece {
	alignas(max_align_t) size_t n;
};

static void *
on_malloc(void *ctx, size_t n)
{
	struct piece *piece = take(ctx, sizeof *piece + n);

	piece->n = n;
	return piece + 1;
}

static void *
on_realloc(void *ctx, void *old, size_t n)
{
	void *p = on_malloc(ctx, n);
	const struct piece *piece = old;

	if (old != NULL)
		memcpy(p, old, piece[-1].n < n ? piece[-1].n : n);
	return p;
}

static void
on_free(void *ctx, void *p)
{
	(void)ctx;
	(void)p;
}

/* yajl's sentence without its class and its end: "lexical error: invalid char in json text.\n". */
static bool
syntax_error(struct reader *r)
{
	const char *what = (const char *)yajl_get_error(r->yajl, 0, NULL, 0);
	const char *colon = strstr(what, ": ");
	size_t n;

	if (colon != NULL)
		what = colon + 2;
	if (strncmp(what, "premature", 9) == 0)
		return json_text_fail(r->error, r->text.n, "not JSON: it ends too early");
	n = strcspn(what, "\n");
	if (n > 0 && what[n - 1] == '.')
		n--;
	return json_text_fail(r->error, token_start(r), "not JSON: %.*s", (int)n, what);
}

static bool
run_yajl(struct reader *r)
{
	const unsigned char *bytes = (const unsigned char *)r->text.p + r->start;
	yajl_status status = yajl_parse(r->yajl, bytes, r->text.n - r->start);

	if (status == yajl_status_ok)
		status = yajl_complete_parse(r->yajl);
	if (status == yajl_status_error)
		return syntax_error(r);
	return status == yajl_status_ok;
}

/* Step 4. */
static bool
check_rest(const struct reader *r)
{
	size_t at = skip(r, r->end);

	return at == r->text.n || json_text_fail(r->error, at, "not JSON: trailing garbage");
}

static struct json *
parse(struct reader *r)
{
	yajl_alloc_funcs memory = {on_malloc, on_realloc, on_free, r};
	struct json source = {.type = JSON_ARRAY};

	r->frames = take(r, ((size_t)r->limits.depth + 1) * sizeof *r->frames);
	r->frames[0] = (struct frame){.node = &source};
	r->yajl = yajl_alloc(&callbacks, &memory, r);
	yajl_config(r->yajl, yajl_dont_validate_strings, 1);
	yajl_config(r->yajl, yajl_allow_comments, (r->flags & JSON_COMMENTS) != 0);
	return run_yajl(r) && check_rest(r) ? source.first : NULL;
}

static struct json *
read_text(struct arena *arena, char *text, size_t n, int flags, struct json_limits limits,
    struct json_error *error)
{
	struct reader r = {.arena = arena, .error = error, .text = {text, n},
	    .flags = flags, .limits = limits};

	if (n > UINT32_MAX) {
		json_text_fail(error, 0, "too large");
		return NULL;
	}
	if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		r.start = r.end = 3;
	if (!json_text_check(r.text, error))
		return NULL;
	json_text_mend(text, n);
	if (setjmp(r.over) != 0)
		return NULL;
	return parse(&r);
}

struct json *
json_read(struct arena *arena, char *text, size_t n, int flags, int depth,
    struct json_error *error)
{
	return read_text(arena, text, n, flags, (struct json_limits){depth, UINT32_MAX}, error);
}

struct json *
json_read_body(struct arena *arena, char *text, size_t n, struct json_limits limits,
    struct json_error *error)
{
	return read_text(arena, text, n, 0, limits, error);
}

const struct json *
json_get_slice(const struct json *object, struct slice key)
{
	const struct json *found = NULL;

	if (object == NULL || object->type != JSON_OBJECT)
		return NULL;
	for (const struct json *member = object->first; member != NULL; member = member->next)
		if (slice_is(member->key, key))
			found = member;
	return found;
}

bool
json_scalar(const struct json *value, struct slice *text)
{
	if (value == NULL)
		return false;
	switch (value->type) {
	case JSON_STRING:
	case JSON_NUMBER:
		*text = value->text;
		return true;
	case JSON_BOOL:
		*text = value->truth ? SLICE("true") : SLICE("false");
		return true;
	default:
		return false;
	}
}
