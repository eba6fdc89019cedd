/* Members of stored objects (CONTRACT §2: what an alert's row shows of it). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/json_find.h"
#include "proto/json_write.h"

static void
expect(const char *object, const char *name, const char *value)
{
	struct slice found = json_find(slice_of(object), name);

	if (value == NULL)
		assert_null(found.p);
	else if (!slice_is(found, slice_of(value)))
		fail_msg("%s of %s: \"%.*s\"", name, object, (int)found.n, found.p);
}

static void
test_json_find_values(void **state)
{
	static const char object[] =
	    "{\"s\": \"a, \\\"b\\\": }\", \"n\": -1.5e3, \"t\": true, \"o\": {\"n\": [1, {}], \"s\": "
	    "\"}\"}, \"a\": [\"]\", {\"a\": 1}], \"e\": \"\", \"\": null, \"z\": {}}";

	(void)state;
	expect(object, "s", "\"a, \\\"b\\\": }\"");
	expect(object, "n", "-1.5e3");
	expect(object, "t", "true");
	expect(object, "o", "{\"n\": [1, {}], \"s\": \"}\"}");
	expect(object, "a", "[\"]\", {\"a\": 1}]");
	expect(object, "e", "\"\"");
	expect(object, "", "null");
	expect(object, "z", "{}");
}

static void
test_json_find_none(void **state)
{
	static const char *const objects[] = {"", "{", "{}", "[]", "null", "{\"", "{\"a", "{\"a\"",
					      "{\"a\":", "{\"b\": {\"a\": 1}}", "{\"\\\"a\": 1}",
					      "{\"b\": \"\\", "{\"b\": [[[[", "{\"b\": 1, ",
					      "{\"aa\": 1, \"A\": 2}", "\xff\xfe"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(objects); i++)
		expect(objects[i], "a", NULL);
}

/* Cut anywhere, it reads nothing behind its end. */
static void
test_json_find_cut(void **state)
{
	static const char object[] = "{\"k\\\\\": {\"x\": \"\\u00e9\\\"\"}, \"v\": [1, \"2\"], \"w\": 3}";

	(void)state;
	for (size_t n = 0; n < sizeof object; n++) {
		char *copy = malloc(n + 1); /* so that sanitizers know where it ends */
		struct slice found;

		memcpy(copy, object, n);
		found = json_find((struct slice){copy, n}, "w");
		assert_true(found.n == 0 || found.p + found.n <= copy + n);
		free(copy);
	}
}

/* What json_write makes of any text is found again as it was written. */
static void
test_json_find_written(void **state)
{
	struct buf b;
	struct json_writer w = {.buf = &b};
	char text[3] = "..";

	(void)state;
	buf_init(&b, 1 << 20);
	for (int i = 1; i < 128; i++)
		for (int k = 1; k < 128; k++) {
			text[0] = (char)i;
			text[1] = (char)k;
			buf_clear(&b);
			w.more = false;
			json_open(&w, '{');
			json_key_slice(&w, slice_of(text));
			json_text(&w, text);
			json_key(&w, "wanted one");
			json_int(&w, i * 1000 + k);
			json_close(&w, '}');
			struct slice found = json_find(buf_slice(&b), "wanted one");
			assert_int_equal(strtol(found.p, NULL, 10), i * 1000 + k);
		}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_json_find_values),
	    cmocka_unit_test(test_json_find_none),
	    cmocka_unit_test(test_json_find_cut),
	    cmocka_unit_test(test_json_find_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
