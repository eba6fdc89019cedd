/*
 * JSON as bytes, before and between the parser's tokens.
 *
 * A surrogate escape without its other half is no character. Senders make them by cutting text
 * inside an emoji; the escape is overwritten by that of U+FFFD, which has the same length:
 *
 *     "cut \ud83d"        "cut \ufffd"
 *     "\ud83d\ude00"      stays: a pair
 *     "\\ud83d"           stays: an escaped backslash, then plain letters
 *
 * Backslashes outside strings are errors anyway, or stand in comments, where what they do to the
 * count ends with the comment. So strings need not be told from the rest.
 */
#include "proto/json_text.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/utf8.h"

bool
json_text_fail(struct json_error *error, size_t at, const char *format, ...)
{
	va_list args;

	error->at = at;
	va_start(args, format);
	vsnprintf(error->what, sizeof error->what, format, args);
	va_end(args);
	return false;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* How many of the leading bytes are printable ASCII or DEL, counted in eights: where none of eight
 * has its top bit, nor borrows when a blank is subtracted. */
static size_t
printable_run(const char *p, size_t n)
{
	const uint64_t tops = UINT64_C(0x8080808080808080), blanks = UINT64_C(0x2020202020202020);
	size_t i = 0;
	uint64_t eight;

	for (; n - i >= sizeof eight; i += sizeof eight) {
		memcpy(&eight, p + i, sizeof eight);
		if (((eight | (eight - blanks)) & tops) != 0)
			break;
	}
	return i;
}

bool
json_text_check(struct slice text, struct json_error *error)
{
	size_t i = printable_run(text.p, text.n);
	size_t valid = i + utf8_valid((struct slice){text.p + i, text.n - i});

	if (valid < text.n)
		return json_text_fail(error, valid, "not UTF-8");
	while (i < text.n) {
		unsigned char c = (unsigned char)text.p[i];

		if (c < 0x20 && !is_space(text.p[i]))
			return json_text_fail(error, i, "not JSON: control character 0x%02x", c);
		i++;
		i += printable_run(text.p + i, text.n - i);
	}
	return true;
}

/* The code unit of the escape "\uXXXX" at p, or -1. */
static int
code_unit(const char *p, const char *end)
{
	int unit = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit = ascii_hex(p[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

static bool
is_high(int unit)
{
	return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool
is_low(int unit)
{
	return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* Looks at every backslash with what it escapes, so that "\\ud800" stays the text that it is. */
void
json_text_mend(char *text, size_t n)
{
	static const char mended[] = {'\\', 'u', 'f', 'f', 'f', 'd'};
	const char *end = text + n;
	char *p = text;

	while ((p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
		int unit = code_unit(p, end);

		if (unit < 0) {
			p += end - p < 2 ? 1 : 2;
		} else if (is_high(unit) && is_low(code_unit(p + 6, end))) {
			p += 12;
		} else {
			if (is_high(unit) || is_low(unit))
				memcpy(p, mended, sizeof mended);
			p += 6;
		}
	}
}

/* Behind the comment at `at`; `at` itself if there is no comment, or one without an end. */
static size_t
skip_comment(struct slice text, size_t at)
{
	const char *p = text.p + at;
	size_t left = text.n - at;
	const char *end;

	if (left >= 2 && p[0] == '/' && p[1] == '/') {
		end = memchr(p, '\n', left);
		return end == NULL ? text.n : (size_t)(end - text.p) + 1;
	}
	if (left >= 2 && p[0] == '/' && p[1] == '*') {
		end = memmem(p + 2, left - 2, "*/", 2);
		return end == NULL ? at : (size_t)(end - text.p) + 2;
	}
	return at;
}

size_t
json_text_skip(struct slice text, size_t at, bool comments)
{
	while (at < text.n) {
		size_t behind = at;

		if (is_space(text.p[at]))
			behind = at + 1;
		else if (comments)
			behind = skip_comment(text, at);
		if (behind == at)
			break;
		at = behind;
	}
	return at;
}
