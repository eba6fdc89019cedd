/* What the targets for bodies of alerts share. */
#ifndef TEST_FUZZ_BODY_H
#define TEST_FUZZ_BODY_H

#include "proto/alert.h"
#include "proto/utf8.h"
#include "test/fuzz/check.h"

enum { CEILING = 8 << 20, DEPTH = 32, SIZE_MAX_BODY = 64 << 10 };

/* Parses a copy, as parsing may change the bytes. */
static struct json *
read_tree(struct arena *arena, struct slice text, int depth)
{
	struct json_error error;
	char *copy = arena_alloc(arena, text.n + 1);

	if (copy == NULL || text.n == 0)
		return NULL;
	memcpy(copy, text.p, text.n);
	return json_read(arena, copy, text.n, 0, depth, &error);
}

static void
check_texts(const struct alert *alert)
{
	CHECK(utf8_valid(alert->message) == alert->message.n);
	CHECK(utf8_valid(alert->summary) == alert->summary.n);
	CHECK(utf8_valid(alert->entity_id) == alert->entity_id.n);
	CHECK(alert->entity_id.n > 0 && alert->entity_id.n <= ALERT_ENTITY_MAX);
	CHECK(alert_type_name((int)alert->type) != NULL);
}

#endif
