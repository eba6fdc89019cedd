/* UTF-8 as RFC 3629 has it; what is not is refused (CONTRACT §3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/utf8.h"

static size_t
encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3F));
	out[2] = (char)(0x80 | (c >> 6 & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

/* All of Unicode: every scalar value is valid and decodes to itself, no surrogate is. */
static void
test_utf8_every_code_point(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x110000; c++) {
		char bytes[4];
		struct slice s = {bytes, encode(c, bytes)};
		bool surrogate = c >= 0xD800 && c <= 0xDFFF;
		size_t at = 0;

		if (utf8_valid(s) != (surrogate ? 0 : s.n))
			fail_msg("U+%04X", c);
		if (surrogate)
			continue;
		assert_int_equal(utf8_next(s, &at), c);
		assert_int_equal(at, s.n);
	}
}

/* All two-byte texts: valid are two ASCII characters, or one of U+0080 to U+07FF. */
static void
test_utf8_every_pair_of_bytes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 0x10000; i++) {
		unsigned char b[2] = {(unsigned char)(i >> 8), (unsigned char)i};
		bool character = b[0] >= 0xC2 && b[0] <= 0xDF && b[1] >= 0x80 && b[1] <= 0xBF;
		size_t ascii = b[0] >= 0x80 ? 0 : b[1] >= 0x80 ? 1 : 2;

		assert_int_equal(utf8_valid((struct slice){(char *)b, 2}), character ? 2 : ascii);
	}
}

static void
test_utf8_refuses(void **state)
{
	static const struct {
		struct slice s;
		size_t valid;
	} rows[] = {
		{SLICE("\x80"), 0},                       /* a tail alone */
		{SLICE("\xC0\x80"), 0},                   /* overlong NUL */
		{SLICE("\xC1\xBF"), 0},                   /* overlong */
		{SLICE("\xE0\x9F\xBF"), 0},               /* overlong */
		{SLICE("\xF0\x8F\xBF\xBF"), 0},           /* overlong */
		{SLICE("ab\xED\xA0\x80"), 2},             /* U+D800 */
		{SLICE("\xED\xBF\xBF"), 0},               /* U+DFFF */
		{SLICE("\xF4\x90\x80\x80"), 0},           /* U+110000 */
		{SLICE("\xF5\x80\x80\x80"), 0},
		{SLICE("\xFE"), 0},
		{SLICE("\xFF"), 0},
		{SLICE("\xC3"), 0},                       /* cut */
		{SLICE("\xE2\x82"), 0},
		{SLICE("\xF0\x9F\x94"), 0},
		{SLICE("\xE2\x82\x41"), 0},               /* a tail missing */
		{SLICE("\xF0\x9F\x41\xA5"), 0},
		{SLICE("\xF0\x9F\x94\x41"), 0},
		{SLICE("\xC3\xA9\xC3"), 2},
		{SLICE("0123456789abcdef\xFFx"), 16},     /* behind a run of ASCII */
		{SLICE("01234567\xC3\xA9" "89abcdef\x80"), 18},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (utf8_valid(rows[i].s) != rows[i].valid)
			fail_msg("row %zu: %zu", i, utf8_valid(rows[i].s));
}

static void
test_utf8_accepts(void **state)
{
	static const struct slice rows[] = {
		{NULL, 0},
		{"\0", 1},
		{"a b\n\x7F", 5},
		{"\xEF\xBB\xBF", 3},
		{"\xEF\xBF\xBF", 3},
		{"plain, then \xF0\x9F\x94\xA5, then plain again", 35},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(utf8_valid(rows[i]), rows[i].n);
}

static void
test_utf8_cut(void **state)
{
	/* 1 byte, 2 bytes, 3 bytes, 4 bytes */
	static const struct slice s = SLICE("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\xA5");
	static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};

	(void)state;
	for (size_t max = 0; max < COUNT_OF(expected); max++) {
		struct slice cut = utf8_cut(s, max);

		assert_ptr_equal(cut.p, s.p);
		assert_int_equal(cut.n, expected[max]);
	}
	assert_int_equal(utf8_cut((struct slice){NULL, 0}, 5).n, 0);
}

/* Text that is not what was promised is not read behind its end. */
static void
test_utf8_next_stays_inside(void **state)
{
	char bytes[2] = {'a', (char)0xF0};
	struct slice s = {bytes, 2};
	size_t at = 0;

	(void)state;
	assert_int_equal(utf8_next(s, &at), 'a');
	assert_int_equal(utf8_next(s, &at), 0xFFFD);
	assert_int_equal(at, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8_every_code_point),
		cmocka_unit_test(test_utf8_every_pair_of_bytes),
		cmocka_unit_test(test_utf8_refuses),
		cmocka_unit_test(test_utf8_accepts),
		cmocka_unit_test(test_utf8_cut),
		cmocka_unit_test(test_utf8_next_stays_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
