/*
 * A pattern's text becomes a tree:
 *
 *     read_choice ── read_sequence ── read_repeated ── read_atom ─┬─ read_set
 *          └──────────────────────────────────────────────────────┴─ read_group
 */
#include <ctype.h>

#include "proto/pattern_parts.h"
#include "proto/utf8.h"

enum { DEPTH_MOST = 32 };

static struct pattern_node *read_choice(struct pattern_reader *);

/* ---- reading ----------------------------------------------------------------------------- */

void *
pattern_fail(struct pattern_reader *r, const char *why)
{
	if (r->why == NULL)
		r->why = why;
	return NULL;
}

void *
pattern_take(struct pattern_reader *r, size_t n)
{
	void *p = arena_zalloc(r->arena, n);

	return p == NULL ? pattern_fail(r, "found no memory") : p;
}

static struct pattern_node *
make(struct pattern_reader *r, enum node_kind kind, struct pattern_node *left,
    struct pattern_node *right)
{
	struct pattern_node *node = pattern_take(r, sizeof *node);

	if (node == NULL)
		return NULL;
	node->kind = kind;
	node->left = left;
	node->right = right;
	return node;
}

static struct pattern_node *
make_step(struct pattern_reader *r, enum step_kind kind)
{
	struct pattern_node *node = make(r, NODE_STEP, NULL, NULL);

	if (node != NULL)
		node->step.kind = kind;
	return node;
}

static bool
more(const struct pattern_reader *r)
{
	return r->at < r->text.n;
}

static bool
is(const struct pattern_reader *r, char c)
{
	return more(r) && r->text.p[r->at] == c;
}

/* Steps over the character if it is there. */
static bool
skip(struct pattern_reader *r, char c)
{
	bool there = is(r, c);

	r->at += there;
	return there;
}

static struct pattern_node *
read_character(struct pattern_reader *r)
{
	struct pattern_node *node = make_step(r, STEP_CHAR);
	uint32_t c = utf8_next(r->text, &r->at);

	if (node != NULL)
		node->step.character =
		    r->ignore_case && c < 0x80 ? (uint32_t)ascii_lower((char)c) : c;
	return node;
}

/* ---- brackets ---------------------------------------------------------------------------- */

static void
add_range(struct pattern_reader *r, struct char_set *set, uint32_t low, uint32_t high)
{
	struct char_range *range;

	for (uint32_t c = low; c <= high && c < 0x80; c++) {
		set->ascii[c / 64] |= UINT64_C(1) << c % 64;
		if (r->ignore_case && isalpha((int)c))
			set->ascii[1] |= UINT64_C(1) << (c ^ 0x20) % 64;
	}
	range = high < 0x80 ? NULL : pattern_take(r, sizeof *range);
	if (range == NULL)
		return;
	*range = (struct char_range){set->ranges, low, high};
	set->ranges = range;
}

/* Behind "[:". */
static bool
read_class(struct pattern_reader *r, struct char_set *set)
{
	static const struct {
		const char *name;
		int (*has)(int);
	} classes[] = {{"alnum:]", isalnum}, {"alpha:]", isalpha}, {"blank:]", isblank},
	    {"cntrl:]", iscntrl}, {"digit:]", isdigit}, {"graph:]", isgraph}, {"lower:]", islower},
	    {"print:]", isprint}, {"punct:]", ispunct}, {"space:]", isspace}, {"upper:]", isupper},
	    {"xdigit:]", isxdigit}};
	struct slice rest = {r->text.p + r->at, r->text.n - r->at};

	for (size_t i = 0; i < COUNT_OF(classes); i++) {
		struct slice name = slice_of(classes[i].name);

		if (rest.n < name.n || memcmp(rest.p, name.p, name.n) != 0)
			continue;
		for (uint32_t c = 0; c < 0x80; c++)
			if (classes[i].has((int)c))
				add_range(r, set, c, c);
		r->at += name.n;
		return true;
	}
	pattern_fail(r, "has a [:class:] that is not known");
	return false;
}

static bool
read_member(struct pattern_reader *r, uint32_t *c)
{
	*c = 0;
	if (!more(r)) {
		pattern_fail(r, "has [ without ]");
		return false;
	}
	*c = utf8_next(r->text, &r->at);
	if (*c == '\\' && !skip(r, '\\'))
		pattern_fail(r, "has a backslash in brackets, where it is no escape; write \\\\ "
				"if it is meant itself");
	return r->why == NULL;
}

static bool
read_item(struct pattern_reader *r, struct char_set *set)
{
	uint32_t low, high;

	if (is(r, '[') && r->at + 1 < r->text.n && strchr(":=.", r->text.p[r->at + 1]) != NULL) {
		r->at += 2;
		if (r->text.p[r->at - 1] == ':')
			return read_class(r, set);
		pattern_fail(r, "has a collating element");
		return false;
	}
	if (!read_member(r, &low))
		return false;
	high = low;
	if (is(r, '-') && r->at + 1 < r->text.n && r->text.p[r->at + 1] != ']') {
		r->at++;
		if (!read_member(r, &high))
			return false;
	}
	if (high < low)
		pattern_fail(r, "has a range that ends before it begins");
	else
		add_range(r, set, low, high);
	return r->why == NULL;
}

/* Behind "[". */
static struct pattern_node *
read_set(struct pattern_reader *r)
{
	struct pattern_node *node = make_step(r, STEP_SET);
	struct char_set *set = pattern_take(r, sizeof *set);
	bool first = true;

	if (node == NULL || set == NULL)
		return NULL;
	set->negated = skip(r, '^');
	for (; first || !is(r, ']'); first = false)
		if (!read_item(r, set))
			return NULL;
	r->at++;
	if (set->negated) {
		set->ascii[0] = ~set->ascii[0];
		set->ascii[1] = ~set->ascii[1];
	}
	node->step.set = set;
	return node;
}

bool
char_set_has(const struct char_set *set, uint32_t c)
{
	if (c < 0x80)
		return set->ascii[c / 64] >> c % 64 & 1;
	for (const struct char_range *r = set->ranges; r != NULL; r = r->next)
		if (c >= r->low && c <= r->high)
			return !set->negated;
	return set->negated;
}

/* ---- atoms, repetitions, groups ---------------------------------------------------------- */

/* A set that has a letter of its own; read as it would be written. */
static struct pattern_node *
read_named_set(struct pattern_reader *r, char letter)
{
	static const struct {
		char letter;
		const char *set;
	} named[] = {{'d', "[:digit:]]"}, {'w', "[:alnum:]_]"}, {'s', "[:space:]]"},
	    {'D', "^[:digit:]]"}, {'W', "^[:alnum:]_]"}, {'S', "^[:space:]]"}};
	struct pattern_reader inner = *r;
	struct pattern_node *node;

	for (size_t i = 0; i < COUNT_OF(named); i++) {
		if (named[i].letter != letter)
			continue;
		inner.text = slice_of(named[i].set);
		inner.at = 0;
		node = read_set(&inner);
		return node != NULL ? node : pattern_fail(r, inner.why);
	}
	return pattern_fail(r, letter >= '1' && letter <= '9'
			   ? "has a back-reference"
			   : "has a backslash before a letter or digit that it gives no meaning");
}

/* Behind "\". */
static struct pattern_node *
read_escape(struct pattern_reader *r)
{
	char c;

	if (!more(r))
		return pattern_fail(r, "ends with a backslash");
	c = r->text.p[r->at];
	if (!isalnum((unsigned char)c))
		return read_character(r);
	r->at++;
	return read_named_set(r, c);
}

/* Behind "(". */
static struct pattern_node *
read_group(struct pattern_reader *r)
{
	struct pattern_node *node;

	if (is(r, '?'))
		return pattern_fail(r, "has (?, which POSIX lacks");
	if (++r->depth > DEPTH_MOST)
		return pattern_fail(r, "is nested too deep");
	node = read_choice(r);
	r->depth--;
	if (node != NULL && !skip(r, ')'))
		return pattern_fail(r, "has ( without )");
	return node;
}

static bool
is_repetition(const struct pattern_reader *r)
{
	return is(r, '*') || is(r, '+') || is(r, '?') || is(r, '{');
}

static struct pattern_node *
read_anchor(struct pattern_reader *r)
{
	enum step_kind kind = r->text.p[r->at++] == '^' ? STEP_BEGIN : STEP_END;

	return is_repetition(r) ? pattern_fail(r, "repeats ^ or $") : make_step(r, kind);
}

static struct pattern_node *
read_atom(struct pattern_reader *r)
{
	if (skip(r, '('))
		return read_group(r);
	if (skip(r, '['))
		return read_set(r);
	if (skip(r, '\\'))
		return read_escape(r);
	if (skip(r, '.'))
		return make_step(r, STEP_ANY);
	if (is(r, '^') || is(r, '$'))
		return read_anchor(r);
	if (is_repetition(r))
		return pattern_fail(r, "repeats what is not there");
	return read_character(r);
}

/* False if there is none, or it is larger than PATTERN_REPEATS. */
static bool
read_count(struct pattern_reader *r, int *count)
{
	size_t start = r->at;

	for (*count = 0; more(r) && isdigit((unsigned char)r->text.p[r->at]); r->at++) {
		*count = *count * 10 + r->text.p[r->at] - '0';
		if (*count > PATTERN_REPEATS)
			return false;
	}
	return r->at > start;
}

/* Behind "{". */
static bool
read_bounds(struct pattern_reader *r, struct pattern_node *repeat)
{
	bool good = read_count(r, &repeat->least);

	repeat->most = repeat->least;
	if (good && skip(r, ',')) {
		if (is(r, '}'))
			repeat->most = -1;
		else
			good = read_count(r, &repeat->most) && repeat->most >= repeat->least;
	}
	if (!good || !skip(r, '}'))
		pattern_fail(r, "has { } without one number, or two in order, of at most 255");
	return r->why == NULL;
}

static struct pattern_node *
read_repeated(struct pattern_reader *r)
{
	struct pattern_node *node = read_atom(r), *repeat;

	while (node != NULL && is_repetition(r)) {
		char c = r->text.p[r->at++];

		repeat = make(r, NODE_REPEAT, node, NULL);
		if (repeat == NULL)
			return NULL;
		repeat->least = c == '+';
		repeat->most = c == '?' ? 1 : -1;
		if (c == '{' && !read_bounds(r, repeat))
			return NULL;
		node = repeat;
	}
	return node;
}

static struct pattern_node *
read_sequence(struct pattern_reader *r)
{
	struct pattern_node *node = make(r, NODE_EMPTY, NULL, NULL), *next;

	while (node != NULL && more(r) && !is(r, '|') && !is(r, ')')) {
		next = read_repeated(r);
		if (next == NULL)
			return NULL;
		node = node->kind == NODE_EMPTY ? next : make(r, NODE_SEQUENCE, node, next);
	}
	return node;
}

static struct pattern_node *
read_choice(struct pattern_reader *r)
{
	struct pattern_node *node = read_sequence(r), *other;

	if (node == NULL || !skip(r, '|'))
		return node;
	other = read_choice(r);
	return other == NULL ? NULL : make(r, NODE_CHOICE, node, other);
}

struct pattern_node *
pattern_read(struct pattern_reader *r)
{
	struct pattern_node *root = read_choice(r);

	return root != NULL && more(r) ? pattern_fail(r, "has ) without (") : root;
}
