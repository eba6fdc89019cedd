/* For tests of what is compiled from a configuration: JSON with ' for ", complaints as lines. */
#ifndef TEST_UNIT_PROTO_COMPILE_H
#define TEST_UNIT_PROTO_COMPILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

#include "proto/compiler.h"

static struct arena arena;
static char complaints[4096];
static char told[2048];

static inline int
set_up(void **state)
{
	(void)state;
	arena_init(&arena, 64 << 20);
	return sodium_init() < 0 ? -1 : 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static inline struct slice
quoted(const char *text)
{
	size_t n = strlen(text);
	char *copy = arena_alloc(&arena, n + 1);

	assert_non_null(copy);
	memcpy(copy, text, n + 1);
	for (char *p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	return (struct slice){copy, n};
}

static inline struct json *
tree(const char *text)
{
	struct slice copy = quoted(text);
	struct json_error error;
	struct json *json = json_read(&arena, (char *)copy.p, copy.n, JSON_KEEP_DUPLICATES, 64,
	    &error);

	if (json == NULL)
		fail_msg("%s: %s at %zu", text, error.what, error.at);
	return json;
}

/* "12: must be a text", "7 key: is not known here", "0 then: is missing", one a line. */
static inline void
add_complaint(void *arg, const struct complaint *c)
{
	size_t n = strlen(complaints);

	(void)arg;
	snprintf(complaints + n, sizeof complaints - n, "%u%s%s: %s\n",
	    c->key ? c->node->key_at : c->node->at, c->key ? " key" : c->member != NULL ? " " : "",
	    c->member != NULL ? c->member : "", c->what);
}

static inline bool
is_ada(void *arg, struct slice username)
{
	(void)arg;
	return slice_is(username, SLICE("ada"));
}

static inline struct compiler
new_compiler(void)
{
	complaints[0] = '\0';
	return (struct compiler){.arena = &arena, .complain = add_complaint, .is_user = is_ada};
}

static inline void
check_slice(const char *what, struct slice got, const char *want)
{
	if (!slice_is(got, slice_of(want)))
		fail_msg("%s:\ngot  \"%.*s\"\nwant \"%s\"", what, (int)got.n,
		    got.p == NULL ? "" : got.p, want);
}

static inline void
check_complaints(const char *what, const char *want)
{
	if (strcmp(complaints, want) != 0)
		fail_msg("%s\ngot:\n%swant:\n%s", what, complaints, want);
}

/* An observer's: "value 0 message: before -> found 0", a line each. */
static inline void
tell_observation(void *arg, const struct observation *o)
{
	static const char *const kinds[] = {"test", "block", "rule", "value"};
	size_t n = strlen(told);

	(void)arg;
	snprintf(told + n, sizeof told - n, "%s %zu %.*s: %.*s -> %.*s %d\n", kinds[o->kind],
	    o->number, (int)o->name.n, o->name.p == NULL ? "" : o->name.p, (int)o->before.n,
	    o->before.p == NULL ? "" : o->before.p, (int)o->found.n,
	    o->found.p == NULL ? "" : o->found.p, o->held);
}

#endif
