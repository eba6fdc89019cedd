/*
 * All ways through the steps at once, one character at a time. A step is at most once in the list
 * of those that wait for a character, so each character costs the number of steps at most.
 *
 * A new way begins at every character. While none is under way, characters that no match begins
 * with are passed over.
 */
#include "proto/pattern_parts.h"
#include "proto/utf8.h"

struct list {
	uint16_t count;
	uint16_t steps[PATTERN_MOST];
};

struct run {
	const struct pattern *pattern;
	struct slice text;
	size_t at;
	uint32_t round;              /* one for each character */
	uint32_t seen[PATTERN_MOST]; /* the round in which a step was reached last */
};

/* Adds what waits for a character at the step or behind it. True when the pattern matches. */
static bool
add(struct run *r, struct list *list, uint16_t at)
{
	for (;;) {
		const struct pattern_step *step = &r->pattern->steps[at];

		if (r->seen[at] == r->round)
			return false;
		r->seen[at] = r->round;
		switch (step->kind) {
		case STEP_MATCH:
			return true;
		case STEP_SPLIT:
			if (add(r, list, step->next))
				return true;
			at = step->other;
			continue;
		case STEP_BEGIN:
			if (r->at != 0)
				return false;
			break;
		case STEP_END:
			if (r->at != r->text.n)
				return false;
			break;
		default:
			list->steps[list->count++] = at;
			return false;
		}
		at = step->next;
	}
}

static bool
takes(const struct pattern_step *step, uint32_t c)
{
	if (step->kind == STEP_CHAR)
		return step->character == c;
	return step->kind == STEP_ANY || char_set_has(step->set, c);
}

static uint32_t
next_character(struct run *r)
{
	unsigned char c = (unsigned char)r->text.p[r->at];

	if (c >= 0x80)
		return utf8_next(r->text, &r->at);
	r->at++;
	return r->pattern->ignore_case ? (uint32_t)ascii_lower((char)c) : c;
}

/* From the steps that wait to those that wait behind the next character. */
static bool
advance(struct run *r, const struct list *from, struct list *to)
{
	const struct pattern_step *steps = r->pattern->steps;
	uint32_t c = next_character(r);

	r->round++;
	to->count = 0;
	for (uint16_t i = 0; i < from->count; i++) {
		const struct pattern_step *step = &steps[from->steps[i]];

		if (takes(step, c) && add(r, to, step->next))
			return true;
	}
	return false;
}

static void
pass(struct run *r)
{
	const uint8_t *first = r->pattern->first;

	while (r->at < r->text.n && !first[(unsigned char)r->text.p[r->at]])
		r->at++;
	r->round++; /* what was reached was reached elsewhere */
}

bool
pattern_found(const struct pattern *pattern, struct slice text)
{
	struct run r = {.pattern = pattern, .text = text, .round = 1};
	struct list lists[2];
	unsigned now = 0;

	lists[0].count = lists[1].count = 0;
	while (!add(&r, &lists[now], pattern->start)) {
		if (r.at == text.n)
			return false;
		if (advance(&r, &lists[now], &lists[1 - now]))
			return true;
		now = 1 - now;
		if (lists[now].count == 0)
			pass(&r);
	}
	return true;
}
