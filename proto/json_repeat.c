/*
 * Repeated keys. As in Python's dict, the last value goes in the place of the first:
 *
 *     {"a": 1, "b": 2, "a": 3}      becomes      {"a": 3, "b": 2}
 *
 * Small objects, nearly all there are, are only looked through. Others are sorted by key and place,
 * which keeps a hostile object of many keys at n log n. No key is at offset 0, where the object's
 * brace is at the earliest; a key_at of 0 marks the members that go.
 */
#include "proto/json_repeat.h"

#include <stdlib.h>

/* Up to here repeats are looked for pairwise, which is faster than sorting. */
enum { SORT_ABOVE = 8 };

static bool
has_repeats(const struct json *object)
{
	for (const struct json *a = object->first; a != NULL; a = a->next)
		for (const struct json *b = a->next; b != NULL; b = b->next)
			if (slice_is(a->key, b->key))
				return true;
	return false;
}

struct entry {
	struct json *member;
};

/* By key, then by place, so that the order does not depend on the sorting. */
static int
compare_members(const void *left, const void *right)
{
	const struct json *a = ((const struct entry *)left)->member;
	const struct json *b = ((const struct entry *)right)->member;
	int order = 0;

	if (a->key.n != b->key.n)
		return a->key.n < b->key.n ? -1 : 1;
	if (a->key.n > 0)
		order = memcmp(a->key.p, b->key.p, a->key.n);
	return order != 0 ? order : (a->key_at > b->key_at) - (a->key_at < b->key_at);
}

static struct entry *
sorted_members(struct arena *arena, const struct json *object)
{
	struct entry *entries = arena_alloc(arena, object->count * sizeof *entries);
	size_t n = 0;

	if (entries == NULL)
		return NULL;
	for (struct json *member = object->first; member != NULL; member = member->next)
		entries[n++].member = member;
	qsort(entries, n, sizeof *entries, compare_members);
	return entries;
}

static void
replace_value(struct json *first, const struct json *last)
{
	struct json *next = first->next;

	*first = *last;
	first->next = next;
}

static void
unlink_marked(struct json *object)
{
	struct json **link = &object->first;

	while (*link != NULL) {
		if ((*link)->key_at == 0) {
			*link = (*link)->next;
			object->count--;
		} else {
			link = &(*link)->next;
		}
	}
}

bool
json_repeat_merge(struct arena *arena, struct json *object)
{
	struct entry *entries;
	uint32_t behind;

	if (object->count <= SORT_ABOVE && !has_repeats(object))
		return true;
	entries = sorted_members(arena, object);
	if (entries == NULL)
		return false;
	for (uint32_t i = 0; i < object->count; i = behind) {
		for (behind = i + 1; behind < object->count; behind++)
			if (!slice_is(entries[i].member->key, entries[behind].member->key))
				break;
		if (behind - i > 1)
			replace_value(entries[i].member, entries[behind - 1].member);
		for (uint32_t gone = i + 1; gone < behind; gone++)
			entries[gone].member->key_at = 0;
	}
	unlink_marked(object);
	return true;
}
