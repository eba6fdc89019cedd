/* Ids as issued: each larger than the one before, whatever the clock does, and with the node's
 * number (CONTRACT §1.7, §3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/clock.h"
#include "gateway/ids.h"

static const struct uuid zero;

static void
assert_well_formed(const struct uuid *id, uint8_t node)
{
	assert_int_equal(id->b[6] >> 4, 7);
	assert_int_equal(id->b[8] >> 6, 2);
	assert_int_equal(id->b[9], node);
}

static void
assert_larger(const struct uuid *id, const struct uuid *than)
{
	assert_true(uuid_compare(id, than) > 0);
}

static uint64_t
now_ms(void)
{
	return (uint64_t)(clock_steady() / CLOCK_MS);
}

static void
test_ids_grow(void **state)
{
	struct uuid last, id;

	(void)state;
	ids_start(&zero, 0);
	last = ids_next(clock_steady());
	assert_in_range(uuid_v7_ms(&last), now_ms() - 1000, now_ms());
	for (int i = 0; i < 100000; i++) { /* more than 4096 a millisecond would hold them up */
		id = ids_next(clock_steady());
		assert_larger(&id, &last);
		assert_well_formed(&id, 0);
		last = id;
	}
	id = ids_last();
	assert_memory_equal(id.b, last.b, sizeof id.b);
}

/* After a restart on a clock that is behind: ids go on from the last one, not from the clock. */
static void
test_ids_start_ahead(void **state)
{
	static const uint8_t ones[8] = {255, 255, 255, 255, 255, 255, 255, 255};
	uint64_t ahead = now_ms() + 3600 * 1000;
	struct uuid last = uuid_v7(ahead, 4095, ones, 9), id;

	(void)state;
	ids_start(&last, 9);
	id = ids_last();
	assert_memory_equal(id.b, last.b, sizeof id.b);
	for (int i = 0; i < 10000; i++) {
		id = ids_next(clock_steady());
		assert_larger(&id, &last);
		assert_well_formed(&id, 9);
		last = id;
	}
	assert_int_equal(uuid_v7_ms(&last), ahead + 3); /* counted on, three milliseconds' worth */
}

static void
test_ids_clock_stepped(void **state)
{
	struct uuid last, id;

	(void)state;
	ids_start(&zero, 0);
	last = ids_next(clock_steady());
	clock_advance((int64_t)60 * CLOCK_S);
	id = ids_next(clock_steady());
	assert_larger(&id, &last);
	assert_true(uuid_v7_ms(&id) >= uuid_v7_ms(&last) + 60000); /* a clock ahead is followed */
	clock_step((int64_t)-7200 * CLOCK_S);
	last = id;
	id = ids_next(clock_steady());
	assert_larger(&id, &last);
	clock_step((int64_t)7200 * CLOCK_S);
}

static void
test_ids_reserve(void **state)
{
	static const uint32_t counts[] = {1, 2, 256, 4095, 4096};
	struct uuid last = zero, first, in_row, after;

	(void)state;
	ids_start(&zero, 255);
	for (size_t i = 0; i < COUNT_OF(counts); i++) {
		first = ids_reserve(counts[i], clock_steady());
		assert_larger(&first, &last);
		last = first;
		for (uint32_t n = 1; n < counts[i]; n++) {
			in_row = uuid_v7_after(&first, n);
			assert_larger(&in_row, &last);
			assert_well_formed(&in_row, 255);
			last = in_row;
		}
		after = ids_last();
		assert_memory_equal(after.b, last.b, sizeof after.b);
		after = ids_next(clock_steady());
		assert_larger(&after, &last); /* the span is taken as a whole */
		last = after;
	}
}

/* Across a restart: what is larger than the id last saved stays so. */
static void
test_ids_restart(void **state)
{
	struct uuid last = zero, id;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		ids_start(&last, i % 256);
		id = ids_reserve(1 + (uint32_t)i % 100, clock_steady());
		assert_larger(&id, &last);
		assert_well_formed(&id, (uint8_t)(i % 256));
		last = ids_last();
	}
}

static void
test_ids_random(void **state)
{
	enum { SIZE = 10000 }; /* more than the pool has */
	static uint8_t bytes[SIZE];
	size_t ones = 0;
	struct uuid a, b;

	(void)state;
	ids_random(bytes, sizeof bytes);
	for (size_t i = 0; i < SIZE; i++)
		ones += (size_t)__builtin_popcount(bytes[i]);
	assert_in_range(ones, 4 * SIZE - 2000, 4 * SIZE + 2000);
	for (int i = 0; i < 1000; i++) { /* across refills of the pool */
		a = ids_random_uuid();
		b = ids_random_uuid();
		assert_memory_not_equal(a.b, b.b, sizeof a.b);
		assert_int_equal(a.b[6] >> 4, 4);
		assert_int_equal(a.b[8] >> 6, 2);
	}
}

static void
test_ids_repeat(void **state)
{
	struct uuid first, again, other;

	(void)state;
	ids_repeat(7);
	first = ids_random_uuid();
	other = ids_random_uuid();
	assert_memory_not_equal(first.b, other.b, sizeof first.b);
	ids_repeat(7);
	again = ids_random_uuid();
	assert_memory_equal(first.b, again.b, sizeof first.b);
	ids_repeat(8);
	other = ids_random_uuid();
	assert_memory_not_equal(first.b, other.b, sizeof first.b);
}

/* A deviation of up to 20 % either way (CONTRACT §8), both ends within reach. */
static void
test_ids_jitter(void **state)
{
	bool seen[401] = {false};
	int count = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int jitter = ids_jitter();

		assert_true(jitter >= -200 && jitter <= 200);
		seen[jitter + 200] = true;
	}
	for (size_t i = 0; i < COUNT_OF(seen); i++)
		count += seen[i];
	assert_int_equal(count, 401);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ids_grow),	      cmocka_unit_test(test_ids_start_ahead),
	    cmocka_unit_test(test_ids_clock_stepped), cmocka_unit_test(test_ids_reserve),
	    cmocka_unit_test(test_ids_restart),	      cmocka_unit_test(test_ids_random),
	    cmocka_unit_test(test_ids_repeat),	      cmocka_unit_test(test_ids_jitter)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
