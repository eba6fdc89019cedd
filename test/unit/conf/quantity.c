/* Times and sizes (CONTRACT §10). */
#include "parse.h"

#include "conf/quantity.h"

struct row {
	const char *text;
	bool ok;
	int64_t value;
};

static const struct row times[] = {
	{"0ms", true, 0},
	{"500ms", true, 500000},
	{"3s", true, 3000000},
	{"60m", true, 3600000000},
	{"2h", true, 7200000000},
	{"30d", true, 2592000000000},
	{"106751991d", true, 9223372022400000000},
	{"106751992d", false, 0}, /* over 2^63 us */
	{"9223372036854775ms", true, 9223372036854775000},
	{"9223372036854776ms", false, 0},
	{"99999999999999999999s", false, 0},
	{"", false, 0},
	{"0", false, 0},
	{"5", false, 0},
	{"s", false, 0},
	{"-5s", false, 0},
	{"+5s", false, 0},
	{"1.5s", false, 0},
	{" 5s", false, 0},
	{"5s ", false, 0},
	{"5 s", false, 0},
	{"5S", false, 0},
	{"5us", false, 0},
	{"5w", false, 0},
	{"5mm", false, 0},
	{"1h30m", false, 0},
};

static const struct row sizes[] = {
	{"0", true, 0},
	{"100", true, 100},
	{"1KiB", true, 1024},
	{"512KiB", true, 524288},
	{"16MiB", true, 16777216},
	{"64GiB", true, 68719476736},
	{"1TiB", true, 1099511627776},
	{"8388607TiB", true, 9223370937343148032},
	{"8388608TiB", false, 0}, /* 2^63 */
	{"9223372036854775807", true, INT64_MAX},
	{"9223372036854775808", false, 0},
	{"", false, 0},
	{"KiB", false, 0},
	{"1K", false, 0},
	{"1KB", false, 0},
	{"1kib", false, 0},
	{"1 KiB", false, 0},
	{"-1", false, 0},
	{"1.5KiB", false, 0},
	{"1B", false, 0},
	{"0x10", false, 0},
};

static void
check(const struct row *row, bool (*parse_it)(struct slice, int64_t *))
{
	int64_t value = -1;

	if (parse_it(slice_of(row->text), &value) != row->ok)
		fail_msg("\"%s\" should be %s", row->text, row->ok ? "taken" : "refused");
	if (row->ok && value != row->value)
		fail_msg("\"%s\" gave %lld", row->text, (long long)value);
}

static void
test_quantity_times(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(times); i++)
		check(&times[i], conf_parse_time);
}

static void
test_quantity_sizes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		check(&sizes[i], conf_parse_size);
}

static void
test_quantity_not_terminated(void **state)
{
	int64_t value;

	(void)state;
	assert_true(conf_parse_time((struct slice){"3s5", 2}, &value));
	assert_int_equal(value, 3000000);
	assert_false(conf_parse_time((struct slice){"3s", 1}, &value));
	assert_true(conf_parse_size((struct slice){"12", 1}, &value));
	assert_int_equal(value, 1);
}

static void
test_quantity_text(void **state)
{
	static const struct {
		int64_t value;
		const char *time, *size;
	} rows[] = {{0, "0ms", "0"}, {100000, "100ms", "100000"}, {3000000, "3s", "3000000"},
	    {90000000, "90s", "90000000"}, {3600000000, "1h", "3515625KiB"},
	    {2592000000000, "30d", "2531250000KiB"}, {1500000, "1500ms", "1500000"}};
	char text[QUANTITY_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		quantity_time_text(rows[i].value, text);
		assert_string_equal(text, rows[i].time);
		quantity_size_text(rows[i].value, text);
		assert_string_equal(text, rows[i].size);
	}
	quantity_size_text((int64_t)16 << 20, text);
	assert_string_equal(text, "16MiB");
}

static void
test_quantity_number(void **state)
{
	static const struct row rows[] = {{"0", true, 0}, {"-0", true, 0}, {"42", true, 42},
	    {"-7", true, -7}, {"9223372036854775807", true, INT64_MAX},
	    {"9223372036854775808", true, INT64_MAX}, {"-99999999999999999999", true, -INT64_MAX},
	    {"", false, 0}, {"-", false, 0}, {"1.0", false, 0}, {"1e3", false, 0}, {"1x", false, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check(&rows[i], quantity_number);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quantity_times),
		cmocka_unit_test(test_quantity_sizes),
		cmocka_unit_test(test_quantity_not_terminated),
		cmocka_unit_test(test_quantity_text),
		cmocka_unit_test(test_quantity_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
