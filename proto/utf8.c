/*
 * UTF-8, strictly (RFC 3629 §4):
 *
 *     first byte   second    others      what the bounds on the second byte keep out
 *     00-7F
 *     C2-DF        80-BF                 C0, C1: overlong
 *     E0           A0-BF     80-BF       overlong
 *     E1-EC EE-EF  80-BF     80-BF
 *     ED           80-9F     80-BF       surrogates
 *     F0           90-BF     80-BF x 2   overlong
 *     F1-F3        80-BF     80-BF x 2
 *     F4           80-8F     80-BF x 2   above U+10FFFF
 */
#include "proto/utf8.h"

static bool
is_tail(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

/* Bytes of the character that starts with c; 0 if none does. */
static size_t
length(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c < 0xC2 || c > 0xF4)
		return 0;
	return c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

static bool
is_second(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xE0:
		return second >= 0xA0 && second <= 0xBF;
	case 0xED:
		return second >= 0x80 && second <= 0x9F;
	case 0xF0:
		return second >= 0x90 && second <= 0xBF;
	case 0xF4:
		return second >= 0x80 && second <= 0x8F;
	default:
		return is_tail(second);
	}
}

/* Bytes of the well-formed character at p; 0 if there is none within n (> 0) bytes. */
static size_t
character(const unsigned char *p, size_t n)
{
	size_t len = length(p[0]);

	if (len == 0 || len > n)
		return 0;
	if (len > 1 && !is_second(p[0], p[1]))
		return 0;
	for (size_t i = 2; i < len; i++)
		if (!is_tail(p[i]))
			return 0;
	return len;
}

/* How many of the leading bytes are ASCII, counted in eights: most text is nothing else. */
static size_t
ascii_run(const unsigned char *p, size_t n)
{
	size_t i = 0;
	uint64_t eight;

	for (; n - i >= sizeof eight; i += sizeof eight) {
		memcpy(&eight, p + i, sizeof eight);
		if ((eight & 0x8080808080808080) != 0)
			break;
	}
	return i;
}

size_t
utf8_valid(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t i = 0;

	while (i < s.n) {
		size_t len = ascii_run(p + i, s.n - i);

		if (len == 0)
			len = character(p + i, s.n - i);
		if (len == 0)
			break;
		i += len;
	}
	return i;
}

struct slice
utf8_cut(struct slice s, size_t max)
{
	if (s.n <= max)
		return s;
	while (max > 0 && is_tail((unsigned char)s.p[max]))
		max--;
	return (struct slice){s.p, max};
}

uint32_t
utf8_next(struct slice s, size_t *at)
{
	static const unsigned char first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	const unsigned char *p = (const unsigned char *)s.p + *at;
	size_t len = length(p[0]);
	uint32_t c;

	/* Never in well-formed text; a caller's mistake must not read behind the end. */
	if (len == 0 || len > s.n - *at) {
		*at = s.n;
		return 0xFFFD;
	}
	c = p[0] & first_bits[len];
	for (size_t i = 1; i < len; i++)
		c = c << 6 | (p[i] & 0x3F);
	*at += len;
	return c;
}
