/*
 * All claims are sorted by kind, scope, text and place; neighbours that are alike but for the place
 * are faults. The sentence names the line of the first and shows no text, which may be a secret.
 */
#include "conf/unique.h"

#include <stdlib.h>

#include "proto/text.h"

struct claim {
	struct claim *next;
	const void *kind;
	size_t scope;
	struct slice text;
	const struct json *node;
};

void
unique_claim(struct unique *u, struct arena *arena, const void *kind, size_t scope,
    struct slice text, const struct json *node)
{
	struct claim *claim = arena_alloc(arena, sizeof *claim);

	if (claim == NULL)
		return;
	*claim = (struct claim){u->list, kind, scope, text, node};
	u->list = claim;
	u->count++;
}

static int
order(uintptr_t a, uintptr_t b)
{
	return a < b ? -1 : a > b;
}

static int
compare(const struct claim *a, const struct claim *b)
{
	int c = order((uintptr_t)a->kind, (uintptr_t)b->kind);

	if (c == 0)
		c = order(a->scope, b->scope);
	return c != 0 ? c : text_compare(a->text, b->text);
}

static int
by_claim(const void *a, const void *b)
{
	const struct claim *const *x = a, *const *y = b;
	int c = compare(*x, *y);

	return c != 0 ? c : order((*x)->node->at, (*y)->node->at);
}

void
unique_check(struct unique *u, struct faults *faults)
{
	struct claim **sorted = arena_alloc(faults->arena, (u->count + 1) * sizeof *sorted);
	size_t n = 0, first = 0;

	if (sorted == NULL)
		return;
	for (struct claim *claim = u->list; claim != NULL; claim = claim->next)
		sorted[n++] = claim;
	qsort(sorted, n, sizeof *sorted, by_claim);
	for (size_t i = 1; i < n; i++) {
		if (compare(sorted[first], sorted[i]) != 0) {
			first = i;
			continue;
		}
		fault_add(faults, sorted[i]->node, "is already used on line %u",
		    fault_line(faults, sorted[first]->node->at));
	}
}
