/*
 * Request bodies through the JSON reader and pagertree_read(): an alert has an entity id, a create
 * has a message, tags are texts without blanks and repeats, and what is kept for the record is JSON
 * again with the payload as it was left.
 */
#include <sodium.h>

#include "proto/json_write.h"
#include "proto/pagertree.h"
#include "test/fuzz/body.h"

enum { PAIRED = 100 }; /* each of these is compared with all behind it */

static struct slice
print(struct arena *arena, const struct json *tree)
{
	struct buf buf;
	struct json_writer w = {.buf = &buf};

	buf_init_arena(&buf, arena);
	json_tree(&w, tree);
	return buf_slice(&buf);
}

static void
check_tags(const struct json *tags)
{
	uint32_t count = 0;

	if (tags == NULL)
		return;
	CHECK(tags->type == JSON_ARRAY);
	for (const struct json *a = tags->first; a != NULL; a = a->next, count++) {
		CHECK(a->type == JSON_STRING && slice_trim(a->text).n > 0);
		for (const struct json *b = a->next; b != NULL && count < PAIRED; b = b->next)
			CHECK(!slice_is(a->text, b->text));
	}
	CHECK(count == tags->count);
}

/* Keys in lower case, once each. */
static void
check_payload(const struct json *payload)
{
	uint32_t count = 0;

	for (const struct json *a = payload->first; a != NULL; a = a->next, count++) {
		for (size_t i = 0; i < a->key.n; i++)
			CHECK(ascii_lower(a->key.p[i]) == a->key.p[i]);
		if (count < PAIRED)
			for (const struct json *b = a->next; b != NULL; b = b->next)
				CHECK(!slice_is(a->key, b->key));
	}
	CHECK(count == payload->count);
	check_tags(json_get(payload, "tags"));
}

static void
check_record(struct arena *arena, const struct json *body, const struct alert *alert)
{
	struct json *fields = read_tree(arena, alert->fields, DEPTH + 1);
	const struct json *payload = json_get(fields, "payload");

	CHECK(fields != NULL && payload != NULL);
	CHECK(fields->count == 5);
	CHECK(slice_is(json_get(fields, "message")->text, alert->message));
	CHECK(slice_is(json_get(fields, "entity_id")->text, alert->entity_id));
	CHECK(slice_is(json_get(fields, "summary")->text, alert->summary));
	CHECK(slice_is(print(arena, payload), print(arena, body)));
	check_payload(payload);
	check_payload(body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {(const char *)data, size}, why = {NULL, 0};
	enum pagertree_result result = PAGERTREE_NOTHING;
	struct arena arena;
	struct alert alert;
	struct json *tree;

	if (size > SIZE_MAX_BODY)
		return 0;
	CHECK(sodium_init() >= 0);
	arena_init(&arena, CEILING);
	tree = read_tree(&arena, in, DEPTH);
	if (tree != NULL)
		result = pagertree_read(tree, size % 2 == 0, SLICE("made"), &arena, &alert, &why);
	if (result == PAGERTREE_ALERT) {
		CHECK(alert.message.n > 0 || alert.type != ALERT_CRITICAL);
		CHECK(alert.urgency >= -1 && alert.urgency <= 1);
		check_texts(&alert);
		check_record(&arena, tree, &alert);
	} else if (tree != NULL) {
		CHECK(why.n > 0 && utf8_valid(why) == why.n);
	}
	arena_free(&arena);
	return 0;
}
