/*
 * The clocks: the steady one goes on across restarts and steps of the wall clock, and never back. A
 * restart is clock_start() with what clock_save() left; another boot is another id in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/clock.h"

enum { HOUR = 3600 };

static const int64_t day = (int64_t)24 * HOUR * CLOCK_S;

/* Equal, but for the time that the test itself takes. */
static void
assert_about(int64_t got, int64_t want)
{
	assert_true(got >= want - CLOCK_S && got <= want + CLOCK_S);
}

/* In a store without a past the steady clock starts as the wall clock. */
static int
start_fresh(void **state)
{
	struct meta meta = {.next_number = 1};

	(void)state;
	clock_start(&meta);
	return 0;
}

static void
test_clock_fresh(void **state)
{
	(void)state;
	assert_about(clock_steady(), clock_wall());
}

static void
test_clock_same_boot(void **state)
{
	static const int64_t steps[] = {0, HOUR, -HOUR, 24 * HOUR, -24 * HOUR};
	struct meta meta = {0};
	int64_t before;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		before = clock_steady();
		clock_step(steps[i] * CLOCK_S); /* while it runs */
		assert_about(clock_steady(), before);
		clock_save(&meta);
		clock_step(steps[i] * CLOCK_S); /* and while it is down */
		clock_start(&meta);
		assert_true(clock_steady() >= before);
		assert_about(clock_steady(), before);
		clock_step(-2 * steps[i] * CLOCK_S);
	}
}

/* Time that passes while the gateway is down counts. */
static void
test_clock_down_time(void **state)
{
	struct meta meta = {0};
	int64_t before;

	(void)state;
	before = clock_steady();
	clock_save(&meta);
	clock_advance((int64_t)HOUR * CLOCK_S);
	clock_start(&meta);
	assert_about(clock_steady(), before + (int64_t)HOUR * CLOCK_S);
}

/* After a reboot the wall clock tells how long the machine was off, unless that would be back. */
static void
test_clock_other_boot(void **state)
{
	struct meta meta = {0};

	(void)state;
	clock_save(&meta);
	meta.boot_id[0] ^= 1;
	meta.steady = clock_wall() - day;
	clock_start(&meta);
	assert_about(clock_steady(), clock_wall());
	clock_save(&meta);
	meta.boot_id[15] ^= 1;
	meta.steady = clock_wall() + day;
	clock_start(&meta);
	assert_true(clock_steady() >= meta.steady);
	assert_about(clock_steady(), meta.steady);
}

/* A boot time of this boot that lies ahead (a store copied to and fro) takes nothing back
 * either. */
static void
test_clock_boot_ahead(void **state)
{
	struct meta meta = {0};

	(void)state;
	clock_save(&meta);
	meta.boot_time += day;
	meta.steady = clock_wall() + day;
	clock_start(&meta);
	assert_true(clock_steady() >= meta.steady);
}

static void
test_clock_save(void **state)
{
	struct meta meta = {0}, later;
	static const uint8_t unknown[16];

	(void)state;
	clock_save(&meta);
	assert_memory_not_equal(meta.boot_id, unknown, sizeof unknown);
	assert_about(meta.steady, clock_steady());
	later = meta;
	clock_advance(CLOCK_S);
	clock_save(&later);
	assert_memory_equal(later.boot_id, meta.boot_id, sizeof meta.boot_id);
	assert_true(later.steady - meta.steady == later.boot_time - meta.boot_time);
	assert_true(later.steady >= meta.steady + CLOCK_S);
}

static void
test_clock_advance(void **state)
{
	int64_t wall = clock_wall(), steady = clock_steady(), mono = clock_mono();

	(void)state;
	clock_advance(day);
	assert_about(clock_wall(), wall + day);
	assert_about(clock_steady(), steady + day);
	assert_about(clock_mono(), mono);
	clock_step(-day);
	assert_about(clock_wall(), wall);
	assert_about(clock_steady(), steady + day);
	assert_about(clock_mono(), mono);
}

static void
test_clock_never_back(void **state)
{
	struct meta meta = {0};
	int64_t last = clock_steady(), now;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		if (i % 7 == 0)
			clock_step((i % 2 == 0 ? 1 : -1) * (int64_t)(i % 1000) * CLOCK_S);
		if (i % 11 == 0)
			clock_advance(i % 13);
		if (i % 5 == 0) {
			clock_save(&meta);
			if (i % 3 == 0)
				meta.boot_id[3] ^= 1;
			clock_start(&meta);
			if (i % 3 == 0)
				meta.boot_id[3] ^= 1;
		}
		now = clock_steady();
		assert_true(now >= last);
		last = now;
	}
}

/* Held clocks are the same at each look, and go where they are pushed. Last: they stay so. */
static void
test_clock_hold(void **state)
{
	int64_t wall, steady, mono = clock_mono();

	(void)state;
	clock_hold();
	wall = clock_wall();
	steady = clock_steady();
	while (clock_mono() < mono + 2 * CLOCK_MS)
		;
	assert_true(clock_wall() == wall && clock_steady() == steady);
	clock_advance(day);
	clock_step(CLOCK_S);
	assert_true(clock_wall() == wall + day + CLOCK_S && clock_steady() == steady + day);
}

#define CLOCK_TEST(f) cmocka_unit_test_setup(f, start_fresh)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    CLOCK_TEST(test_clock_fresh),      CLOCK_TEST(test_clock_same_boot),
	    CLOCK_TEST(test_clock_down_time),  CLOCK_TEST(test_clock_other_boot),
	    CLOCK_TEST(test_clock_boot_ahead), CLOCK_TEST(test_clock_save),
	    CLOCK_TEST(test_clock_advance),    CLOCK_TEST(test_clock_never_back),
	    CLOCK_TEST(test_clock_hold)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
