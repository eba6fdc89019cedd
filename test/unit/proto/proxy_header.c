/* The PROXY protocol's header (CONTRACT §10): its specification's forms, and nothing near them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/proxy_header.h"

#define SIG "\r\n\r\n\0\r\nQUIT\n"
#define FOUR "\xc0\x00\x02\x01" "\xc6\x33\x64\x07" "\xdc\x04\x01\xbb"
#define SIX "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02" "\xdc\x04\x01\xbb"
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

struct row {
	struct slice in;
	const char *client; /* NULL: not known */
	int left;           /* bytes behind the header */
};

#define ROW(text, client, left) {{(text), sizeof(text) - 1}, (client), (left)},

static const struct row good[] = {
	ROW("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n", "192.0.2.1", 0)
	ROW("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\nGET / HTTP/1.1\r\n", "192.0.2.1", 16)
	ROW("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255", 0)
	ROW("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0", 0)
	ROW("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", "2001:db8::1", 0)
	ROW("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n\r\n", "192.0.2.1", 2)
	ROW("PROXY UNKNOWN\r\n", NULL, 0)
	ROW("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", NULL, 0)
	ROW("PROXY UNKNOWN  anything \x80 at all\r\n", NULL, 0)
	ROW("PROXY UNKNOWN " FIFTY TEN TEN TEN TEN "x\r\n", NULL, 0) /* 107 bytes */
	ROW(SIG "\x21\x11\0\x0c" FOUR, "192.0.2.1", 0)
	ROW(SIG "\x21\x11\0\x0c" FOUR "GET /", "192.0.2.1", 5)
	ROW(SIG "\x21\x11\0\x10" FOUR "\x04\0\x01x" "\x16\x03\x01", "192.0.2.1", 3)
	ROW(SIG "\x21\x21\0\x24" SIX, "2001:db8::1", 0)
	ROW(SIG "\x21\x00\0\0", NULL, 0)
	ROW(SIG "\x20\x00\0\0", NULL, 0)
	ROW(SIG "\x20\x11\0\x0c" FOUR, NULL, 0) /* LOCAL: whatever stands there */
	ROW(SIG "\x20\xff\0\x02xx!", NULL, 1)
};

static void
read_row(const struct row *row)
{
	struct proxy_header header;
	char text[46];

	assert_int_equal(proxy_header_read(row->in, &header), (int)row->in.n - row->left);
	assert_int_equal(header.known, row->client != NULL);
	if (row->client != NULL) {
		address_text(&header.client, text);
		assert_string_equal(text, row->client);
	}
	/* As it trickles in, nothing is said before its last byte. */
	for (size_t n = 0; n < row->in.n - (size_t)row->left; n++)
		assert_int_equal(proxy_header_read((struct slice){row->in.p, n}, &header), 0);
}

static void
test_proxy_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		read_row(&good[i]);
}

static const struct slice bad[] = {
	SLICE("GET / HTTP/1.1\r\n"),
	SLICE("PROXI"),
	SLICE("proxy TCP4 192.0.2.1 198.51.100.7 1 2\r\n"),
	SLICE(" PROXY TCP4 192.0.2.1 198.51.100.7 1 2\r\n"),
	SLICE("PROXY  TCP4 192.0.2.1 198.51.100.7 1 2\r\n"),
	SLICE("PROXY TCP4  192.0.2.1 198.51.100.7 1 2\r\n"),
	SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 1 2 \r\n"),
	SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 1 2 3\r\n"),
	SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 1\r\n"),
	SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 1 2\n"),
	SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 1 2\r\r\n"),
	SLICE("PROXY UNKNOWN a\nb\r\n"),
	SLICE("PROXY UNKNOWN\n"),
	SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 1 2\r "),
	SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 65536 2\r\n"),
	SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 01 2\r\n"),
	SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 +1 2\r\n"),
	SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 100000 2\r\n"),
	SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 1 -2\r\n"),
	SLICE("PROXY TCP4 192.0.2.256 198.51.100.7 1 2\r\n"),
	SLICE("PROXY TCP4 192.0.2.1 198.51.100.07 1 2\r\n"),
	SLICE("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"),
	SLICE("PROXY TCP6 192.0.2.1 198.51.100.7 1 2\r\n"),
	SLICE("PROXY TCP6 2001:db8::1 198.51.100.7 1 2\r\n"),
	SLICE("PROXY TCP6 [2001:db8::1] 2001:db8::2 1 2\r\n"),
	SLICE("PROXY TCP6 fe80::1%eth0 2001:db8::2 1 2\r\n"),
	SLICE("PROXY TCP5 192.0.2.1 198.51.100.7 1 2\r\n"),
	SLICE("PROXY UDP4 192.0.2.1 198.51.100.7 1 2\r\n"),
	SLICE("PROXY TCP4\t192.0.2.1 198.51.100.7 1 2\r\n"),
	SLICE("PROXY TCP4 192.0.2.1\0 198.51.100.7 1 2\r\n"),
	SLICE("PROXY \r\n"),
	SLICE("PROXY UNKNOWNS\r\n"),
	SLICE("PROXY unknown\r\n"),
	SLICE("PROXY UNKNOWN " FIFTY TEN TEN TEN TEN "xx\r\n"), /* 108 bytes */
	SLICE("PROXY UNKNOWN " FIFTY TEN TEN TEN TEN "xxx"),
	SLICE("\r\n\r\nX"),
	SLICE("\r\n\r\n\0\r\nQUIT\r"),
	SLICE(SIG "\x11\x11\0\x0c" FOUR), /* version 1 */
	SLICE(SIG "\x31\x11\0\x0c" FOUR),
	SLICE(SIG "\x22\x11\0\x0c" FOUR), /* another command */
	SLICE(SIG "\x21\x12\0\x0c" FOUR), /* UDP */
	SLICE(SIG "\x21\x22\0\x24" SIX),
	SLICE(SIG "\x21\x10\0\x0c" FOUR),
	SLICE(SIG "\x21\x41\0\x0c" FOUR),
	SLICE(SIG "\x21\x11\0\x0b" FOUR),
	SLICE(SIG "\x21\x21\0\x23" SIX),
	SLICE(SIG "\x21\x31\0\x24" SIX),
	SLICE(SIG "\x21\x11\x0f\xf1"), /* 4097 bytes */
	SLICE(SIG "\x20\x00\xff\xff"),
};

static void
test_proxy_bad(void **state)
{
	struct proxy_header header;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (proxy_header_read(bad[i], &header) != -1)
			fail_msg("row %zu: %s", i, bad[i].p);
}

/* The longest there may be, skipped to its last byte. */
static void
test_proxy_longest(void **state)
{
	static char room[PROXY_HEADER_MAX + 1] = SIG "\x21\x11\x0f\xf0" FOUR;
	struct proxy_header header;

	(void)state;
	assert_int_equal(proxy_header_read((struct slice){room, PROXY_HEADER_MAX - 1}, &header), 0);
	assert_int_equal(proxy_header_read((struct slice){room, sizeof room}, &header),
	    PROXY_HEADER_MAX);
	assert_true(header.known);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proxy_good),
		cmocka_unit_test(test_proxy_bad),
		cmocka_unit_test(test_proxy_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
