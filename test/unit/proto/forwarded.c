/* Whom proxies name (CONTRACT §10): headers as they come, and as an attacker writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/forwarded.h"

/* 10.0.0.0/8 and 2001:db8:ffff::/48 are trusted; the connection comes from 10.0.0.1. */
static struct cidr trusted[2];

static int
setup(void **state)
{
	(void)state;
	return cidr_parse(SLICE("10.0.0.0/8"), &trusted[0]) &&
		       cidr_parse(SLICE("2001:db8:ffff::/48"), &trusted[1])
		   ? 0
		   : -1;
}

static const struct http_head *
read_head(const char *headers)
{
	static char text[64 << 10];
	static struct http_head head;
	size_t scanned = 0;
	int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", headers);

	assert_true(http_read_request((struct slice){text, (size_t)n}, sizeof text, &scanned,
			&head) == n);
	return &head;
}

static struct address
read_peer(const char *peer)
{
	struct address address = {{0}};

	assert_true(peer == NULL || address_parse(slice_of(peer), &address));
	return address;
}

static struct address
client_of(const char *headers, const char *peer, size_t count)
{
	return forwarded_client(read_head(headers), read_peer(peer), trusted, count);
}

static void
expect(const char *headers, const char *peer, size_t count, const char *client)
{
	struct address address = client_of(headers, peer, count);
	char text[46];

	address_text(&address, text);
	if (strcmp(text, client) != 0)
		fail_msg("%s from %s: %s, not %s", headers, peer, text, client);
}

#define XFF(text) "X-Forwarded-For: " text "\r\n"
#define FWD(text) "Forwarded: " text "\r\n"

static const struct {
	const char *headers, *client;
} rows[] = {
	{"", "10.0.0.1"},
	{XFF("192.0.2.1"), "192.0.2.1"},
	{XFF("192.0.2.1:4711"), "192.0.2.1"},
	{XFF("2001:db8::1"), "2001:db8::1"},
	{XFF("[2001:db8::1]"), "2001:db8::1"},
	{XFF("[2001:db8::1]:4711"), "2001:db8::1"},
	{XFF("::ffff:192.0.2.1"), "192.0.2.1"},
	{"x-forwarded-FOR:192.0.2.1\r\n", "192.0.2.1"},
	/* from the right, through those that are trusted */
	{XFF("203.0.113.9, 192.0.2.1"), "192.0.2.1"},
	{XFF("203.0.113.9,192.0.2.1,10.0.0.2"), "192.0.2.1"},
	{XFF("203.0.113.9, 192.0.2.1, 10.9.9.9, 2001:db8:ffff::1"), "192.0.2.1"},
	{XFF("10.0.0.3, 10.0.0.2"), "10.0.0.3"},
	{XFF("203.0.113.9") XFF("192.0.2.1, 10.0.0.2") XFF("10.0.0.3"), "192.0.2.1"},
	{XFF("203.0.113.9") XFF("192.0.2.1"), "192.0.2.1"},
	/* elements without anything */
	{XFF("192.0.2.1,"), "192.0.2.1"},
	{XFF("192.0.2.1 ,\t, ,"), "192.0.2.1"},
	{XFF(",,") XFF("192.0.2.1") XFF(""), "192.0.2.1"},
	{XFF(""), "10.0.0.1"},
	{XFF(","), "10.0.0.1"},
	/* what is no address ends the walk */
	{XFF("192.0.2.1, unknown"), "10.0.0.1"},
	{XFF("192.0.2.1, unknown, 10.0.0.2"), "10.0.0.2"},
	{XFF("192.0.2.1, 10.0.0.2 10.0.0.3"), "10.0.0.1"},
	{XFF("192.0.2.1, 10.0.0.256"), "10.0.0.1"},
	{XFF("192.0.2.1, 010.0.0.2"), "10.0.0.1"},
	{XFF("192.0.2.1, 10.0.0.2:"), "10.0.0.1"},
	{XFF("192.0.2.1, 10.0.0.2:80:80"), "10.0.0.1"},
	{XFF("192.0.2.1, 10.0.0.2:8 0"), "10.0.0.1"},
	{XFF("192.0.2.1, [10.0.0.2]"), "10.0.0.1"},
	{XFF("192.0.2.1, [2001:db8:ffff::2"), "10.0.0.1"},
	{XFF("192.0.2.1, [2001:db8:ffff::2]x"), "10.0.0.1"},
	{XFF("192.0.2.1, []"), "10.0.0.1"},
	{XFF("192.0.2.1, 2001:db8:ffff::2]"), "10.0.0.1"},
	{XFF("192.0.2.1, :"), "10.0.0.1"},
	{XFF("192.0.2.1, ::"), "10.0.0.1"},
	{XFF("192.0.2.1, fe80::1%eth0"), "10.0.0.1"},
	/* the standard's header */
	{FWD("for=192.0.2.1"), "192.0.2.1"},
	{FWD("For=\"192.0.2.1:4711\""), "192.0.2.1"},
	{FWD("for=\"[2001:db8::1]:_port\""), "2001:db8::1"},
	{FWD("for=\"[2001:db8::1]\";proto=https;by=10.0.0.1"), "2001:db8::1"},
	{FWD("proto=https; host=\"a;for=203.0.113.9,b\" ; FOR=192.0.2.1"), "192.0.2.1"},
	{FWD("for=203.0.113.9, for=192.0.2.1;by=x, for=10.0.0.2"), "192.0.2.1"},
	{FWD("for=203.0.113.9") FWD("for=192.0.2.1,for=\"10.0.0.2:1\""), "192.0.2.1"},
	{FWD("for=192.0.2.1, for=_hidden"), "10.0.0.1"},
	{FWD("for=192.0.2.1, for=unknown;by=10.0.0.1"), "10.0.0.1"},
	{FWD("for=192.0.2.1, by=10.0.0.2"), "10.0.0.1"},
	{FWD("for=192.0.2.1, for=10.0.0.2;for=10.0.0.3"), "10.0.0.1"},
	{FWD("for=192.0.2.1, for=\"\""), "10.0.0.1"},
	{FWD("for=192.0.2.1, for="), "10.0.0.1"},
	{FWD("for=192.0.2.1, for=\""), "10.0.0.1"},
	{FWD("for=192.0.2.1, for=\"10.0.0.2"), "10.0.0.1"},
	{FWD("for=192.0.2.1, for=\"10.0.0.\\2\""), "10.0.0.1"},
	{FWD("for=192.0.2.1, for = 10.0.0.2"), "10.0.0.1"},
	{FWD("for=192.0.2.1, 10.0.0.2"), "10.0.0.1"},
	{FWD(";;;"), "10.0.0.1"},
	/* what a client wrote cannot reach what a proxy wrote behind it */
	{FWD("for=\", for=192.0.2.1"), "192.0.2.1"},
	{FWD("for=\"\\, for=192.0.2.1"), "192.0.2.1"},
	{FWD("for=\"a\\\"\", for=192.0.2.1"), "192.0.2.1"},
	{FWD("x=\"\\\\\\\", for=192.0.2.1"), "192.0.2.1"},
	{FWD("for=10.0.0.9;x=\"") FWD("for=192.0.2.1"), "192.0.2.1"},
	{XFF("\", 192.0.2.1"), "192.0.2.1"},
	/* both: the one that proxies write */
	{FWD("for=203.0.113.9") XFF("192.0.2.1"), "192.0.2.1"},
	{XFF("192.0.2.1") FWD("for=203.0.113.9"), "192.0.2.1"},
	{XFF("unknown") FWD("for=203.0.113.9"), "10.0.0.1"},
};

static void
test_forwarded(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		expect(rows[i].headers, "10.0.0.1", 2, rows[i].client);
}

/* Strangers are not asked, and nobody is when nobody is trusted. */
static void
test_forwarded_not_trusted(void **state)
{
	(void)state;
	expect(XFF("203.0.113.9"), "192.0.2.1", 2, "192.0.2.1");
	expect(FWD("for=203.0.113.9"), "11.0.0.1", 2, "11.0.0.1");
	expect(XFF("203.0.113.9"), "10.0.0.1", 0, "10.0.0.1");
	expect(XFF("203.0.113.9"), "2001:db8:ffff::1", 2, "203.0.113.9");
	expect(XFF("203.0.113.9"), "2001:db8:ffff::1", 1, "2001:db8:ffff::1");
}

/* A unix socket has no address: who is behind it is trusted as soon as anybody is. */
static void
test_forwarded_without_address(void **state)
{
	(void)state;
	expect(XFF("192.0.2.1"), NULL, 2, "192.0.2.1");
	expect(XFF("192.0.2.1"), NULL, 0, "::");
	expect(XFF("192.0.2.1, 10.0.0.2"), NULL, 2, "192.0.2.1");
	expect("", NULL, 2, "::");
	expect(XFF("what"), NULL, 2, "::");
}

/* On behalf of another: whatever the header says, if who sent it is trusted. */
static bool
is_forwarded(const char *headers, const char *peer, size_t count)
{
	struct address address = read_peer(peer);

	return forwarded_is(read_head(headers), &address, trusted, count);
}

static void
test_forwarded_is(void **state)
{
	static const char *const headers[] = {XFF("192.0.2.1"), XFF("10.0.0.1"), XFF("unknown"),
					      XFF(""), FWD("for=_hidden"), FWD("by=10.0.0.1")};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		assert_true(is_forwarded(headers[i], "10.0.0.1", 2));
		assert_true(is_forwarded(headers[i], NULL, 1));
		assert_false(is_forwarded(headers[i], NULL, 0));
		assert_false(is_forwarded(headers[i], "192.0.2.1", 2));
	}
	assert_false(is_forwarded("", "10.0.0.1", 2));
	assert_false(is_forwarded("X-Forwarded-Proto: https\r\n", "10.0.0.1", 2));
}

/* Thousands of trusted hops are not walked through. */
static void
test_forwarded_bounded(void **state)
{
	static char text[64 << 10];
	struct address client;
	size_t n = 0;

	(void)state;
	n += (size_t)snprintf(text, sizeof text, "X-Forwarded-For: 192.0.2.1");
	for (int i = 0; i < 4000; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, ", 10.0.0.2");
	snprintf(text + n, sizeof text - n, "\r\n");
	client = client_of(text, "10.0.0.1", 2);
	assert_true(cidr_has(&trusted[0], &client));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forwarded),
		cmocka_unit_test(test_forwarded_not_trusted),
		cmocka_unit_test(test_forwarded_without_address),
		cmocka_unit_test(test_forwarded_is),
		cmocka_unit_test(test_forwarded_bounded),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
