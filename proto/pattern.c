/*
 * From a pattern to steps: its tree (pattern_read.c) is laid out from its end to its beginning, so
 * that each step knows what comes next.
 */
#include <ctype.h>

#include "proto/pattern_parts.h"

enum { LAYING_MOST = 16 * PATTERN_MOST };

struct layout {
	struct pattern_step steps[PATTERN_MOST];
	uint16_t count;
	int work; /* nodes laid; repetitions of what is empty take no steps */
	bool failed;
};

static uint16_t
add_step(struct layout *l, struct pattern_step step, uint16_t next, uint16_t other)
{
	if (l->failed || l->count == PATTERN_MOST) {
		l->failed = true;
		return 0;
	}
	step.next = next;
	step.other = other;
	l->steps[l->count] = step;
	return l->count++;
}

static uint16_t lay(struct layout *, const struct pattern_node *, uint16_t next);

static uint16_t
lay_split(struct layout *l, uint16_t next, uint16_t other)
{
	return add_step(l, (struct pattern_step){.kind = STEP_SPLIT}, next, other);
}

/* The loop of a repetition without end is one of those that must be. */
static uint16_t
lay_loop(struct layout *l, const struct pattern_node *node, uint16_t next)
{
	uint16_t split = lay_split(l, 0, next), body = lay(l, node->left, split);

	l->steps[split].next = body;
	return node->least > 0 ? body : split;
}

static uint16_t
lay_repeat(struct layout *l, const struct pattern_node *node, uint16_t next)
{
	bool loop = node->most < 0;
	uint16_t entry = loop ? lay_loop(l, node, next) : next;

	for (int i = node->least; i < node->most && !l->failed; i++)
		entry = lay_split(l, lay(l, node->left, entry), next);
	for (int i = loop ? 1 : 0; i < node->least && !l->failed; i++)
		entry = lay(l, node->left, entry);
	return entry;
}

static uint16_t
lay(struct layout *l, const struct pattern_node *node, uint16_t next)
{
	for (; node->kind == NODE_SEQUENCE; node = node->left)
		next = lay(l, node->right, next);
	if (++l->work > LAYING_MOST)
		l->failed = true;
	if (l->failed || node->kind == NODE_EMPTY)
		return next;
	if (node->kind == NODE_STEP)
		return add_step(l, node->step, next, 0);
	if (node->kind == NODE_REPEAT)
		return lay_repeat(l, node, next);
	return lay_split(l, lay(l, node->left, next), lay(l, node->right, next));
}

static struct pattern *
lay_all(struct pattern_reader *r, const struct pattern_node *root)
{
	struct layout l = {.count = 0};
	struct pattern *pattern = pattern_take(r, sizeof *pattern);
	struct pattern_step *steps;

	if (pattern == NULL)
		return NULL;
	pattern->start =
	    lay(&l, root, add_step(&l, (struct pattern_step){.kind = STEP_MATCH}, 0, 0));
	if (l.failed)
		return pattern_fail(r, "is too large once its repetitions are written out");
	steps = pattern_take(r, l.count * sizeof *steps);
	if (steps == NULL)
		return NULL;
	pattern->steps = memcpy(steps, l.steps, l.count * sizeof *steps);
	pattern->count = l.count;
	pattern->ignore_case = r->ignore_case;
	return pattern;
}

/* ---- how a match begins ------------------------------------------------------------------ */

static uint8_t
first_byte(uint32_t c)
{
	if (c < 0x80)
		return (uint8_t)c;
	if (c < 0x800)
		return (uint8_t)(0xc0 | c >> 6);
	return c < 0x10000 ? (uint8_t)(0xe0 | c >> 12) : (uint8_t)(0xf0 | c >> 18);
}

static void
note_first(struct pattern *p, const struct pattern_step *step)
{
	if (step->kind == STEP_CHAR) {
		p->first[first_byte(step->character)] = true;
		if (p->ignore_case && step->character < 0x80)
			p->first[toupper((int)step->character)] = true;
		return;
	}
	for (uint32_t c = 0; c < 0x80; c++)
		p->first[c] |= step->kind == STEP_ANY || char_set_has(step->set, c);
	memset(p->first + 0xc2, true, 0x100 - 0xc2);
}

/* Steps that need no character: a match that ends with them is empty, and was found at once. */
static void
note_firsts(struct pattern *p, uint16_t at, bool *seen)
{
	const struct pattern_step *step = &p->steps[at];

	if (seen[at])
		return;
	seen[at] = true;
	if (step->kind == STEP_SPLIT) {
		note_firsts(p, step->next, seen);
		note_firsts(p, step->other, seen);
	} else if (step->kind <= STEP_SET) {
		note_first(p, step);
	}
}

struct pattern *
pattern_compile(struct arena *arena, struct slice text, bool ignore_case, const char **why)
{
	struct pattern_reader r = {.arena = arena, .text = text, .ignore_case = ignore_case};
	struct pattern *pattern = NULL;
	struct pattern_node *root = NULL;
	bool seen[PATTERN_MOST] = {false};

	if (text.n == 0)
		pattern_fail(&r, "must not be empty");
	else if (text.n > PATTERN_MOST)
		pattern_fail(&r, "must have at most 1000 bytes");
	else
		root = pattern_read(&r);
	if (root != NULL)
		pattern = lay_all(&r, root);
	if (pattern != NULL)
		note_firsts(pattern, pattern->start, seen);
	*why = r.why;
	return pattern;
}
