/*
 *     "Disk {{ labels.device }} on {{ host }}"  ->  text "Disk ", path, text " on ", path
 *
 * A template of one part copies nothing: its value is the sender's own text.
 */
#include "proto/template.h"

#include "proto/utf8.h"

struct template_part {
	struct slice text; /* where there is no path */
	struct path path;  /* count 0: none */
};

/* ---- made from the configuration --------------------------------------------------------- */

/* The offset of "{{" or "}}" at or behind `at`, or the text's length. */
static size_t
find_braces(struct slice text, size_t at, char brace)
{
	while (at + 1 < text.n && !(text.p[at] == brace && text.p[at + 1] == brace))
		at++;
	return at + 1 < text.n ? at : text.n;
}

static size_t
count_parts(struct slice text)
{
	size_t count = 1;

	for (size_t at = 0; (at = find_braces(text, at, '{')) < text.n; at += 2)
		count += 2;
	return count;
}

static void
add_text(struct template *t, struct slice text)
{
	if (text.n > 0)
		t->parts[t->count++] = (struct template_part){.text = text};
}

/* From "{{" at `open` to "}}"; *at is moved behind it. */
static bool
add_path(struct compiler *c, const struct json *node, struct template *t, struct slice text,
    size_t *at)
{
	size_t start = *at + 2, end = find_braces(text, start, '}');
	struct template_part *part = &t->parts[t->count++];

	*part = (struct template_part){.text = {NULL, 0}};
	if (end == text.n) {
		compiler_complain(c, node, "has {{ without }}");
		return false;
	}
	*at = end + 2;
	return compiler_path(c, node, slice_trim((struct slice){text.p + start, end - start}),
	    &part->path, NULL);
}

bool
template_compile(struct compiler *c, const struct json *node, struct template *t)
{
	struct slice text;
	size_t at = 0, next;

	*t = (struct template){NULL, 0};
	if (!compiler_text(c, node, &text))
		return false;
	if (slice_trim(text).n == 0) {
		compiler_complain(c, node, "must not be empty");
		return false;
	}
	t->parts = arena_alloc(c->arena, count_parts(text) * sizeof *t->parts);
	if (t->parts == NULL)
		return false;
	while ((next = find_braces(text, at, '{')) < text.n) {
		add_text(t, (struct slice){text.p + at, next - at});
		at = next;
		if (!add_path(c, node, t, text, &at))
			return false;
	}
	add_text(t, (struct slice){text.p + at, text.n - at});
	return true;
}

bool
template_literal(const struct template *t, struct slice *text)
{
	bool literal = t->count == 1 && t->parts[0].path.count == 0;

	*text = literal ? t->parts[0].text : (struct slice){NULL, 0};
	return literal;
}

/* ---- at work ----------------------------------------------------------------------------- */

static bool
is_nothing(const struct json *node)
{
	return node == NULL || node->type == JSON_NULL;
}

static struct slice
join(const struct slice *texts, size_t count, struct arena *arena)
{
	struct slice joined = {NULL, 0}, text;
	size_t total = 0;
	char *p;

	for (size_t i = 0; i < count; i++)
		total += texts[i].n;
	total = total < TEMPLATE_MOST ? total : TEMPLATE_MOST;
	p = arena_alloc(arena, total);
	if (p == NULL)
		return joined;
	joined.p = p;
	for (size_t i = 0; i < count; i++) {
		text = utf8_cut(texts[i], total - joined.n);
		if (text.n > 0)
			memcpy(p + joined.n, text.p, text.n);
		joined.n += text.n;
		if (text.n < texts[i].n)
			break;
	}
	return joined;
}

bool
template_render(const struct template *t, struct scope *scope, struct slice *text)
{
	struct slice *texts = arena_alloc(scope->arena, (t->count + 1) * sizeof *texts);
	bool paths = false, found = false;

	*text = (struct slice){NULL, 0};
	if (texts == NULL)
		return false;
	for (size_t i = 0; i < t->count; i++) {
		const struct template_part *part = &t->parts[i];
		const struct json *node;

		texts[i] = part->text;
		if (part->path.count == 0)
			continue;
		node = path_find(&part->path, scope);
		texts[i] = path_text(node, scope);
		paths = true;
		found |= !is_nothing(node);
	}
	*text = t->count == 1 ? utf8_cut(texts[0], TEMPLATE_MOST)
			      : join(texts, t->count, scope->arena);
	return (found || !paths) && slice_trim(*text).n > 0;
}

const struct json *
template_node(const struct template *t, struct scope *scope)
{
	return t->count == 1 && t->parts[0].path.count > 0 ? path_find(&t->parts[0].path, scope)
							   : NULL;
}
