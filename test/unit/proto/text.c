/* Texts as people compare them. */
#include "compile.h"

#include "proto/text.h"

static void
test_text_compare(void **state)
{
	(void)state;
	assert_true(text_compare(SLICE("a"), SLICE("b")) < 0);
	assert_true(text_compare(SLICE("b"), SLICE("a")) > 0);
	assert_true(text_compare(SLICE("a"), SLICE("ab")) < 0);
	assert_true(text_compare(SLICE("ab"), SLICE("a")) > 0);
	assert_true(text_compare((struct slice){NULL, 0}, SLICE("a")) < 0);
	assert_int_equal(text_compare((struct slice){NULL, 0}, SLICE("")), 0);
	assert_true(text_compare(SLICE("\xc3\xa9"), SLICE("z")) > 0);
	assert_true(text_compare(SLICE("a\0b"), SLICE("a\0c")) < 0);
}

static void
test_text_contains(void **state)
{
	(void)state;
	assert_true(text_contains(SLICE("a disk is full"), SLICE("disk")));
	assert_true(text_contains(SLICE("a\0b"), SLICE("\0b")));
	assert_true(text_contains(SLICE("a"), SLICE("")));
	assert_true(text_contains((struct slice){NULL, 0}, SLICE("")));
	assert_false(text_contains((struct slice){NULL, 0}, SLICE("a")));
	assert_false(text_contains(SLICE("dis"), SLICE("disk")));
}

static void
test_text_lower(void **state)
{
	struct slice same = SLICE("already low \xc3\x89");

	(void)state;
	assert_ptr_equal(text_lower(&arena, same).p, same.p);
	check_slice("ASCII only", text_lower(&arena, SLICE("DiSK \xc3\x89[@Z")), "disk \xc3\x89[@z");
}

static void
test_text_number(void **state)
{
	static const char *const numbers[] = {"0", "-1", "+2", "3.25", ".5", "1e3", "1E-2", "-0.0"};
	static const double values[] = {0, -1, 2, 3.25, .5, 1000, .01, -0.0};
	static const char *const others[] = {"", "x", "1x", " 1", "1 ", "0x10", "inf", "nan", "e", "1e",
	    "1.2.3", "-", "1,5", "--1"};
	char longest[65];
	double number;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		assert_true(text_number(slice_of(numbers[i]), &number));
		assert_true(number == values[i]);
	}
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (text_number(slice_of(others[i]), &number))
			fail_msg("%s is a number", others[i]);
	assert_false(text_number(SLICE("1\0"), &number));
	memset(longest, '7', sizeof longest);
	assert_true(text_number((struct slice){longest, 63}, &number));
	assert_false(text_number((struct slice){longest, 64}, &number));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_compare),
		cmocka_unit_test(test_text_contains),
		cmocka_unit_test_setup_teardown(test_text_lower, set_up, tear_down),
		cmocka_unit_test(test_text_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
