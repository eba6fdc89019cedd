/*
 * Instants and their texts, in the proleptic Gregorian calendar, without libc's locale and time
 * zone.
 *
 * Days are counted in a year that starts in March: the leap day is then its last day, and the
 * months' lengths repeat as 31 30 31 30 31 each 153 days, which (153 m + 2) / 5 counts.
 *
 * Parsers read with a scan: each step takes what it knows and moves on, or sets `bad`, which
 * sticks, so that a format reads as a list of its parts with one look at the end.
 */
#include "proto/date.h"

#include <stdio.h>

static const int64_t second = 1000000;
static const int64_t day = 86400 * INT64_C(1000000);

/* 0001-01-01T00:00:00Z, and the last microsecond of the year 9999 */
static const int64_t earliest = INT64_C(-62135596800000000);
static const int64_t latest = INT64_C(253402300799999999);

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
    "Oct", "Nov", "Dec"};
static const char *const weekdays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
static const char *const long_weekdays[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
    "Saturday", "Sunday"};

struct moment {
	int year, month, day; /* month and day from 1 */
	int hour, minute, second;
	int us;
};

/*
 * The calendar
 */

/* 1970-01-01 is day 0. */
static int64_t
days_of(int year, int month, int mday)
{
	int y = month > 2 ? year : year - 1;
	int m = month > 2 ? month - 3 : month + 9;

	return y * INT64_C(365) + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + mday - 1 - 719468;
}

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
month_length(int year, int month)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && is_leap(year) ? 29 : lengths[month - 1];
}

/* A second of 60 is a leap second, taken as the one behind it. */
static bool
is_valid(const struct moment *m)
{
	return m->year >= 1 && m->year <= 9999 && m->month >= 1 && m->month <= 12 && m->day >= 1 &&
	    m->day <= month_length(m->year, m->month) && m->hour <= 23 && m->minute <= 59 &&
	    m->second <= 60;
}

static int64_t
instant_of(const struct moment *m)
{
	int64_t days = days_of(m->year, m->month, m->day);

	return days * day + (m->hour * 3600 + m->minute * 60 + m->second) * second + m->us;
}

/* The year and month found from above: at most one step too far each. */
static void
split_days(int64_t days, struct moment *m)
{
	m->year = (int)((days + 719468) * 400 / 146097) + 1;
	while (days < days_of(m->year, 1, 1))
		m->year--;
	m->month = (int)(days - days_of(m->year, 1, 1)) / 28 + 1;
	if (m->month > 12)
		m->month = 12;
	while (days < days_of(m->year, m->month, 1))
		m->month--;
	m->day = (int)(days - days_of(m->year, m->month, 1)) + 1;
}

static struct moment
moment_of(int64_t us)
{
	int64_t in_day = us % day < 0 ? us % day + day : us % day;
	int64_t seconds = in_day / second;
	struct moment m = {.hour = (int)(seconds / 3600), .minute = (int)(seconds / 60 % 60),
	    .second = (int)(seconds % 60), .us = (int)(in_day % second)};

	split_days((us - in_day) / day, &m);
	return m;
}

static void
put_number(char *out, int v, int count)
{
	for (int i = count - 1; i >= 0; i--, v /= 10)
		out[i] = (char)('0' + v % 10);
}

void
date_text(int64_t us, char out[DATE_TEXT])
{
	int64_t in_range = us < earliest ? earliest : us > latest ? latest : us;
	struct moment m = moment_of(in_range);

	memcpy(out, "0000-00-00T00:00:00.000000Z", DATE_TEXT);
	put_number(out, m.year, 4);
	put_number(out + 5, m.month, 2);
	put_number(out + 8, m.day, 2);
	put_number(out + 11, m.hour, 2);
	put_number(out + 14, m.minute, 2);
	put_number(out + 17, m.second, 2);
	put_number(out + 20, m.us, 6);
}

/*
 * The scan
 */

struct scan {
	const char *p;
	size_t n; /* bytes from p on */
	bool bad;
};

static bool
is_digit(const struct scan *s)
{
	return s->n > 0 && *s->p >= '0' && *s->p <= '9';
}

static int
take_digit(struct scan *s)
{
	s->n--;
	return *s->p++ - '0';
}

/* Exactly count digits. */
static int
number(struct scan *s, int count)
{
	int v = 0;

	for (; count > 0; count--) {
		if (!is_digit(s)) {
			s->bad = true;
			return 0;
		}
		v = v * 10 + take_digit(s);
	}
	return v;
}

/* Takes the text if it comes next. */
static bool
accept(struct scan *s, const char *text)
{
	size_t n = strlen(text);

	if (s->n < n || memcmp(s->p, text, n) != 0)
		return false;
	s->p += n;
	s->n -= n;
	return true;
}

static void
expect(struct scan *s, const char *text)
{
	if (!accept(s, text))
		s->bad = true;
}

/* The place of the word that comes next, from 1. */
static int
word(struct scan *s, const char *const words[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (accept(s, words[i]))
			return (int)i + 1;
	s->bad = true;
	return 0;
}

static void
clock_time(struct scan *s, struct moment *m)
{
	m->hour = number(s, 2);
	expect(s, ":");
	m->minute = number(s, 2);
	expect(s, ":");
	m->second = number(s, 2);
}

/* True at the end of a text whose parts all were there. */
static bool
finish(const struct scan *s, const struct moment *m, int64_t *us)
{
	int64_t instant;

	if (s->bad || s->n > 0 || !is_valid(m))
		return false;
	instant = instant_of(m);
	/* Only a leap second at the end of the year 9999 is later. */
	if (instant > latest)
		return false;
	*us = instant;
	return true;
}

/*
 * RFC 3339
 */

static int
fraction(struct scan *s)
{
	int us = 0;
	int weight = 100000;

	if (!is_digit(s))
		s->bad = true;
	for (; is_digit(s); weight /= 10)
		us += weight * take_digit(s);
	return us;
}

/* Microseconds east of Greenwich. */
static int64_t
offset(struct scan *s)
{
	int hours, minutes, sign;

	if (accept(s, "Z") || accept(s, "z"))
		return 0;
	sign = accept(s, "-") ? -1 : 1;
	if (sign > 0)
		expect(s, "+");
	hours = number(s, 2);
	expect(s, ":");
	minutes = number(s, 2);
	if (hours > 23 || minutes > 59)
		s->bad = true;
	return sign * (hours * 60 + minutes) * 60 * second;
}

bool
date_parse(struct slice text, int64_t *us)
{
	struct scan s = {.p = text.p, .n = text.n};
	struct moment m = {0};
	int64_t east, local;

	m.year = number(&s, 4);
	expect(&s, "-");
	m.month = number(&s, 2);
	expect(&s, "-");
	m.day = number(&s, 2);
	if (!accept(&s, "T") && !accept(&s, "t"))
		expect(&s, " ");
	clock_time(&s, &m);
	if (accept(&s, "."))
		m.us = fraction(&s);
	east = offset(&s);
	if (!finish(&s, &m, &local) || local - east < earliest || local - east > latest)
		return false;
	*us = local - east;
	return true;
}

/*
 * RFC 9110 §5.6.7
 */

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool
parse_fixdate(struct scan s, int64_t *us)
{
	struct moment m = {0};

	word(&s, weekdays, COUNT_OF(weekdays));
	expect(&s, ", ");
	m.day = number(&s, 2);
	expect(&s, " ");
	m.month = word(&s, months, COUNT_OF(months));
	expect(&s, " ");
	m.year = number(&s, 4);
	expect(&s, " ");
	clock_time(&s, &m);
	expect(&s, " GMT");
	return finish(&s, &m, us);
}

/* "Sunday, 06-Nov-94 08:49:37 GMT"; the latest year that fits and is not over 50 years ahead. */
static bool
parse_rfc850(struct scan s, int64_t now, int64_t *us)
{
	struct moment horizon = moment_of(now);
	struct moment m = {0};

	horizon.year += 50;
	word(&s, long_weekdays, COUNT_OF(long_weekdays));
	expect(&s, ", ");
	m.day = number(&s, 2);
	expect(&s, "-");
	m.month = word(&s, months, COUNT_OF(months));
	expect(&s, "-");
	m.year = horizon.year / 100 * 100 + number(&s, 2);
	expect(&s, " ");
	clock_time(&s, &m);
	expect(&s, " GMT");
	if (!s.bad && instant_of(&m) > instant_of(&horizon))
		m.year -= 100;
	return finish(&s, &m, us);
}

/* "Sun Nov  6 08:49:37 1994" */
static bool
parse_asctime(struct scan s, int64_t *us)
{
	struct moment m = {0};

	word(&s, weekdays, COUNT_OF(weekdays));
	expect(&s, " ");
	m.month = word(&s, months, COUNT_OF(months));
	expect(&s, " ");
	m.day = number(&s, accept(&s, " ") ? 1 : 2);
	expect(&s, " ");
	clock_time(&s, &m);
	expect(&s, " ");
	m.year = number(&s, 4);
	return finish(&s, &m, us);
}

bool
date_parse_http(struct slice text, int64_t now, int64_t *us)
{
	struct scan s = {.p = text.p, .n = text.n};

	return parse_fixdate(s, us) || parse_rfc850(s, now, us) || parse_asctime(s, us);
}
