/* JSON out as Python's json.dumps prints it (CONTRACT §8); the expected texts are Python's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <float.h>
#include <math.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/json_write.h"

static struct buf out;
static struct json_writer w;

static int
set_up(void **state)
{
	(void)state;
	buf_init(&out, 1 << 16);
	w = (struct json_writer){.buf = &out};
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

/* Then starts anew. */
static void
assert_printed(const char *expected)
{
	struct slice got = buf_slice(&out);

	if (!slice_is(got, slice_of(expected)))
		fail_msg("%.*s instead of %s", (int)got.n, got.p, expected);
	buf_clear(&out);
	w.more = false;
}

static void
test_json_write_commas(void **state)
{
	(void)state;
	json_open(&w, '{');
	json_key(&w, "a");
	json_open(&w, '[');
	json_close(&w, ']');
	json_key_slice(&w, SLICE("b\n"));
	json_open(&w, '[');
	json_int(&w, 1);
	json_open(&w, '{');
	json_close(&w, '}');
	json_null(&w);
	json_bool(&w, true);
	json_bool(&w, false);
	json_close(&w, ']');
	json_key(&w, "c");
	json_raw(&w, SLICE("{\"x\": 1}"));
	json_key(&w, "d");
	json_text(&w, "t");
	json_close(&w, '}');
	assert_printed("{\"a\": [], \"b\\n\": [1, {}, null, true, false], \"c\": {\"x\": 1}, "
	    "\"d\": \"t\"}");
}

static void
test_json_write_strings(void **state)
{
	static const struct {
		struct slice text;
		const char *printed;
	} rows[] = {
		{{NULL, 0}, "\"\""},
		{SLICE("plain / 'text' <&>"), "\"plain / 'text' <&>\""},
		{SLICE("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\""},
		{SLICE("\0"), "\"\\u0000\""},
		{SLICE("\x01\x0B\x1F ~\x7F"), "\"\\u0001\\u000b\\u001f ~\\u007f\""},
		{SLICE("caf\xC3\xA9!"), "\"caf\\u00e9!\""},
		{SLICE("\xE2\x80\xA8\xEF\xBF\xBF"), "\"\\u2028\\uffff\""},
		{SLICE("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"), "\"\\ud800\\udc00\\udbff\\udfff\""},
		{SLICE("x\xF0\x9F\x94\xA5y"), "\"x\\ud83d\\udd25y\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		json_string(&w, rows[i].text);
		assert_printed(rows[i].printed);
	}
}

static void
test_json_write_integers(void **state)
{
	(void)state;
	json_open(&w, '[');
	json_int(&w, 0);
	json_int(&w, -7);
	json_int(&w, INT64_MAX);
	json_int(&w, INT64_MIN);
	json_uint(&w, 0);
	json_uint(&w, UINT64_MAX);
	json_close(&w, ']');
	assert_printed("[0, -7, 9223372036854775807, -9223372036854775808, 0, "
	    "18446744073709551615]");
}

static void
test_json_write_doubles(void **state)
{
	static const struct {
		double v;
		const char *printed;
	} rows[] = {
		{0.0, "0.0"}, {-0.0, "-0.0"}, {1.0, "1.0"}, {-1.5, "-1.5"}, {100.0, "100.0"},
		{0.1, "0.1"}, {0.1 + 0.2, "0.30000000000000004"}, {1.0 / 3, "0.3333333333333333"},
		/* where the exponent begins */
		{0.0001, "0.0001"}, {0.00012345, "0.00012345"}, {0.00001, "1e-05"},
		{1e15, "1000000000000000.0"}, {9999999999999998.0, "9999999999999998.0"},
		{1e16, "1e+16"}, {12345678901234567890.0, "1.2345678901234567e+19"},
		{1e100, "1e+100"}, {1.5e-10, "1.5e-10"},
		/* powers of two whose shortest form is the neighbour of the nearest decimal */
		{0x1p-44, "5.684341886080802e-14"}, {0x1p89, "6.189700196426902e+26"},
		{0x1p53, "9007199254740992.0"},
		/* denormals and ends of the range */
		{5e-324, "5e-324"}, {1.5e-323, "1.5e-323"}, {DBL_MIN, "2.2250738585072014e-308"},
		{0x0.fffffffffffffp-1022, "2.225073858507201e-308"},
		{DBL_MAX, "1.7976931348623157e+308"},
		{INFINITY, "Infinity"}, {-INFINITY, "-Infinity"}, {NAN, "NaN"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		json_double(&w, rows[i].v);
		assert_printed(rows[i].printed);
	}
}

static void
test_json_write_tree(void **state)
{
	char text[] = "{\"n\":1.50e3,\"a\":[ [],{},\"\\u00e9\",null,true ],\"\":{\"k\":-0}}";
	struct json_error error;
	struct arena arena;
	struct json *tree;

	(void)state;
	arena_init(&arena, 1 << 16);
	tree = json_read(&arena, text, sizeof text - 1, 0, 8, &error);
	assert_non_null(tree);
	json_tree(&w, tree);
	assert_printed("{\"n\": 1.50e3, \"a\": [[], {}, \"\\u00e9\", null, true], "
	    "\"\": {\"k\": -0}}");
	arena_free(&arena);
}

/* A full buffer is told once, by the buffer. */
static void
test_json_write_full_buffer(void **state)
{
	(void)state;
	buf_free(&out);
	buf_init(&out, 8);
	json_open(&w, '[');
	json_text(&w, "four");
	assert_false(out.failed);
	json_text(&w, "five");
	json_double(&w, 1e300);
	json_close(&w, ']');
	assert_true(out.failed);
	assert_int_equal(out.n, 7);
}

#define WITH_BUF(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BUF(test_json_write_commas),
		WITH_BUF(test_json_write_strings),
		WITH_BUF(test_json_write_integers),
		WITH_BUF(test_json_write_doubles),
		WITH_BUF(test_json_write_tree),
		WITH_BUF(test_json_write_full_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
