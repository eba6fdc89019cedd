/* Buffers grow up to their ceiling, and a failure sticks (CONTRACT §1.5: memory stays bounded). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/buf.h"

static void
assert_holds(const struct buf *b, const char *text)
{
	struct slice got = buf_slice(b);

	if (!slice_is(got, slice_of(text)))
		fail_msg("\"%.*s\" instead of \"%s\"", (int)got.n, got.p, text);
}

static void
test_buf_puts_in_order(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_puts(&b, "one");
	buf_putc(&b, ' ');
	buf_put(&b, "two!", 3);
	buf_put_slice(&b, SLICE(" three"));
	buf_put_slice(&b, (struct slice){NULL, 0});
	buf_printf(&b, " %d%s", 4, "");
	assert_holds(&b, "one two three 4");
	assert_false(b.failed);
	buf_free(&b);
}

/* What does not fit as a whole is not put at all, and the buffer is none the worse. */
static void
test_buf_put_all(void **state)
{
	struct buf from, to;

	(void)state;
	buf_init(&from, 100);
	buf_init(&to, 8);
	buf_puts(&from, "12345");
	assert_true(buf_put_all(&to, &from));
	assert_false(buf_put_all(&to, &from));
	assert_false(to.failed);
	assert_holds(&to, "12345");
	buf_puts(&to, "6789");
	buf_clear(&from);
	assert_true(to.failed);
	assert_false(buf_put_all(&to, &from));
	assert_true(to.failed);
	buf_free(&from);
	buf_free(&to);
}

/* Exactly the ceiling fits, one byte more does not, and nothing goes in after that. */
static void
test_buf_ceiling(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	buf_puts(&b, "12345");
	assert_false(b.failed);
	buf_putc(&b, '6');
	assert_true(b.failed);
	assert_holds(&b, "12345");
	buf_drop(&b, 3);
	buf_putc(&b, '7');
	assert_holds(&b, "45");
	buf_cut(&b, 1);
	assert_holds(&b, "4");
	assert_true(b.failed);
	buf_clear(&b);
	assert_false(b.failed);
	buf_puts(&b, "again");
	assert_holds(&b, "again");
	buf_free(&b);
}

/* A ceiling that is lowered takes nothing away, and lets nothing in. */
static void
test_buf_lower_ceiling(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	buf_printf(&b, "%0256d", 7);
	b.ceiling = 100;
	assert_null(buf_room(&b, 300));
	assert_true(b.failed);
	assert_int_equal(b.n, 256);
	buf_clear(&b);
	b.ceiling = 256;
	assert_non_null(buf_room(&b, 256));
	buf_free(&b);
}

static void
test_buf_refuses_a_huge_put(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, SIZE_MAX);
	buf_putc(&b, 'x');
	assert_null(buf_room(&b, SIZE_MAX - 1));
	assert_true(b.failed);
	assert_holds(&b, "x");
	buf_free(&b);
}

static void
test_buf_printf_grows(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 2000);
	buf_puts(&b, "<");
	buf_printf(&b, "%01000d", 7);
	buf_puts(&b, ">");
	assert_int_equal(b.n, 1002);
	assert_memory_equal(b.p + 998, "007>", 4);
	buf_free(&b);
}

static void
test_buf_printf_ceiling(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_printf(&b, "%s", "four");
	assert_false(b.failed);
	assert_holds(&b, "four");
	buf_clear(&b);
	buf_printf(&b, "%s", "fives");
	assert_true(b.failed);
	assert_holds(&b, "");
	buf_free(&b);
}

static void
test_buf_room_is_counted_by_the_caller(void **state)
{
	struct buf b;
	char *p;

	(void)state;
	buf_init(&b, 1000);
	p = buf_room(&b, 300);
	assert_non_null(p);
	memset(p, 'x', 300);
	assert_int_equal(b.n, 0);
	buf_add(&b, 2);
	assert_holds(&b, "xx");
	assert_non_null(buf_room(&b, 0));
	assert_non_null(buf_room(&b, 998));
	assert_null(buf_room(&b, 999));
	assert_true(b.failed);
	buf_free(&b);
}

static void
test_buf_empty_with_no_ceiling_at_all(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_non_null(buf_room(&b, 0));
	buf_printf(&b, "%s", "");
	assert_false(b.failed);
	buf_putc(&b, 'x');
	assert_true(b.failed);
	buf_free(&b);
}

static void
test_buf_drop(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_drop(&b, 0);
	buf_puts(&b, "abcdef");
	buf_drop(&b, 2);
	assert_holds(&b, "cdef");
	buf_drop(&b, 4);
	assert_holds(&b, "");
	buf_free(&b);
}

/* Ten thousand single bytes: content survives each move of the memory, room stays in proportion. */
static void
test_buf_growth(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	for (int i = 0; i < 10000; i++)
		buf_putc(&b, (char)('a' + i % 26));
	assert_int_equal(b.n, 10000);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(b.p[i], 'a' + i % 26);
	assert_in_range(b.room, 10001, 20001);
	buf_free(&b);
	assert_null(b.p);
	assert_int_equal(b.ceiling, 1 << 20);
}

static void
test_buf_wipe_leaves_it_usable(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	buf_wipe(&b);
	buf_puts(&b, "secret");
	buf_wipe(&b);
	assert_int_equal(b.n, 0);
	assert_null(b.p);
	buf_puts(&b, "next");
	assert_holds(&b, "next");
	buf_free(&b);
}

static void
test_buf_secret_grows(void **state)
{
	struct buf b;

	(void)state;
	buf_init_secret(&b, 5000);
	for (int i = 0; i < 1000; i++)
		buf_puts(&b, "abcde");
	assert_int_equal(b.n, 5000);
	for (int i = 0; i < 1000; i++)
		assert_memory_equal(b.p + 5 * i, "abcde", 5);
	buf_putc(&b, '.');
	assert_true(b.failed);
	buf_wipe(&b);
	assert_true(b.secret && !b.failed && b.p == NULL && b.room == 0);
	buf_puts(&b, "next");
	assert_holds(&b, "next");
	buf_wipe(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf_puts_in_order),
		cmocka_unit_test(test_buf_put_all),
		cmocka_unit_test(test_buf_ceiling),
		cmocka_unit_test(test_buf_lower_ceiling),
		cmocka_unit_test(test_buf_refuses_a_huge_put),
		cmocka_unit_test(test_buf_printf_grows),
		cmocka_unit_test(test_buf_printf_ceiling),
		cmocka_unit_test(test_buf_room_is_counted_by_the_caller),
		cmocka_unit_test(test_buf_empty_with_no_ceiling_at_all),
		cmocka_unit_test(test_buf_drop),
		cmocka_unit_test(test_buf_growth),
		cmocka_unit_test(test_buf_wipe_leaves_it_usable),
		cmocka_unit_test(test_buf_secret_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
