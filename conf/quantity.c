/*
 * A quantity is digits and a unit: "500ms", "3s", "60m", "2h", "30d"; "100", "512KiB", "16MiB",
 * "64GiB", "1TiB". No signs, fractions, spaces or other cases, so that there is one way to write
 * each, and nobody wonders whether m is minutes or months.
 */
#include "conf/quantity.h"

#include <inttypes.h>
#include <stdio.h>

#include "conf/conf.h"

struct unit {
	const char *name;
	int64_t factor;
};

/* Smallest first. */
static const struct unit times[] = {{"ms", 1000}, {"s", 1000000}, {"m", 60 * (int64_t)1000000},
    {"h", 3600 * (int64_t)1000000}, {"d", 86400 * (int64_t)1000000}, {NULL, 0}};
static const struct unit sizes[] = {{"", 1}, {"KiB", (int64_t)1 << 10}, {"MiB", (int64_t)1 << 20},
    {"GiB", (int64_t)1 << 30}, {"TiB", (int64_t)1 << 40}, {NULL, 0}};

/* The number of leading digits; *value is theirs. False when there are none, or too many. */
static bool
read_digits(struct slice text, size_t *n, int64_t *value)
{
	*value = 0;
	for (*n = 0; *n < text.n && text.p[*n] >= '0' && text.p[*n] <= '9'; ++*n) {
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, text.p[*n] - '0', value))
			return false;
	}
	return *n > 0;
}

static bool
parse(struct slice text, const struct unit *units, int64_t *out)
{
	struct slice unit;
	int64_t value;
	size_t n;

	if (!read_digits(text, &n, &value))
		return false;
	unit = (struct slice){text.p + n, text.n - n};
	while (units->name != NULL && !slice_is(unit, slice_of(units->name)))
		units++;
	return units->name != NULL && !__builtin_mul_overflow(value, units->factor, out);
}

bool
conf_parse_time(struct slice text, int64_t *us)
{
	return parse(text, times, us);
}

bool
conf_parse_size(struct slice text, int64_t *bytes)
{
	return parse(text, sizes, bytes);
}

static void
print(int64_t value, const struct unit *units, char out[QUANTITY_TEXT])
{
	const struct unit *unit = units;

	for (; units->name != NULL; units++)
		if (value != 0 && value % units->factor == 0)
			unit = units;
	snprintf(out, QUANTITY_TEXT, "%" PRId64 "%s", value / unit->factor, unit->name);
}

void
quantity_time_text(int64_t us, char out[QUANTITY_TEXT])
{
	print(us, times, out);
}

void
quantity_size_text(int64_t bytes, char out[QUANTITY_TEXT])
{
	print(bytes, sizes, out);
}

bool
quantity_number(struct slice text, int64_t *value)
{
	bool minus = text.n > 0 && text.p[0] == '-';
	size_t digits;

	for (digits = minus; digits < text.n; digits++)
		if (text.p[digits] < '0' || text.p[digits] > '9')
			return false;
	if (digits == (size_t)minus)
		return false;
	if (!read_digits((struct slice){text.p + minus, text.n - minus}, &digits, value))
		*value = INT64_MAX;
	if (minus)
		*value = -*value;
	return true;
}
