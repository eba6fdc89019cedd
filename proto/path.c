/*
 *     alerts[0].labels["a.b"].note.json().id
 *     └─┬──┘└┬┘ └─┬──┘└──┬──┘ └┬─┘ └─┬──┘ └┬
 *      name index name  quoted name json  name
 *
 * A step of digits is an element of an array and a member of an object, whichever is there.
 */
#include "proto/path.h"

#include "proto/json_make.h"

enum { INDEX_DIGITS = 6 };

struct path_step {
	struct slice name;
	int32_t index; /* the name as a number, -1: it is none */
	bool quoted;   /* a name and nothing else */
	bool json;     /* read the text as JSON; no name */
};

/* A text that was read, for the next path that leads into it. */
struct path_text {
	struct path_text *next;
	const struct json *text;
	const struct json *value; /* NULL: it is not JSON */
};

/* Where a path led. */
struct path_found {
	struct path_found *next;
	const struct path *path;
	const struct json *node;
};

/* ---- reading a path ---------------------------------------------------------------------- */

struct reader {
	struct arena *arena;
	struct slice text;
	size_t at;
	struct path *path;
	const char *why;
};

static bool
fail(struct reader *r, const char *why)
{
	r->why = why;
	return false;
}

static bool
is_name(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f && strchr(".[]{}()\"'|", c) == NULL;
}

static bool
at(const struct reader *r, const char *text)
{
	struct slice s = slice_of(text);

	return r->text.n - r->at >= s.n && memcmp(r->text.p + r->at, s.p, s.n) == 0;
}

static int32_t
parse_index(struct slice name)
{
	int32_t index = 0;

	if (name.n == 0 || name.n > INDEX_DIGITS)
		return -1;
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] < '0' || name.p[i] > '9')
			return -1;
		index = index * 10 + name.p[i] - '0';
	}
	return index;
}

static struct path_step *
add_step(struct reader *r)
{
	struct path_step *step = &r->path->steps[r->path->count++];

	*step = (struct path_step){.index = -1};
	return step;
}

static bool
read_name(struct reader *r)
{
	struct path_step *step = add_step(r);
	size_t start = r->at;

	while (r->at < r->text.n && is_name(r->text.p[r->at]))
		r->at++;
	step->name = (struct slice){r->text.p + start, r->at - start};
	step->index = parse_index(step->name);
	if (step->name.n == 0)
		return fail(r, "has a step without a name");
	if (!at(r, "()"))
		return true;
	r->at += 2;
	step->json = slice_is(step->name, SLICE("json"));
	return step->json || fail(r, "has a step with () that is not json()");
}

/* Behind the bracket and its quote. */
static bool
read_quoted(struct reader *r)
{
	struct path_step *step = add_step(r);
	char *name = arena_alloc(r->arena, r->text.n - r->at);

	step->quoted = true;
	step->name.p = name;
	for (; name != NULL && r->at < r->text.n && r->text.p[r->at] != '"'; r->at++) {
		if (at(r, "\\\"") || at(r, "\\\\"))
			r->at++;
		name[step->name.n++] = r->text.p[r->at];
	}
	if (!at(r, "\"]"))
		return fail(r, "has [\" without \"]");
	r->at += 2;
	return true;
}

static bool
read_bracket(struct reader *r)
{
	r->at++;
	if (at(r, "\"")) {
		r->at++;
		return read_quoted(r);
	}
	if (!read_name(r))
		return false;
	if (r->path->steps[r->path->count - 1].index < 0)
		return fail(r, "has neither a number nor a name in quotes between brackets");
	if (!at(r, "]"))
		return fail(r, "has [ without ]");
	r->at++;
	return true;
}

static bool
read_steps(struct reader *r)
{
	if (r->text.n == 0)
		return fail(r, "is empty");
	while (r->at < r->text.n) {
		if (at(r, "[")) {
			if (!read_bracket(r))
				return false;
		} else {
			if (r->at > 0 && !at(r, "."))
				return fail(r, "has a character that belongs in [\"...\"]");
			r->at += r->at > 0;
			if (!read_name(r))
				return false;
		}
	}
	return true;
}

bool
path_compile(struct arena *arena, struct slice text, struct path *path, const char **why)
{
	struct reader r = {.arena = arena, .path = path, .why = "found no memory"};

	*path = (struct path){.text = arena_copy(arena, text)};
	r.text = path->text;
	/* A step has one character at least. */
	path->steps = arena_alloc(arena, (text.n + 1) * sizeof *path->steps);
	*why = r.why;
	if (path->steps == NULL || path->text.p == NULL)
		return false;
	if (read_steps(&r))
		return true;
	*why = r.why;
	return false;
}

struct slice
path_first(const struct path *path)
{
	const struct path_step *first = &path->steps[0];

	return first->quoted || first->json ? (struct slice){NULL, 0} : first->name;
}

/* ---- following it ------------------------------------------------------------------------ */

/* The part of a scope that a path leads into. */
struct ground {
	struct path_text **texts;
	struct arena *arena; /* that they live in */
	struct json_limits limits;
};

static const struct json *
parse(const struct json *node, const struct ground *ground)
{
	char *copy = arena_alloc(ground->arena, node->text.n);
	struct json_error error;

	if (copy == NULL || node->text.n == 0)
		return NULL;
	memcpy(copy, node->text.p, node->text.n);
	return json_read_body(ground->arena, copy, node->text.n, ground->limits, &error);
}

static const struct json *
read_text(const struct json *node, const struct ground *ground)
{
	struct path_text *known = *ground->texts;

	if (node->type != JSON_STRING)
		return NULL;
	while (known != NULL && known->text != node)
		known = known->next;
	if (known != NULL)
		return known->value;
	known = arena_alloc(ground->arena, sizeof *known);
	if (known == NULL)
		return NULL;
	*known = (struct path_text){*ground->texts, node, parse(node, ground)};
	*ground->texts = known;
	return known->value;
}

static const struct json *
find_member(const struct json *object, struct slice name)
{
	const struct json *child = object->first;

	while (child != NULL && !slice_is(child->key, name))
		child = child->next;
	return child;
}

static const struct json *
find_element(const struct json *array, int32_t index)
{
	const struct json *child = array->first;

	if (index < 0 || (uint32_t)index >= array->count)
		return NULL;
	while (index-- > 0)
		child = child->next;
	return child;
}

static const struct json *
follow(const struct path_step *step, const struct json *node, const struct ground *ground)
{
	if (step->json)
		return read_text(node, ground);
	if (node->type == JSON_OBJECT)
		return find_member(node, step->name);
	return node->type == JSON_ARRAY ? find_element(node, step->index) : NULL;
}

static const struct json *
walk(const struct path *path, size_t from, const struct json *node, const struct ground *ground)
{
	for (size_t i = from; i < path->count && node != NULL; i++)
		node = follow(&path->steps[i], node, ground);
	return node;
}

/* Once for all elements: the root may have more members than is good to look at for each. */
static const struct json *
find_in_root(const struct path *path, struct scope *scope)
{
	struct ground ground = {&scope->root_texts, scope->lasting, scope->limits};
	struct path_found *found = scope->found;

	while (found != NULL && found->path != path)
		found = found->next;
	if (found != NULL)
		return found->node;
	found = arena_alloc(scope->lasting, sizeof *found);
	if (found == NULL)
		return NULL;
	*found = (struct path_found){scope->found, path, walk(path, 1, scope->root, &ground)};
	scope->found = found;
	return found->node;
}

const struct json *
path_find(const struct path *path, struct scope *scope)
{
	struct ground ground = {&scope->texts, scope->arena, scope->limits};

	if (scope->root != NULL && slice_is(path_first(path), SLICE("root")))
		return find_in_root(path, scope);
	return walk(path, 0, scope->here, &ground);
}

struct slice
path_text(const struct json *node, struct scope *scope)
{
	struct slice text = {NULL, 0};

	if (node == NULL || node->type == JSON_NULL || json_scalar(node, &text))
		return text;
	return json_compact(scope->arena, node, PATH_TEXT_MOST);
}
