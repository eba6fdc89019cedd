/* Ids and their texts: order of issue, the node's byte, strict parsing (CONTRACT §1.7, §3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/uuid.h"

static const struct uuid sample = {{0xca, 0xdf, 0xe3, 0x5f, 0xe3, 0xb1, 0x41, 0x75, 0xb1, 0x18,
    0xa5, 0x95, 0xbf, 0xf9, 0xa2, 0x14}};
static const struct uuid zero;
static const struct uuid ones = {{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255}};

static void
test_uuid_texts(void **state)
{
	char text[UUID_TEXT], digits[UUID_HEX];

	(void)state;
	uuid_text(&sample, text);
	assert_string_equal(text, "cadfe35f-e3b1-4175-b118-a595bff9a214");
	uuid_hex(&sample, digits);
	assert_string_equal(digits, "cadfe35fe3b14175b118a595bff9a214");
}

static void
test_uuid_parse(void **state)
{
	static const char *const good[] = {"cadfe35f-e3b1-4175-b118-a595bff9a214",
	    "CADFE35F-E3B1-4175-B118-a595BFF9A214", "cadfe35fe3b14175b118a595bff9a214",
	    "CADFE35FE3B14175B118A595BFF9A214"};
	static const char *const bad[] = {"", "cadfe35f", "cadfe35f-e3b1-4175-b118-a595bff9a21",
	    "cadfe35f-e3b1-4175-b118-a595bff9a2145", " cadfe35fe3b14175b118a595bff9a21",
	    "cadfe35fe3b14175b118a595bff9a21g", "cadfe35f-e3b1-4175-b118a-595bff9a214",
	    "cadfe35fe3b14175b118a595bff9-214", "cadfe35f-e3b1-4175-b118-a595bff9a2-4",
	    "cadfe35f0e3b104175-b118-a595bff9a214", "{adfe35fe3b14175b118a595bff9a21}"};
	struct uuid id;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		id = zero;
		assert_true(uuid_parse(slice_of(good[i]), &id));
		assert_int_equal(uuid_compare(&id, &sample), 0);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (uuid_parse(slice_of(bad[i]), &id))
			fail_msg("%s", bad[i]);
	assert_false(uuid_parse((struct slice){"cadfe35fe3b14175\0b118a595bff9a21", 32}, &id));
}

static void
test_uuid_id22(void **state)
{
	static const struct {
		struct uuid id;
		const char *text;
	} rows[] = {
		{{{0}}, "2222222222222222222222"},
		{{{[15] = 1}}, "2222222222222222222223"},
		{{{[15] = 56}}, "222222222222222222222z"},
		{{{[15] = 57}}, "2222222222222222222232"},
		{{{[7] = 1}}, "22222222222txLqViLENDy"},
		{{{0xca, 0xdf, 0xe3, 0x5f, 0xe3, 0xb1, 0x41, 0x75, 0xb1, 0x18, 0xa5, 0x95, 0xbf,
		    0xf9, 0xa2, 0x14}}, "e7TqSNaheLJi6eovWcZt7f"},
		{{{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}},
		    "oZEq7ovRbLq6UnGMPwc8B5"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[ID22_TEXT];
		struct uuid back = sample;

		id22_text(&rows[i].id, text);
		assert_string_equal(text, rows[i].text);
		assert_true(id22_parse(slice_of(text), &back));
		assert_int_equal(uuid_compare(&back, &rows[i].id), 0);
	}
}

static void
test_uuid_id22_refuses(void **state)
{
	static const struct slice bad[] = {
		SLICE("oZEq7ovRbLq6UnGMPwc8B6"), /* 2^128 */
		SLICE("zzzzzzzzzzzzzzzzzzzzzz"),
		SLICE("222222222222222222222"),
		SLICE("22222222222222222222222"),
		SLICE("222222222222222222222O"), /* left out of the alphabet */
		SLICE("222222222222222222222l"),
		SLICE("222222222222222222222\0"),
		SLICE("22222222222222222222 2"),
		{NULL, 0},
	};
	struct uuid id;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (id22_parse(bad[i], &id))
			fail_msg("row %zu", i);
}

/* The node number is the last two hex digits of the fourth group (CONTRACT §1.7). */
static void
test_uuid_v7_layout(void **state)
{
	static const uint8_t random[8] = {0xFF, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77};
	struct uuid id = uuid_v7(0x0123456789AB, 0xCDE, random, 0x2A);
	char text[UUID_TEXT];

	(void)state;
	uuid_text(&id, text);
	assert_string_equal(text, "01234567-89ab-7cde-bf2a-112233445566");
	assert_int_equal(uuid_v7_ms(&id), 0x0123456789AB);
	id = uuid_v7(UINT64_C(0xFFFFFFFFFFFF), 0, (const uint8_t[8]){0}, 0);
	uuid_text(&id, text);
	assert_string_equal(text, "ffffffff-ffff-7000-8000-000000000000");
	assert_int_equal(uuid_v7_ms(&id), UINT64_C(0xFFFFFFFFFFFF));
}

/* Time first, then the counter; random bits and the node do not matter to the order. */
static void
test_uuid_v7_order(void **state)
{
	static const uint8_t low[8] = {0};
	static const uint8_t high[8] = {255, 255, 255, 255, 255, 255, 255, 255};
	struct uuid first = uuid_v7(1000, 4094, high, 255);
	struct uuid second = uuid_v7(1000, 4095, high, 255);
	struct uuid third = uuid_v7(1001, 0, low, 0);

	(void)state;
	assert_true(uuid_compare(&first, &second) < 0);
	assert_true(uuid_compare(&second, &third) < 0);
}

static void
test_uuid_v7_after(void **state)
{
	static const uint8_t random[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	static const struct {
		uint64_t ms;
		uint32_t counter, n;
		uint64_t then_ms;
		uint32_t then_counter;
	} rows[] = {
		{1000, 5, 0, 1000, 5},
		{1000, 5, 1, 1000, 6},
		{1000, 4095, 1, 1001, 0},
		{1000, 4090, 4096 + 10, 1002, 4},
		{0xFFFFFFFF, 4095, 1, 0x100000000, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct uuid id = uuid_v7(rows[i].ms, rows[i].counter, random, 9);
		struct uuid then = uuid_v7(rows[i].then_ms, rows[i].then_counter, random, 9);
		struct uuid after = uuid_v7_after(&id, rows[i].n);

		assert_int_equal(uuid_compare(&after, &then), 0);
	}
}

static void
test_uuid_next(void **state)
{
	static const struct {
		struct uuid id, next;
	} rows[] = {
		{{{0}}, {{[15] = 1}}},
		{{{[14] = 7, [15] = 0xFF}}, {{[14] = 8}}},
		{{{[0] = 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
			 0xFF, 0xFF}},
			{{[0] = 2}}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct uuid id = rows[i].id;

		uuid_next(&id);
		assert_int_equal(uuid_compare(&id, &rows[i].next), 0);
		uuid_previous(&id);
		assert_int_equal(uuid_compare(&id, &rows[i].id), 0);
	}
	struct uuid id = ones;
	uuid_next(&id);
	assert_true(uuid_is_zero(&id));
	uuid_previous(&id);
	assert_int_equal(uuid_compare(&id, &ones), 0);
}

static void
test_uuid_is_zero(void **state)
{
	(void)state;
	assert_true(uuid_is_zero(&zero));
	assert_false(uuid_is_zero(&ones));
	assert_false(uuid_is_zero(&(struct uuid){{[15] = 1}}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uuid_texts),
		cmocka_unit_test(test_uuid_parse),
		cmocka_unit_test(test_uuid_id22),
		cmocka_unit_test(test_uuid_id22_refuses),
		cmocka_unit_test(test_uuid_v7_layout),
		cmocka_unit_test(test_uuid_v7_order),
		cmocka_unit_test(test_uuid_v7_after),
		cmocka_unit_test(test_uuid_next),
		cmocka_unit_test(test_uuid_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
