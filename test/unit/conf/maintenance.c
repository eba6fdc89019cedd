/* Windows of maintenance (CONTRACT §5, §10): the borders, and every repetition. */
#include "parse.h"

#define DAY ((int64_t)86400 * 1000000)

/* Starts at 10 d, lasts a quarter of a day. */
enum { ONCE, DAILY, UNTIL };

static struct conf_window windows[] = {
	[ONCE] = {.start = 10 * DAY, .end = 10 * DAY + DAY / 4},
	[DAILY] = {.start = 10 * DAY, .end = 10 * DAY + DAY / 4, .repeat = DAY},
	[UNTIL] = {.start = 10 * DAY, .end = 10 * DAY + DAY / 4, .repeat = DAY,
	    .repeat_until = 12 * DAY},
};

static const struct row {
	int window;
	int64_t now;
	bool in;
} rows[] = {
	{ONCE, 10 * DAY - 1, false},
	{ONCE, 10 * DAY, true},
	{ONCE, 10 * DAY + DAY / 4 - 1, true},
	{ONCE, 10 * DAY + DAY / 4, false},
	{ONCE, 11 * DAY, false},
	{ONCE, 9 * DAY, false},
	{ONCE, 0, false},
	{DAILY, 10 * DAY - 1, false},
	{DAILY, 9 * DAY, false}, /* does not reach back */
	{DAILY, 10 * DAY, true},
	{DAILY, 10 * DAY + DAY / 4 - 1, true},
	{DAILY, 10 * DAY + DAY / 4, false},
	{DAILY, 11 * DAY - 1, false},
	{DAILY, 11 * DAY, true},
	{DAILY, 11 * DAY + DAY / 4, false},
	{DAILY, 100000 * DAY, true},
	{DAILY, 100000 * DAY + DAY / 4 - 1, true},
	{DAILY, 100000 * DAY + DAY / 4, false},
	{UNTIL, 11 * DAY, true},
	{UNTIL, 12 * DAY, true}, /* begins exactly then */
	{UNTIL, 12 * DAY + DAY / 4 - 1, true}, /* and is not cut short */
	{UNTIL, 12 * DAY + DAY / 4, false},
	{UNTIL, 13 * DAY, false},
	{UNTIL, 100000 * DAY, false},
};

static void
test_maintenance_borders(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct conf_service service = {.windows = &windows[rows[i].window], .window_count = 1};

		if (conf_in_maintenance(&service, rows[i].now) != rows[i].in)
			fail_msg("row %zu: should %sbe inside", i, rows[i].in ? "" : "not ");
	}
}

static void
test_maintenance_until_between(void **state)
{
	struct conf_window window = windows[UNTIL];
	struct conf_service service = {.windows = &window, .window_count = 1};

	(void)state;
	window.repeat_until = 12 * DAY - 1;
	assert_true(conf_in_maintenance(&service, 11 * DAY));
	assert_false(conf_in_maintenance(&service, 12 * DAY));
	window.repeat_until = 10 * DAY;
	assert_true(conf_in_maintenance(&service, 10 * DAY));
	assert_false(conf_in_maintenance(&service, 11 * DAY));
}

static void
test_maintenance_any_window(void **state)
{
	struct conf_window two[] = {{.start = DAY, .end = 2 * DAY}, {.start = 5 * DAY, .end = 6 * DAY}};
	struct conf_service service = {.windows = two, .window_count = 2};

	(void)state;
	assert_true(conf_in_maintenance(&service, DAY));
	assert_false(conf_in_maintenance(&service, 3 * DAY));
	assert_true(conf_in_maintenance(&service, 5 * DAY));
	service.window_count = 0;
	assert_false(conf_in_maintenance(&service, 5 * DAY));
	service.under_maintenance = true;
	assert_true(conf_in_maintenance(&service, 3 * DAY));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maintenance_borders),
		cmocka_unit_test(test_maintenance_until_between),
		cmocka_unit_test(test_maintenance_any_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
