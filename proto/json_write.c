/*
 * JSON out, as Python's json.dumps prints it. Receivers that parse, dump and compare, or that sign
 * what they dumped, depend on each byte; test/box/test_json_property.py holds it against Python.
 *
 * Floats are the part with rules of their own. repr() prints the shortest decimal that reads back
 * as the same double:
 *
 *     15 digits, if they read back: any shorter decimal is among these, with zeros cut off
 *     16 digits, or their neighbour above: under a power of two doubles are twice as dense, so that
 *        the nearest decimal may lie too far below while the next one above is close enough
 *     17 digits always do
 *     denormals have fewer digits than 15, so all lengths are tried
 *
 * and puts an exponent where the point would stand more than 4 zeros before the first digit, or
 * behind the 16th. The program runs in the "C" locale: the decimal point is a point.
 */
#include "proto/json_write.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/utf8.h"

/* A comma, if the last thing written was a value. */
static void
separate(struct json_writer *w)
{
	if (w->more)
		buf_put(w->buf, ", ", w->compact ? 1 : 2);
	w->more = true;
}

static void
put_value(struct json_writer *w, struct slice s)
{
	separate(w);
	buf_put_slice(w->buf, s);
}

void
json_open(struct json_writer *w, char bracket)
{
	separate(w);
	buf_putc(w->buf, bracket);
	w->more = false;
}

void
json_close(struct json_writer *w, char bracket)
{
	buf_putc(w->buf, bracket);
	w->more = true;
}

/*
 * Strings
 */

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/* Sixteen bytes at once, in whatever registers the machine has. */
typedef uint8_t sixteen __attribute__((vector_size(16)));

static bool
are_plain(sixteen c)
{
	sixteen other = (sixteen)((c < 0x20) | (c >= 0x7F) | (c == '"') | (c == '\\'));
	uint64_t halves[2];

	memcpy(halves, &other, sizeof halves);
	return (halves[0] | halves[1]) == 0;
}

/* The n bytes at p as sixteen: two pieces that overlap, as often as needed. 4 <= n <= 16. */
static sixteen
spread(const char *p, size_t n)
{
	char bytes[16];
	size_t piece = n < 8 ? 4 : 8;
	sixteen c;

	memcpy(bytes, p, 4);
	memcpy(bytes + 4, p + piece - 4, 4);
	memcpy(bytes + 8, p + n - piece, 4);
	memcpy(bytes + 12, p + n - 4, 4);
	memcpy(&c, bytes, sizeof c);
	return c;
}

/* Bytes from `at` on that are printed as they are. */
static size_t
plain_run(struct slice s, size_t at)
{
	size_t end = at;
	sixteen c;

	for (; s.n - end >= sizeof c; end += sizeof c) {
		memcpy(&c, s.p + end, sizeof c);
		if (!are_plain(c))
			break;
	}
	if (s.n - end < sizeof c && s.n - end >= 4 && are_plain(spread(s.p + end, s.n - end)))
		return s.n - at;
	while (end < s.n && is_plain((unsigned char)s.p[end]))
		end++;
	return end - at;
}

static void
put_unit(struct buf *b, uint32_t unit)
{
	static const char digits[] = "0123456789abcdef";
	char text[6] = {'\\', 'u'};

	for (int i = 5; i >= 2; i--, unit >>= 4)
		text[i] = digits[unit & 0xF];
	buf_put(b, text, sizeof text);
}

static void
put_character(struct buf *b, uint32_t c)
{
	static const char names[] = "\"\\\b\t\n\f\r";
	static const char letters[] = "\"\\btnfr";
	const char *name = c != 0 && c < 0x80 ? strchr(names, (int)c) : NULL;

	if (name != NULL) {
		buf_putc(b, '\\');
		buf_putc(b, letters[name - names]);
	} else if (c < 0x10000) {
		put_unit(b, c);
	} else {
		put_unit(b, 0xD800 + ((c - 0x10000) >> 10));
		put_unit(b, 0xDC00 + ((c - 0x10000) & 0x3FF));
	}
}

/* The character at `at`, which is not plain; the offset behind it. */
static size_t
put_other(struct json_writer *w, struct slice s, size_t at)
{
	size_t start = at;
	uint32_t c = utf8_next(s, &at);

	if (w->compact && c > 0x7F)
		buf_put(w->buf, s.p + start, at - start);
	else
		put_character(w->buf, c);
	return at;
}

/* Most strings are of one piece, for which there is room; false otherwise. */
static bool
put_plain(struct buf *b, struct slice s)
{
	char *p = b->p + b->n;

	if (b->failed || b->room - b->n < s.n + 2)
		return false;
	p[0] = '"';
	if (s.n > 0)
		memcpy(p + 1, s.p, s.n);
	p[s.n + 1] = '"';
	b->n += s.n + 2;
	return true;
}

static void
put_string(struct json_writer *w, struct slice s)
{
	struct buf *b = w->buf;
	size_t at = 0, run = plain_run(s, 0);

	if (run == s.n && put_plain(b, s))
		return;
	buf_putc(b, '"');
	for (; at < s.n && !b->failed; run = plain_run(s, at)) {
		if (run > 0) {
			buf_put(b, s.p + at, run);
			at += run;
		} else {
			at = put_other(w, s, at);
		}
	}
	buf_putc(b, '"');
}

void
json_key_slice(struct json_writer *w, struct slice key)
{
	separate(w);
	put_string(w, key);
	buf_put(w->buf, ": ", w->compact ? 1 : 2);
	w->more = false;
}

void
json_string(struct json_writer *w, struct slice s)
{
	separate(w);
	put_string(w, s);
}

void
json_plain(struct json_writer *w, struct slice s)
{
	separate(w);
	if (!put_plain(w->buf, s))
		put_string(w, s);
}

/*
 * Numbers
 */

void
json_uint(struct json_writer *w, uint64_t v)
{
	separate(w);
	buf_put_number(w->buf, v);
}

void
json_int(struct json_writer *w, int64_t v)
{
	separate(w);
	if (v < 0)
		buf_putc(w->buf, '-');
	buf_put_number(w->buf, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* digits x 10^exponent */
struct decimal {
	uint64_t digits;
	int exponent;
};

/* The decimal of that many digits (1 to 17) nearest to v > 0. */
static struct decimal
nearest(double v, int count)
{
	char text[32];
	struct decimal d;
	char *e;

	/* "d.ddde-xx": without the point, all but the exponent is an integer. */
	snprintf(text, sizeof text, "%.*e", count - 1, v);
	if (count > 1)
		memmove(text + 1, text + 2, strlen(text + 2) + 1);
	d.digits = strtoull(text, &e, 10);
	d.exponent = (int)strtol(e + 1, NULL, 10) - (count - 1);
	return d;
}

static bool
reads_back(struct decimal d, double v)
{
	char text[40];

	snprintf(text, sizeof text, "%" PRIu64 "e%d", d.digits, d.exponent);
	return strtod(text, NULL) == v;
}

static struct decimal
shortest(double v)
{
	int count = v < DBL_MIN ? 1 : 15;
	struct decimal d;

	do {
		d = nearest(v, count);
		if (reads_back(d, v))
			return d;
	} while (++count <= 16);
	d.digits++;
	return reads_back(d, v) ? d : nearest(v, 17);
}

static void
put_zeros(struct buf *b, int n)
{
	for (; n > 0; n--)
		buf_putc(b, '0');
}

/* 0.00123, 123.0, 1.23: `point` is how many places the point stands behind the first digit. */
static void
put_fixed(struct buf *b, const char *digits, int n, int point)
{
	if (point <= 0) {
		buf_puts(b, "0.");
		put_zeros(b, -point);
		buf_puts(b, digits);
	} else if (point >= n) {
		buf_puts(b, digits);
		put_zeros(b, point - n);
		buf_puts(b, ".0");
	} else {
		buf_put(b, digits, (size_t)point);
		buf_putc(b, '.');
		buf_puts(b, digits + point);
	}
}

static void
put_scientific(struct buf *b, const char *digits, int exponent)
{
	buf_putc(b, digits[0]);
	if (digits[1] != '\0')
		buf_putc(b, '.');
	buf_puts(b, digits + 1);
	buf_printf(b, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

static void
put_positive(struct buf *b, double v)
{
	struct decimal d = shortest(v);
	char digits[24];
	int n, point;

	for (; d.digits % 10 == 0; d.digits /= 10)
		d.exponent++;
	n = snprintf(digits, sizeof digits, "%" PRIu64, d.digits);
	point = n + d.exponent;
	if (point > -4 && point <= 16)
		put_fixed(b, digits, n, point);
	else
		put_scientific(b, digits, point - 1);
}

void
json_double(struct json_writer *w, double v)
{
	separate(w);
	if (isnan(v)) {
		buf_puts(w->buf, "NaN");
		return;
	}
	if (signbit(v))
		buf_putc(w->buf, '-');
	if (isinf(v))
		buf_puts(w->buf, "Infinity");
	else if (v == 0)
		buf_puts(w->buf, "0.0");
	else
		put_positive(w->buf, fabs(v));
}

/*
 * The rest
 */

void
json_bool(struct json_writer *w, bool truth)
{
	put_value(w, truth ? SLICE("true") : SLICE("false"));
}

void
json_null(struct json_writer *w)
{
	put_value(w, SLICE("null"));
}

void
json_raw(struct json_writer *w, struct slice value)
{
	put_value(w, value);
}

/* Recursive: json_read() bounds the depth. Ends where there is no more room, which may be long
 * before the tree does. */
static void
put_children(struct json_writer *w, const struct json *node)
{
	const struct json *child = node->first;
	bool named = node->type == JSON_OBJECT;

	json_open(w, named ? '{' : '[');
	for (; child != NULL && !w->buf->failed; child = child->next) {
		if (named)
			json_key_slice(w, child->key);
		json_tree(w, child);
	}
	json_close(w, named ? '}' : ']');
}

void
json_tree(struct json_writer *w, const struct json *node)
{
	switch (node->type) {
	case JSON_NULL:
		json_null(w);
		break;
	case JSON_BOOL:
		json_bool(w, node->truth);
		break;
	case JSON_NUMBER:
		put_value(w, node->text);
		break;
	case JSON_STRING:
		json_string(w, node->text);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		put_children(w, node);
		break;
	}
}
