/* Token buckets: when a request is taken, and how long the next one has to wait (CONTRACT §3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gateway/rate.h"

#define SECOND ((int64_t)1000000)
#define MINUTE (60 * SECOND)
#define START  (1795000000 * SECOND) /* of the steady clock: it begins as the wall's */

static int
tear_down(void **state)
{
	(void)state;
	rate_stop();
	return 0;
}

/* Each step: at that time (us from the start), so many are taken at once, and the next waits. */
struct step {
	int64_t at;
	int taken;
	int64_t wait;
};

static const struct plan {
	const char *what;
	int64_t per_minute, burst;
	struct step steps[5];
	size_t count;
} plans[] = {
    {"one a second, one at once", 60, 1,
	{{0, 1, SECOND}, {SECOND - 1, 0, 1}, {SECOND, 1, SECOND}, {5 * SECOND, 1, SECOND}}, 4},
    {"a burst is gained back bit by bit", 60, 3,
	{{0, 3, SECOND}, {1500000, 1, 500000}, {2 * SECOND, 1, SECOND}, {MINUTE, 3, SECOND}}, 4},
    {"without a burst, a minute's worth", 5, 0, {{0, 5, 12 * SECOND}, {MINUTE, 5, 12 * SECOND}}, 2},
    {"a wait is rounded up", 7, 1,
	{{0, 1, 8571429}, {8571428, 0, 1}, {8571429, 1, 8571429}, {17142857, 0, 1},
	    {17142858, 1, 8571429}}, 5},
    {"nothing is lost by looking often", 7, 2,
	{{0, 2, 8571429}, {1, 0, 8571428}, {8571429, 1, 8571429}, {17142857, 0, 1},
	    {17142858, 1, 8571428}}, 5},
    {"a clock that stands still", 60, 2, {{0, 2, SECOND}, {0, 0, SECOND}, {0, 0, SECOND}}, 3},
    {"a clock that went back", 60, 2, {{SECOND, 2, SECOND}, {0, 0, SECOND}, {SECOND, 1, SECOND}},
	3},
    {"a bucket of long ago is full, and no more", 1, 2, {{0, 2, MINUTE}, {1000000 * MINUTE, 2,
	MINUTE}}, 2},
    {"the largest limits", 1000000, 1000000, {{0, 1000000, 60}, {59, 0, 1}, {60, 1, 60},
	{1000000 * MINUTE, 1000000, 60}}, 4},
    {"more at once than a minute brings", 1, 100, {{0, 100, MINUTE}, {2 * MINUTE, 2, MINUTE}}, 2},
};

static void
run(const struct plan *plan, uint32_t integration)
{
	int64_t wait = 0;
	int taken;

	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];

		for (taken = 0; taken <= step->taken; taken++) {
			wait = rate_take(integration, plan->per_minute, plan->burst,
			    START + step->at);
			if (wait != 0)
				break;
		}
		if (taken != step->taken || wait != step->wait)
			fail_msg("%s, step %zu: %d taken, then %lld us", plan->what, i, taken,
			    (long long)wait);
	}
}

static void
test_rate_plans(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(plans); i++)
		run(&plans[i], (uint32_t)i + 1);
}

/* Numbers far apart, and one whose limit is used up beside them. */
static void
test_rate_integrations_apart(void **state)
{
	static const uint32_t numbers[] = {1, 63, 64, 65, 1000, 70000};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		assert_int_equal(rate_take(numbers[i], 60, 1, START), 0);
		assert_int_equal(rate_take(numbers[i], 60, 1, START), SECOND);
	}
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		assert_int_equal(rate_take(numbers[i], 60, 1, START), SECOND);
		assert_int_equal(rate_take(numbers[i] + 1, 60, 1, START), i == 1 || i == 2 ? SECOND : 0);
	}
}

/* Another configuration: a larger burst starts as full as the old one was, a smaller one takes away
 * what does not fit, and another rate counts from then on. */
static void
test_rate_changed(void **state)
{
	(void)state;
	assert_int_equal(rate_take(1, 60, 10, START), 0);
	for (int i = 0; i < 9; i++)
		assert_int_equal(rate_take(1, 60, 20, START), 0);
	assert_int_equal(rate_take(1, 60, 20, START), SECOND);
	assert_int_equal(rate_take(1, 60, 20, START + 20 * SECOND), 0);
	assert_int_equal(rate_take(1, 60, 2, START + 20 * SECOND), 0);
	assert_int_equal(rate_take(1, 60, 2, START + 20 * SECOND), 0);
	assert_int_equal(rate_take(1, 60, 2, START + 20 * SECOND), SECOND);
	assert_int_equal(rate_take(1, 6, 2, START + 20 * SECOND), 10 * SECOND);
	assert_int_equal(rate_take(1, 6, 2, START + 25 * SECOND), 5 * SECOND);
	assert_int_equal(rate_take(1, 6, 2, START + 30 * SECOND), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_rate_plans, tear_down),
	    cmocka_unit_test_teardown(test_rate_integrations_apart, tear_down),
	    cmocka_unit_test_teardown(test_rate_changed, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
