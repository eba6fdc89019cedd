/* One request's memory: aligned, bounded, all given back at once (CONTRACT §1.5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/arena.h"

static void
test_arena_pieces_are_aligned_and_apart(void **state)
{
	struct arena a;
	unsigned char *pieces[300];

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		pieces[i] = arena_alloc(&a, i);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		memset(pieces[i], (int)(i & 0xFF), i);
	}
	for (size_t i = 0; i < COUNT_OF(pieces); i++)
		for (size_t j = 0; j < i; j++)
			assert_int_equal(pieces[i][j], i & 0xFF);
	arena_free(&a);
}

static void
test_arena_ceiling_sticks_until_reset(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1024);
	assert_non_null(arena_alloc(&a, 1000));
	assert_null(arena_alloc(&a, 64));
	assert_true(a.failed);
	assert_null(arena_alloc(&a, 1));
	arena_reset(&a);
	assert_false(a.failed);
	assert_int_equal(a.used, 0);
	assert_non_null(arena_alloc(&a, 1024));
	assert_null(arena_alloc(&a, 1));
	arena_free(&a);
}

/* The ceiling holds for what alignment adds, too. */
static void
test_arena_ceiling_counts_whole_pieces(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 20);
	assert_null(arena_alloc(&a, 17));
	arena_reset(&a);
	assert_non_null(arena_alloc(&a, 3));
	assert_null(arena_alloc(&a, 4));
	assert_in_range(a.used, 3, 20);
	arena_free(&a);
}

static void
test_arena_refuses_a_size_that_wraps(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, SIZE_MAX);
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_true(a.failed);
	arena_reset(&a);
	assert_null(arena_alloc(&a, SIZE_MAX - 64));
	arena_free(&a);
}

/* The first block stays, whatever came after it. */
static void
test_arena_reset_keeps_the_first_block(void **state)
{
	struct arena a;
	void *first;

	(void)state;
	arena_init(&a, 1 << 24);
	first = arena_alloc(&a, 16);
	for (int i = 0; i < 100; i++)
		assert_non_null(arena_alloc(&a, 5000));
	assert_non_null(arena_alloc(&a, 1 << 20));
	arena_reset(&a);
	assert_ptr_equal(arena_alloc(&a, 16), first);
	arena_free(&a);
	assert_null(a.blocks);
}

static void
test_arena_reset_frees_a_large_first_block(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 24);
	assert_non_null(arena_alloc(&a, 1 << 20));
	arena_reset(&a);
	assert_null(a.blocks);
	arena_free(&a);
}

static void
test_arena_zalloc_clears_used_memory(void **state)
{
	struct arena a;
	unsigned char *p;

	(void)state;
	arena_init(&a, 1000);
	p = arena_alloc(&a, 100);
	assert_non_null(p);
	memset(p, 0xAA, 100);
	arena_reset(&a);
	p = arena_zalloc(&a, 100);
	assert_non_null(p);
	for (int i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	assert_null(arena_zalloc(&a, 1000));
	arena_free(&a);
}

static void
test_arena_copy(void **state)
{
	struct arena a;
	char source[] = "copied";
	struct slice copy, none;

	(void)state;
	arena_init(&a, 64);
	copy = arena_copy(&a, slice_of(source));
	none = arena_copy(&a, (struct slice){NULL, 0});
	source[0] = 'X';
	assert_true(slice_is(copy, SLICE("copied")));
	assert_int_equal(none.n, 0);
	assert_false(a.failed);
	copy = arena_copy(&a, SLICE("of sixty-four bytes in all, some are already gone"));
	assert_null(copy.p);
	assert_int_equal(copy.n, 0);
	assert_true(a.failed);
	arena_free(&a);
}

static void
test_arena_printf(void **state)
{
	struct arena a;
	struct slice s;

	(void)state;
	arena_init(&a, 32);
	s = arena_printf(&a, "%s-%d", "n", 12);
	assert_true(slice_is(s, SLICE("n-12")));
	s = arena_printf(&a, "%032d", 1);
	assert_null(s.p);
	assert_int_equal(s.n, 0);
	assert_true(a.failed);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena_pieces_are_aligned_and_apart),
		cmocka_unit_test(test_arena_ceiling_sticks_until_reset),
		cmocka_unit_test(test_arena_ceiling_counts_whole_pieces),
		cmocka_unit_test(test_arena_refuses_a_size_that_wraps),
		cmocka_unit_test(test_arena_reset_keeps_the_first_block),
		cmocka_unit_test(test_arena_reset_frees_a_large_first_block),
		cmocka_unit_test(test_arena_zalloc_clears_used_memory),
		cmocka_unit_test(test_arena_copy),
		cmocka_unit_test(test_arena_printf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
