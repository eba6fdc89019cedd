/*
 * Request bodies through the JSON reader and alert_read(): what is accepted has a message, ids are
 * ids, and what is kept for the record is JSON again and means the same when it is read again.
 */
#include <sodium.h>

#include "test/fuzz/body.h"

static void
check_id(struct slice id)
{
	struct uuid uuid;

	CHECK(id.n == 0 || (id.n == UUID_TEXT - 1 && uuid_parse(id, &uuid)));
}

static void
check_alert(const struct alert *alert)
{
	CHECK(alert->message.n > 0);
	check_texts(alert);
	check_id(alert->sla);
	check_id(alert->escalation_policy);
	check_id(alert->priority);
}

/* The record reads as the same alert, and is then its own record: nothing gets lost or added. */
static void
check_record(struct arena *arena, const struct alert *alert)
{
	struct json *tree = read_tree(arena, alert->fields, DEPTH);
	struct alert again;
	struct slice why;

	CHECK(tree != NULL);
	CHECK(alert_read(tree, -1, SLICE("made"), arena, &again, &why));
	CHECK(again.type == alert->type && again.suppressed == alert->suppressed);
	CHECK(slice_is(again.message, alert->message));
	CHECK(slice_is(again.entity_id, alert->entity_id));
	CHECK(slice_is(again.summary, alert->summary));
	CHECK(slice_is(again.sla, alert->sla) && slice_is(again.priority, alert->priority));
	CHECK(slice_is(again.fields, alert->fields));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {(const char *)data, size};
	struct arena arena;
	struct alert alert;
	struct slice why;
	struct json *tree;

	if (size > SIZE_MAX_BODY)
		return 0;
	CHECK(sodium_init() >= 0);
	arena_init(&arena, CEILING);
	tree = read_tree(&arena, in, DEPTH);
	if (tree != NULL) {
		if (alert_read(tree, ALERT_INFO, SLICE("made"), &arena, &alert, &why)) {
			check_alert(&alert);
			check_record(&arena, &alert);
		} else
			CHECK(why.n > 0 && utf8_valid(why) == why.n);
	}
	arena_free(&arena);
	return 0;
}
