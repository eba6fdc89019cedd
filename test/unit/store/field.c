/*
 * Fields: bytes on disk, and a reader that never passes the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "store/field.h"

static void
test_field_bytes(void **state)
{
	static const char want[] = "\x7f"
	    "\x01\x02\x03\x04"
	    "\x01\x02\x03\x04\x05\x06\x07\x08"
	    "\xff\xff\xff\xff\xff\xff\xff\xfe"
	    "\x01"
	    "\x00\x00\x00\x02hi"
	    "\x00\x00\x00\x00";
	struct buf b;

	(void)state;
	buf_init(&b, 1024);
	field_put_u8(&b, 0x7f);
	field_put_u32(&b, 0x01020304);
	field_put_u64(&b, 0x0102030405060708);
	field_put_i64(&b, -2);
	field_put_bool(&b, true);
	field_put_slice(&b, SLICE("hi"));
	field_put_slice(&b, (struct slice){NULL, 0});
	assert_false(b.failed);
	assert_int_equal(b.n, sizeof want - 1);
	assert_memory_equal(b.p, want, b.n);

	struct field_reader r = field_read(buf_slice(&b));
	assert_int_equal(field_u8(&r), 0x7f);
	assert_int_equal(field_u32(&r), 0x01020304);
	assert_int_equal(field_u64(&r), 0x0102030405060708);
	assert_int_equal(field_i64(&r), -2);
	assert_true(field_bool(&r));
	assert_true(slice_is(field_slice(&r), SLICE("hi")));
	assert_false(field_end(&r));
	assert_int_equal(field_slice(&r).n, 0);
	assert_true(field_end(&r));
	buf_free(&b);
}

static void
test_field_bool_is_0_or_1(void **state)
{
	struct field_reader r = field_read(SLICE("\x02"));

	(void)state;
	assert_false(field_bool(&r));
	assert_true(r.bad);
}

/* The error sticks: what would still fit behind it is not read either. */
static void
test_field_short_sticks(void **state)
{
	struct field_reader r = field_read(SLICE("\x01\x02\x03"));

	(void)state;
	assert_int_equal(field_u32(&r), 0);
	assert_int_equal(field_u8(&r), 0);
	assert_false(field_end(&r));
}

static void
test_field_slice_longer_than_input(void **state)
{
	static const struct slice cases[] = {
	    {"\xff\xff\xff\xff", 4}, {"\x00\x00\x00\x03xy", 6}, {"\x00\x00\x00", 3}, {NULL, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct field_reader r = field_read(cases[i]);
		assert_int_equal(field_slice(&r).n, 0);
		assert_true(r.bad);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_field_bytes),
	    cmocka_unit_test(test_field_bool_is_0_or_1),
	    cmocka_unit_test(test_field_short_sticks),
	    cmocka_unit_test(test_field_slice_longer_than_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
