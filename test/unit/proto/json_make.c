/* Trees that are made: nodes, members put and replaced, compact text. */
#include "compile.h"

#include "proto/json_make.h"

static void
check_text(const struct json *node, size_t max, const char *want)
{
	check_slice(want, json_compact(&arena, node, max), want);
}

static void
test_json_make_object(void **state)
{
	struct json *object = json_make(&arena, JSON_OBJECT), *array = json_make(&arena, JSON_ARRAY);

	(void)state;
	json_put(object, "a", json_make_text(&arena, SLICE("x")));
	json_put(object, "b", json_make_bool(&arena, true));
	json_put(object, "c", json_make(&arena, JSON_NULL));
	json_put(object, "b", array); /* in its place */
	json_append(array, json_make_bool(&arena, false));
	json_append(array, json_make_alias(&arena, json_get(object, "a")));
	json_append(array, NULL);
	json_put(object, "d", NULL);
	assert_int_equal(object->count, 3);
	assert_int_equal(array->count, 2);
	check_text(object, 1000, "{\"a\":\"x\",\"b\":[false,\"x\"],\"c\":null}");
}

/* An alias shares children and has its own place. */
static void
test_json_make_alias(void **state)
{
	struct json *source = tree("[{'k': [1, 2]}, 3]"), *object = json_make(&arena, JSON_OBJECT);

	(void)state;
	json_put(object, "x", json_make_alias(&arena, source->first));
	check_text(object, 1000, "{\"x\":{\"k\":[1,2]}}");
	check_text(source, 1000, "[{\"k\":[1,2]},3]");
	assert_null(json_make_alias(&arena, NULL));
}

static void
test_json_make_compact(void **state)
{
	struct json *node = tree("{'caf\xc3\xa9 \\u0001\\n\\u007f': ['\xf0\x9f\x98\x80', -0.50, '\\\\']}");

	(void)state;
	check_text(node, 1000, "{\"caf\xc3\xa9 \\u0001\\n\\u007f\":[\"\xf0\x9f\x98\x80\",-0.50,\"\\\\\"]}");
	check_text(tree("[10, 20, 30]"), 6, "[10,20");
	check_text(tree("[10, 20, 30]"), 5, "[10,");
	check_text(tree("[]"), 1, "[");
}

/* Without room nothing is made, and nothing is done with it. */
static void
test_json_make_full(void **state)
{
	struct arena small;

	(void)state;
	arena_init(&small, 0);
	assert_null(json_make(&small, JSON_OBJECT));
	assert_null(json_make_text(&small, SLICE("x")));
	assert_null(json_make_bool(&small, true));
	assert_null(json_make_alias(&small, tree("1")));
	json_put(NULL, "a", json_make_bool(&arena, true));
	json_append(NULL, json_make_bool(&arena, true));
	assert_true(small.failed);
	arena_free(&small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_json_make_object, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_json_make_alias, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_json_make_compact, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_json_make_full, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
