/*
 * Complaints are counted: a part is as good as it was made if the count is what it was.
 */
#include "proto/compiler.h"

#include <stdarg.h>
#include <stdio.h>

static void tell(struct compiler *, struct complaint, const char *, va_list) PRINTF(3, 0);

static void
tell(struct compiler *c, struct complaint complaint, const char *format, va_list args)
{
	char what[512];

	vsnprintf(what, sizeof what, format, args);
	complaint.what = what;
	c->faults++;
	c->complain(c->arg, &complaint);
}

void
compiler_complain(struct compiler *c, const struct json *node, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(c, (struct complaint){.node = node}, format, args);
	va_end(args);
}

void
compiler_complain_key(struct compiler *c, const struct json *member, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(c, (struct complaint){.node = member, .key = true}, format, args);
	va_end(args);
}

const struct json *
compiler_need(struct compiler *c, const struct json *object, const char *name)
{
	const struct json *member = json_get(object, name);

	if (member != NULL)
		return member;
	c->faults++;
	c->complain(c->arg,
	    &(struct complaint){.node = object, .member = name, .what = "is missing"});
	return NULL;
}

bool
compiler_is(struct compiler *c, const struct json *node, enum json_type type)
{
	static const char *const names[] = {
		[JSON_NULL] = "must be null",
		[JSON_BOOL] = "must be true or false",
		[JSON_NUMBER] = "must be a number",
		[JSON_STRING] = "must be a text",
		[JSON_ARRAY] = "must be a list",
		[JSON_OBJECT] = "must be an object",
	};

	if (node->type == type)
		return true;
	compiler_complain(c, node, "%s", names[type]);
	return false;
}

bool
compiler_is_list(struct compiler *c, const struct json *node)
{
	if (!compiler_is(c, node, JSON_ARRAY))
		return false;
	if (node->count > 0)
		return true;
	compiler_complain(c, node, "must not be empty");
	return false;
}

static bool
is_among(struct slice name, const char *const *names)
{
	while (*names != NULL && !slice_is(name, slice_of(*names)))
		names++;
	return *names != NULL;
}

void
compiler_know(struct compiler *c, const struct json *object, const char *const *names)
{
	for (const struct json *member = object->first; member != NULL; member = member->next) {
		const struct json *before = object->first;

		while (before != member && !slice_is(before->key, member->key))
			before = before->next;
		if (before != member)
			compiler_complain_key(c, member, "is given twice");
		else if (names != NULL && !is_among(member->key, names))
			compiler_complain_key(c, member, "is not known here");
	}
}

bool
compiler_text(struct compiler *c, const struct json *node, struct slice *text)
{
	if (!json_scalar(node, text)) {
		compiler_complain(c, node, "must be a text");
		return false;
	}
	*text = arena_copy(c->arena, *text);
	return text->p != NULL;
}

/* The row of a path's first step, if the path is one of those that start there. */
static const struct compiler_field *
find_field(struct compiler *c, const struct path *path)
{
	const struct compiler_field *field = c->fields;

	while (field->name != NULL && !slice_is(path_first(path), slice_of(field->name)))
		field++;
	if (field->name == NULL || (path->count > 1 && !field->deep))
		return NULL;
	c->used |= UINT32_C(1) << (field - c->fields);
	return field;
}

bool
compiler_path(struct compiler *c, const struct json *node, struct slice text, struct path *path,
    const struct compiler_field **field)
{
	const struct compiler_field *found = NULL;
	const char *why;

	if (!path_compile(c->arena, text, path, &why)) {
		compiler_complain(c, node, "%s", why);
		return false;
	}
	if (c->fields != NULL)
		found = find_field(c, path);
	if (c->fields != NULL && found == NULL) {
		compiler_complain(c, node, "has a path that is not in an alert");
		return false;
	}
	if (field != NULL)
		*field = found;
	return true;
}
