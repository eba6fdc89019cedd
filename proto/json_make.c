/*
 * Nodes that are made have no place in a source: `at` is 0.
 */
#include "proto/json_make.h"

#include "proto/json_write.h"

struct json *
json_make(struct arena *arena, enum json_type type)
{
	struct json *node = arena_zalloc(arena, sizeof *node);

	if (node != NULL)
		node->type = type;
	return node;
}

struct json *
json_make_text(struct arena *arena, struct slice text)
{
	struct json *node = json_make(arena, JSON_STRING);

	if (node != NULL)
		node->text = text;
	return node;
}

struct json *
json_make_bool(struct arena *arena, bool truth)
{
	struct json *node = json_make(arena, JSON_BOOL);

	if (node != NULL)
		node->truth = truth;
	return node;
}

struct json *
json_make_alias(struct arena *arena, const struct json *original)
{
	struct json *node = original == NULL ? NULL : arena_alloc(arena, sizeof *node);

	if (node == NULL)
		return NULL;
	*node = *original;
	node->next = NULL;
	return node;
}

void
json_append(struct json *container, struct json *child)
{
	struct json **end = container == NULL ? NULL : &container->first;

	if (end == NULL || child == NULL)
		return;
	while (*end != NULL)
		end = &(*end)->next;
	*end = child;
	container->count++;
}

void
json_put(struct json *object, const char *name, struct json *value)
{
	struct json **place = object == NULL ? NULL : &object->first;

	if (place == NULL || value == NULL)
		return;
	value->key = slice_of(name);
	while (*place != NULL && !slice_is((*place)->key, value->key))
		place = &(*place)->next;
	if (*place == NULL)
		object->count++;
	else
		value->next = (*place)->next;
	*place = value;
}

struct slice
json_compact(struct arena *arena, const struct json *node, size_t max)
{
	struct buf buf;
	struct json_writer w = {.buf = &buf, .compact = true};

	buf_init_arena(&buf, arena);
	buf.ceiling = max < buf.ceiling ? max : buf.ceiling;
	json_tree(&w, node);
	return buf_slice(&buf);
}
