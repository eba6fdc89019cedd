/* JSON in: what is a value, what is refused and where (CONTRACT §3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "proto/buf.h"
#include "proto/json_read.h"
#include "proto/json_write.h"

enum { DEPTH = 4, ARENA_MAX = 4 << 20 };

static struct arena arena;
static struct json_error error;

/* Copies of the texts under test: exactly as long, so that the sanitizer sees reads behind. */
static char *sources[64];
static size_t source_count;

static int
set_up(void **state)
{
	(void)state;
	arena_init(&arena, ARENA_MAX);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	while (source_count > 0)
		free(sources[--source_count]);
	arena_free(&arena);
	return 0;
}

static struct json *
read_slice(struct slice text, int flags, int depth)
{
	char *copy = malloc(text.n + (text.n == 0));

	assert_non_null(copy);
	assert_true(source_count < COUNT_OF(sources));
	sources[source_count++] = copy;
	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	error = (struct json_error){.at = SIZE_MAX};
	return json_read(&arena, copy, text.n, flags, depth, &error);
}

static struct json *
read_good(const char *text)
{
	struct json *value = read_slice(slice_of(text), 0, DEPTH);

	if (value == NULL)
		fail_msg("%s: %s at %zu", text, error.what, error.at);
	return value;
}

static void
assert_slice(struct slice got, struct slice expected)
{
	if (!slice_is(got, expected))
		fail_msg("\"%.*s\" instead of \"%.*s\"", (int)got.n, got.p, (int)expected.n,
		    expected.p);
}

static void
assert_prints(const struct json *value, const char *expected)
{
	struct buf out;
	struct json_writer w = {.buf = &out};

	assert_non_null(value);
	buf_init(&out, 1 << 20);
	json_tree(&w, value);
	assert_slice(buf_slice(&out), slice_of(expected));
	buf_free(&out);
}

static void
test_json_read_tree(void **state)
{
	const struct json *root =
	    read_good(" {\"a\" : [1, -2.50e+3, \"s\"],\n\t\"b\": null, \"\": {}}");
	const struct json *a = json_get(root, "a");
	const struct json *b = json_get(root, "b");

	(void)state;
	assert_int_equal(root->type, JSON_OBJECT);
	assert_int_equal(root->count, 3);
	assert_int_equal(root->at, 1);
	assert_int_equal(a->type, JSON_ARRAY);
	assert_int_equal(a->count, 3);
	assert_int_equal(a->key_at, 2);
	assert_int_equal(a->at, 8);
	assert_slice(a->key, SLICE("a"));
	assert_int_equal(a->first->at, 9);
	assert_int_equal(a->first->key.n, 0);
	assert_slice(a->first->next->text, SLICE("-2.50e+3"));
	assert_int_equal(a->first->next->at, 12);
	assert_int_equal(a->first->next->next->type, JSON_STRING);
	assert_int_equal(a->first->next->next->at, 22);
	assert_null(a->first->next->next->next);
	assert_ptr_equal(a->next, b);
	assert_int_equal(b->type, JSON_NULL);
	assert_int_equal(b->key_at, 29);
	assert_int_equal(b->at, 34);
	assert_int_equal(json_get(root, "")->type, JSON_OBJECT);
	assert_null(json_get(root, "A"));
	assert_null(json_get(a, "a"));
	assert_null(json_get(NULL, "a"));
}

static void
test_json_read_top_level_scalars(void **state)
{
	(void)state;
	assert_slice(read_good("5")->text, SLICE("5"));
	assert_slice(read_good(" -0.0 ")->text, SLICE("-0.0"));
	assert_slice(read_good("\"s\"")->text, SLICE("s"));
	assert_true(read_good("true")->truth);
	assert_false(read_good("false")->truth);
	assert_int_equal(read_good("null\n")->type, JSON_NULL);
}

/* Numbers keep their own text, whatever their size. */
static void
test_json_read_numbers_as_text(void **state)
{
	static const char *const rows[] = {"-0", "1e400", "-9223372036854775808",
	    "123456789012345678901234567890", "1E-0", "0.10"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_slice(read_good(rows[i])->text, slice_of(rows[i]));
}

static void
test_json_read_strings(void **state)
{
	static const struct {
		const char *source;
		struct slice text;
	} rows[] = {
		{"\"\"", {"", 0}},
		{"\"caf\xC3\xA9 \x7F\"", {"caf\xC3\xA9 \x7F", 7}},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", {"\"\\/\b\f\n\r\t", 8}},
		{"\"\\u0041\\u00e9\\u20AC\"", {"A\xC3\xA9\xE2\x82\xAC", 6}},
		{"\"a\\u0000b\"", {"a\0b", 3}},
		{"\"\\uD83D\\uDD25\"", {"\xF0\x9F\x94\xA5", 4}},
		/* lone surrogates */
		{"\"\\ud83d\"", {"\xEF\xBF\xBD", 3}},
		{"\"x\\uDD25y\"", {"x\xEF\xBF\xBDy", 5}},
		{"\"\\ud83d\\u0041\"", {"\xEF\xBF\xBD" "A", 4}},
		{"\"\\ud83d\\ud83d\\udd25\"", {"\xEF\xBF\xBD\xF0\x9F\x94\xA5", 7}},
		{"\"\\udd25\\ud83d\"", {"\xEF\xBF\xBD\xEF\xBF\xBD", 6}},
		{"\"\\ud83d\\n\"", {"\xEF\xBF\xBD\n", 4}},
		/* an escaped backslash and letters */
		{"\"\\\\ud83d\"", {"\\ud83d", 6}},
		{"\"\\\\\\ud83d\"", {"\\\xEF\xBF\xBD", 4}},
		{"\"\\ud83d\\\\udd25\"", {"\xEF\xBF\xBD\\udd25", 9}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct json *value = read_good(rows[i].source);

		assert_int_equal(value->type, JSON_STRING);
		assert_slice(value->text, rows[i].text);
	}
}

/* Decoded strings live in the arena, side by side; plain ones stay where they are. */
static void
test_json_read_strings_keep(void **state)
{
	const struct json *value = read_good("[\"\\u0031\", \"2\", \"\\u0033\", \"4\"]");
	const struct json *two = value->first->next;

	(void)state;
	assert_prints(value, "[\"1\", \"2\", \"3\", \"4\"]");
	assert_ptr_equal(two->text.p, sources[source_count - 1] + two->at + 1);
}

static void
test_json_read_byte_order_mark(void **state)
{
	const struct json *value = read_good("\xEF\xBB\xBF {\"k\": 1}");

	(void)state;
	assert_int_equal(value->at, 4);
	assert_int_equal(value->first->key_at, 5);
	assert_int_equal(value->first->at, 10);
	assert_slice(value->first->text, SLICE("1"));
	assert_null(read_slice(SLICE("\xEF\xBB\xBF\xEF\xBB\xBF{}"), 0, DEPTH));
	assert_int_equal(error.at, 3);
	assert_null(read_slice(SLICE("\xEF\xBB\xBF"), 0, DEPTH));
	assert_int_equal(error.at, 3);
}

static void
test_json_read_refuses(void **state)
{
	static const struct {
		struct slice text;
		size_t at;
		const char *what;
	} rows[] = {
		{{"", 0}, 0, "it ends too early"},
		{SLICE(" \n\t\r"), 4, "it ends too early"},
		{SLICE("[1"), 2, "it ends too early"},
		{SLICE("{\"a\""), 4, "it ends too early"},
		{SLICE("\"abc"), 4, "it ends too early"},
		{SLICE("[1]x"), 3, "trailing garbage"},
		{SLICE("1 2"), 2, "trailing garbage"},
		{SLICE("{} []"), 3, "trailing garbage"},
		{SLICE("[1] \"abc"), 4, "trailing garbage"},
		{SLICE("[1] nul"), 4, "trailing garbage"},
		{SLICE("[1] 2"), 4, "trailing garbage"},
		{SLICE("{},"), 2, "trailing garbage"},
		{SLICE(",1"), 0, "unallowed token"},
		{SLICE("[1] // x"), 4, "trailing garbage"},
		{SLICE("// x\n1"), 0, "comments are not enabled"},
		{SLICE("[1,]"), 3, "unallowed token"},
		{SLICE("[1,,2]"), 3, "unallowed token"},
		{SLICE("{\"a\":1,}"), 7, "object key"},
		{SLICE("{\"a\"::1}"), 5, "unallowed token"},
		{SLICE("[1, nux]"), 4, "invalid string"},
		{SLICE("{\"a\" 12}"), 5, "colon"},
		{SLICE("{1: 2}"), 1, "object key"},
		{SLICE("[1}"), 2, "array element"},
		{SLICE("[01]"), 2, "array element"},
		{SLICE("[.5]"), 1, "invalid char"},
		{SLICE("[+1]"), 1, "invalid char"},
		{SLICE("NaN"), 0, "invalid char"},
		{SLICE("'a'"), 0, "invalid char"},
		{SLICE("[1.]"), 1, "digit is required"},
		{SLICE("\"\\x\""), 0, "inside a string"},
		{SLICE("\"\\u12g4\""), 0, "non-hex"},
		{SLICE("\"\\ud83\""), 0, "non-hex"},
		{SLICE("\"a\tb\""), 0, "inside string"},
		{SLICE("\"a\nb\""), 0, "inside string"},
		{SLICE("[1,\f2]"), 3, "control character 0x0c"},
		{SLICE("[1,\v2]"), 3, "control character 0x0b"},
		{SLICE("[1]\0"), 3, "control character 0x00"},
		{SLICE("\"a\0b\""), 2, "control character 0x00"},
		{SLICE("\"\x1F\""), 1, "control character 0x1f"},
		{SLICE("\"\xC0\x80\""), 1, "not UTF-8"},
		{SLICE("\"ab\xED\xA0\x80\""), 3, "not UTF-8"},
		{SLICE("\"\xFF\""), 1, "not UTF-8"},
		{SLICE("\xFE\xFF\0{\0}"), 0, "not UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct json *value = read_slice(rows[i].text, 0, DEPTH);

		if (value != NULL)
			fail_msg("row %zu: accepted", i);
		if (error.at != rows[i].at || strstr(error.what, rows[i].what) == NULL)
			fail_msg("row %zu: \"%s\" at %zu", i, error.what, error.at);
		if (strncmp(error.what, "not ", 4) != 0 || strpbrk(error.what, "\n\r") != NULL)
			fail_msg("row %zu: \"%s\" is no sentence to show", i, error.what);
	}
}

static void
test_json_read_depth(void **state)
{
	(void)state;
	assert_non_null(read_slice(SLICE("[{\"a\":[{}]}]"), 0, 4));
	assert_null(read_slice(SLICE("[{\"a\":[[[]]]}]"), 0, 4));
	assert_int_equal(error.at, 8);
	assert_string_equal(error.what, "nested deeper than 4");
	assert_non_null(read_slice(SLICE("[[],[],{},[],[]]"), 0, 2));
	assert_non_null(read_slice(SLICE("1"), 0, 0));
	assert_null(read_slice(SLICE("[]"), 0, 0));
}

/* Deep nesting is refused where it becomes too deep, not after building it. */
static void
test_json_read_deep_nesting_is_cheap(void **state)
{
	static char text[100000];

	(void)state;
	memset(text, '[', sizeof text);
	assert_null(read_slice((struct slice){text, sizeof text}, 0, 32));
	assert_int_equal(error.at, 32);
	assert_in_range(arena.used, 1, 16384);
}

static void
test_json_read_last_value_in_first_place(void **state)
{
	const struct json *value;

	(void)state;
	value = read_good("{\"a\": 1, \"b\": 2, \"\\u0061\": {\"c\": 3, \"c\": 4}, \"b\": [5]}");
	assert_prints(value, "{\"a\": {\"c\": 4}, \"b\": [5]}");
	assert_int_equal(value->count, 2);
	assert_int_equal(value->first->key_at, 17);
	assert_prints(read_good("{\"a\": 1, \"b\": 2, \"c\": 3, \"d\": 4, \"e\": 5, \"f\": 6,"
	    " \"g\": 7, \"c\": 8, \"h\": 9, \"a\": 10, \"c\": 11, \"i\": 12}"),
	    "{\"a\": 10, \"b\": 2, \"c\": 11, \"d\": 4, \"e\": 5, \"f\": 6, \"g\": 7, \"h\": 9, "
	    "\"i\": 12}");
	assert_prints(read_good("{\"\": 1, \"\": 2}"), "{\"\": 2}");
}

static void
test_json_read_keeps_duplicates(void **state)
{
	struct json *value = read_slice(SLICE("{\"a\": 1, \"b\": 2, \"a\": 3}"),
	    JSON_KEEP_DUPLICATES, DEPTH);

	(void)state;
	assert_prints(value, "{\"a\": 1, \"b\": 2, \"a\": 3}");
	assert_slice(json_get(value, "a")->text, SLICE("3"));
	assert_int_equal(value->count, 3);
}

/* An object of n members whose keys are numbers below `keys`, their values 0 to n - 1. */
static struct json *
read_large_object(int n, int keys)
{
	struct json *value;
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_putc(&b, '{');
	for (int i = 0; i < n; i++)
		buf_printf(&b, "%s\"%05d\":%d", i == 0 ? "" : ",", i % keys, i);
	buf_putc(&b, '}');
	assert_false(b.failed);
	value = read_slice(buf_slice(&b), 0, DEPTH);
	buf_free(&b);
	assert_non_null(value);
	return value;
}

static void
test_json_read_many_duplicates(void **state)
{
	const struct json *value = read_large_object(40000, 20000);
	int n = 0;

	(void)state;
	assert_int_equal(value->count, 20000);
	for (const struct json *member = value->first; member != NULL; member = member->next, n++) {
		char expected[16];

		snprintf(expected, sizeof expected, "%d", n + 20000);
		assert_slice(member->text, slice_of(expected));
	}
	assert_int_equal(n, 20000);
}

/* Compared pairwise these keys would take 10^9 steps. */
static void
test_json_read_many_keys_are_cheap(void **state)
{
	clock_t start = clock();

	(void)state;
	assert_int_equal(read_large_object(45000, 45000)->count, 45000);
	assert_true(clock() - start < CLOCKS_PER_SEC);
}

static void
test_json_read_comments(void **state)
{
	const struct json *value = read_slice(
	    SLICE("// \\ud800 [\n{ /* \"x\": 0, */ \"a\": // one\n"
	    "/* two */ [1 /**/, /* , */ 2], \"b\" /* : */ : \"// no /* comment\"} // end"),
	    JSON_COMMENTS, DEPTH);

	(void)state;
	assert_prints(value, "{\"a\": [1, 2], \"b\": \"// no /* comment\"}");
	assert_int_equal(value->at, 12);
	assert_int_equal(value->first->key_at, 28);
	assert_int_equal(value->first->at, 50);
	assert_int_equal(value->first->first->next->at, 67);
	assert_null(read_slice(SLICE("[1] /* open"), JSON_COMMENTS, DEPTH));
	assert_int_equal(error.at, 4);
	assert_null(read_slice(SLICE("[1, /* open"), JSON_COMMENTS, DEPTH));
	assert_null(read_slice(SLICE("[1] / 2"), JSON_COMMENTS, DEPTH));
}

/* Whatever the ceiling, the answer is the whole tree or a sentence. */
static void
test_json_read_arena_ceiling(void **state)
{
	static const char text[] = "{\"a\": [1, \"\\u00e9\", {\"b\": \"\\n\"}], \"k0\": 0,"
	    " \"k1\": 1, \"k2\": 2, \"k3\": 3, \"k4\": 4, \"k5\": 5, \"k6\": 6,"
	    " \"k7\": 7, \"k0\": 8}";
	bool read = false;

	(void)state;
	for (size_t ceiling = 0; !read; ceiling += 16) {
		char copy[sizeof text];
		struct arena small;
		struct json *value;

		memcpy(copy, text, sizeof text);
		arena_init(&small, ceiling);
		value = json_read(&small, copy, sizeof text - 1, 0, DEPTH, &error);
		read = value != NULL;
		if (read)
			assert_int_equal(value->count, 9);
		else
			assert_non_null(strstr(error.what, "too large"));
		assert_int_equal(small.failed, !read);
		arena_free(&small);
		assert_in_range(ceiling, 0, 16384);
	}
}

/* A bad text is refused for what it is also where the sentence finds no room. */
static void
test_json_read_bad_text_at_any_ceiling(void **state)
{
	(void)state;
	for (size_t ceiling = 0; ceiling < 2048; ceiling += 16) {
		char copy[] = "[1, \"\\u0041\", x]";
		struct arena small;

		arena_init(&small, ceiling);
		assert_null(json_read(&small, copy, sizeof copy - 1, 0, DEPTH, &error));
		arena_free(&small);
	}
}

/* Reads the text with so many values at most. */
static bool
is_within(const char *text, uint32_t values)
{
	char copy[64];
	size_t n = strlen(text);

	memcpy(copy, text, n);
	error = (struct json_error){.at = SIZE_MAX};
	return json_read_body(&arena, copy, n, (struct json_limits){DEPTH, values}, &error) != NULL;
}

/* Containers count as well, keys do not; the error is where the first value too many begins. */
static void
test_json_read_values(void **state)
{
	static const char five[] = "[1, {\"k\": \"a\"}, null]";

	(void)state;
	assert_true(is_within("1", 1));
	assert_true(is_within(five, 5));
	assert_false(is_within(five, 4));
	assert_string_equal(error.what, "more than 4 values (limits.values)");
	assert_int_equal(error.at, 16);
	assert_false(is_within(five, 3));
	assert_int_equal(error.at, 10);
	assert_false(is_within("[[]]", 1));
	assert_int_equal(error.at, 1);
}

/* Decoding a long string with escapes stays within a few times its length. */
static void
test_json_read_long_escaped_string(void **state)
{
	enum { LETTERS = 200000 };
	static char text[LETTERS + 4];
	const struct json *value;

	(void)state;
	memset(text, 'x', sizeof text);
	text[0] = text[sizeof text - 1] = '"';
	memcpy(text + 1, "\\n", 2);
	value = read_slice((struct slice){text, sizeof text}, 0, DEPTH);
	assert_non_null(value);
	assert_int_equal(value->text.n, LETTERS + 1);
	assert_int_equal(value->text.p[0], '\n');
	assert_int_equal(value->text.p[LETTERS], 'x');
	assert_in_range(arena.used, LETTERS, 6 * LETTERS);
}

static void
test_json_scalar(void **state)
{
	static const struct {
		const char *source, *text;
	} rows[] = {
		{"\"s\"", "s"}, {"\"\"", ""}, {"12.0", "12.0"}, {"true", "true"},
		{"false", "false"}, {"null", NULL}, {"[]", NULL}, {"{}", NULL},
	};
	struct slice text;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		bool scalar = json_scalar(read_good(rows[i].source), &text);

		assert_int_equal(scalar, rows[i].text != NULL);
		if (scalar)
			assert_slice(text, slice_of(rows[i].text));
	}
	assert_false(json_scalar(NULL, &text));
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(test_json_read_tree),
		WITH_ARENA(test_json_read_top_level_scalars),
		WITH_ARENA(test_json_read_numbers_as_text),
		WITH_ARENA(test_json_read_strings),
		WITH_ARENA(test_json_read_strings_keep),
		WITH_ARENA(test_json_read_byte_order_mark),
		WITH_ARENA(test_json_read_refuses),
		WITH_ARENA(test_json_read_depth),
		WITH_ARENA(test_json_read_deep_nesting_is_cheap),
		WITH_ARENA(test_json_read_last_value_in_first_place),
		WITH_ARENA(test_json_read_keeps_duplicates),
		WITH_ARENA(test_json_read_many_duplicates),
		WITH_ARENA(test_json_read_many_keys_are_cheap),
		WITH_ARENA(test_json_read_comments),
		WITH_ARENA(test_json_read_arena_ceiling),
		WITH_ARENA(test_json_read_bad_text_at_any_ceiling),
		WITH_ARENA(test_json_read_values),
		WITH_ARENA(test_json_read_long_escaped_string),
		WITH_ARENA(test_json_scalar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
