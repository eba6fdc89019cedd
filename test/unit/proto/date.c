/* Instants and their texts; the expected numbers are those of Python's datetime. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "proto/date.h"

#define S(seconds)  (INT64_C(seconds) * 1000000)
#define EARLIEST    INT64_C(-62135596800000000)
#define LATEST      INT64_C(253402300799999999)

static void
test_date_text(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000000Z"},
		{INT64_C(1559947648431949), "2019-06-07T22:47:28.431949Z"},
		{-1, "1969-12-31T23:59:59.999999Z"},
		{S(951825600), "2000-02-29T12:00:00.000000Z"},
		{S(-2203891200), "1900-03-01T00:00:00.000000Z"},
		{S(-2203891201), "1900-02-28T23:59:59.000000Z"},
		{S(1735689599), "2024-12-31T23:59:59.000000Z"},
		{EARLIEST, "0001-01-01T00:00:00.000000Z"},
		{LATEST, "9999-12-31T23:59:59.999999Z"},
		/* outside the years 1 to 9999: the end of the range */
		{EARLIEST - 1, "0001-01-01T00:00:00.000000Z"},
		{INT64_MIN, "0001-01-01T00:00:00.000000Z"},
		{LATEST + 1, "9999-12-31T23:59:59.999999Z"},
		{INT64_MAX, "9999-12-31T23:59:59.999999Z"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[DATE_TEXT];

		date_text(rows[i].us, text);
		assert_string_equal(text, rows[i].text);
	}
}

/* Every day of the range: the calendar agrees with libc's, and text reads back as the instant. */
static void
test_date_every_day(void **state)
{
	(void)state;
	for (int64_t us = EARLIEST; us <= LATEST; us += S(86400)) {
		time_t seconds = us / 1000000;
		char text[DATE_TEXT], expected[64];
		int64_t back = 0;
		struct tm tm;

		date_text(us, text);
		gmtime_r(&seconds, &tm);
		snprintf(expected, sizeof expected, "%04d-%02d-%02dT00:00:00.000000Z",
		    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
		if (strcmp(text, expected) != 0)
			fail_msg("%s instead of %s", text, expected);
		if (!date_parse(slice_of(text), &back) || back != us)
			fail_msg("%s", text);
	}
}

static void
test_date_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} rows[] = {
		{"2019-06-07T22:47:28.431949Z", INT64_C(1559947648431949)},
		{"2019-06-07 22:47:28Z", S(1559947648)},
		{"2019-06-07t22:47:28z", S(1559947648)},
		{"2019-06-07T22:47:28.4Z", INT64_C(1559947648400000)},
		{"2019-06-07T22:47:28.4319499999999999999999Z", INT64_C(1559947648431949)},
		{"2019-06-08T04:17:28+05:30", S(1559947648)},
		{"2019-06-07T14:47:28.5-08:00", INT64_C(1559947648500000)},
		{"2019-06-07T22:47:28-00:00", S(1559947648)},
		{"1970-01-01T00:00:00+00:01", S(-60)},
		{"2016-12-31T23:59:60Z", S(1483228800)},
		{"2000-02-29T12:00:00Z", S(951825600)},
		{"0001-01-01T00:00:00Z", EARLIEST},
		{"9999-12-31T23:59:59.999999Z", LATEST},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t us = 1;

		if (!date_parse(slice_of(rows[i].text), &us) || us != rows[i].us)
			fail_msg("%s: %lld", rows[i].text, (long long)us);
	}
}

static void
test_date_parse_refuses(void **state)
{
	static const char *const rows[] = {
		"", "2019", "2019-06-07", "2019-06-07T22:47:28", "2019-06-07T22:47Z",
		"2019-06-07T22:47:28.Z", "2019-06-07T22:47:28,5Z", "2019-06-07T22:47:28Z ",
		" 2019-06-07T22:47:28Z", "2019-06-07T22:47:28+0530", "2019-06-07T22:47:28+05",
		"2019-06-07T22:47:28+24:00", "2019-06-07T22:47:28+05:60", "2019-06-07T22:47:28 Z",
		"2019-06-07X22:47:28Z", "2019-6-07T22:47:28Z", "+019-06-07T22:47:28Z",
		"2019-00-07T22:47:28Z", "2019-13-07T22:47:28Z", "2019-06-00T22:47:28Z",
		"2019-06-31T22:47:28Z", "2019-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
		"2019-06-07T24:00:00Z", "2019-06-07T22:60:00Z", "2019-06-07T22:47:61Z",
		"0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
		"9999-12-31T23:59:60Z", "12019-06-07T22:47:28Z",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t us = 42;

		if (date_parse(slice_of(rows[i]), &us))
			fail_msg("%s", rows[i]);
		assert_int_equal(us, 42);
	}
	assert_false(date_parse((struct slice){NULL, 0}, &(int64_t){0}));
}

/* RFC 9110 §5.6.7: the preferred form and the two obsolete ones. */
static void
test_date_parse_http(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} rows[] = {
		{"Sun, 06 Nov 1994 08:49:37 GMT", S(784111777)},
		{"Sunday, 06-Nov-94 08:49:37 GMT", S(784111777)},
		{"Sun Nov  6 08:49:37 1994", S(784111777)},
		{"Thu, 29 Feb 2024 00:00:00 GMT", S(1709164800)},
		{"Wed Jul 15 12:00:00 2026", S(1784116800)},
		{"Sat, 31 Dec 2016 23:59:60 GMT", S(1483228800)},
	};
	const int64_t now = S(1784116800);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t us = 1;

		if (!date_parse_http(slice_of(rows[i].text), now, &us) || us != rows[i].us)
			fail_msg("%s: %lld", rows[i].text, (long long)us);
	}
}

/* More than 50 years ahead is the century before. */
static void
test_date_parse_http_century(void **state)
{
	static const struct {
		const char *now, *text, *expected;
	} rows[] = {
		{"1994-11-06T08:49:37Z", "Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z"},
		{"1994-11-06T08:49:37Z", "Sunday, 06-Nov-44 08:49:37 GMT", "2044-11-06T08:49:37Z"},
		{"1994-11-06T08:49:36Z", "Sunday, 06-Nov-44 08:49:37 GMT", "1944-11-06T08:49:37Z"},
		{"2026-07-15T12:00:00Z", "Sunday, 06-Nov-76 08:49:37 GMT", "1976-11-06T08:49:37Z"},
		{"2026-07-15T12:00:00Z", "Monday, 06-Jul-76 08:49:37 GMT", "2076-07-06T08:49:37Z"},
		{"2026-07-15T12:00:00Z", "Friday, 01-Jan-00 00:00:00 GMT", "2000-01-01T00:00:00Z"},
		{"2060-07-15T12:00:00Z", "Monday, 01-Jan-05 00:00:00 GMT", "2105-01-01T00:00:00Z"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t now, expected, us = 1;

		assert_true(date_parse(slice_of(rows[i].now), &now));
		assert_true(date_parse(slice_of(rows[i].expected), &expected));
		if (!date_parse_http(slice_of(rows[i].text), now, &us) || us != expected)
			fail_msg("row %zu: %lld", i, (long long)us);
	}
}

static void
test_date_parse_http_refuses(void **state)
{
	static const char *const rows[] = {
		"", "120", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 6 Nov 1994 08:49:37 GMT",
		"Son, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nox 1994 08:49:37 GMT",
		"sun, 06 nov 1994 08:49:37 gmt", "Sun, 31 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 0000 08:49:37 GMT",
		"Sunday, 06-Nov-1994 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT",
		"Sunday, 31-Feb-94 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
		"Sun Nov 06 08:49:37 94", "1994-11-06T08:49:37Z",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t us = 42;

		if (date_parse_http(slice_of(rows[i]), S(1784116800), &us))
			fail_msg("%s", rows[i]);
		assert_int_equal(us, 42);
	}
	assert_false(date_parse_http((struct slice){NULL, 0}, 0, &(int64_t){0}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_date_text),
		cmocka_unit_test(test_date_every_day),
		cmocka_unit_test(test_date_parse),
		cmocka_unit_test(test_date_parse_refuses),
		cmocka_unit_test(test_date_parse_http),
		cmocka_unit_test(test_date_parse_http_century),
		cmocka_unit_test(test_date_parse_http_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
