/* Networks, and the addresses that outgoing connections may not reach (CONTRACT §8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/cidr.h"

static struct address
address(const char *text)
{
	struct address a;

	if (!address_parse(slice_of(text), &a))
		fail_msg("%s", text);
	return a;
}

static void
test_address_text_and_back(void **state)
{
	static const struct {
		const char *in, *out;
		bool ipv4;
	} rows[] = {
		{"127.0.0.1", "127.0.0.1", true},
		{"255.255.255.255", "255.255.255.255", true},
		{"::ffff:10.1.2.3", "10.1.2.3", true},
		{"::ffff:a01:203", "10.1.2.3", true},
		{"::", "::", false},
		{"2001:DB8:0:0::1", "2001:db8::1", false},
		{"1111:2222:3333:4444:5555:6666:7777:8888",
		    "1111:2222:3333:4444:5555:6666:7777:8888", false},
		{"1111:2222:3333:4444:5555:6666:127.127.127.127",
		    "1111:2222:3333:4444:5555:6666:7f7f:7f7f",
		    false},
	};
	char text[46];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct address a = address(rows[i].in);

		address_text(&a, text);
		assert_string_equal(text, rows[i].out);
		assert_int_equal(address_is_ipv4(&a), rows[i].ipv4);
	}
}

static void
test_address_refused(void **state)
{
	static const struct slice rows[] = {
		{NULL, 0}, {"1", 1}, {"1.2.3", 5}, {"1.2.3.4.", 8}, {"1.2.3.256", 9},
		{"01.2.3.4", 8},
		{"0x7f.0.0.1", 10}, {"2130706433", 10}, {" 1.2.3.4", 8}, {"1.2.3.4 ", 8},
		{"1.2.3.4\0", 8}, {"[::1]", 5}, {"fe80::1%eth0", 12}, {"::1::", 5}, {":", 1},
		{"12345::", 7},
		{"localhost", 9}, {"1.2.3.4/8", 9},
		{"11112222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", 54},
	};
	struct address a;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_false(address_parse(rows[i], &a));
}

static void
test_cidr_has(void **state)
{
	static const struct {
		const char *net, *address;
		bool has;
	} rows[] = {
		{"10.0.0.0/8", "10.255.255.255", true},
		{"10.0.0.0/8", "11.0.0.0", false},
		{"10.0.0.0/8", "::ffff:10.0.0.1", true},
		{"10.0.0.0/8", "::10.0.0.1", false},
		{"192.168.64.0/18", "192.168.127.255", true},
		{"192.168.64.0/18", "192.168.128.0", false},
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1", "127.0.0.2", false},
		{"127.0.0.0/31", "127.0.0.1", true},
		{"127.0.0.0/31", "127.0.0.2", false},
		{"0.0.0.0/0", "8.8.8.8", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "2001:db8::1", true},
		{"::/0", "127.0.0.1", false}, /* an IPv6 network does not open IPv4 */
		{"::1", "::1", true},
		{"::1/128", "::2", false},
		{"fd00::/9", "fd7f::", true},
		{"fd00::/9", "fd80::", false},
		{"::ffff:10.0.0.0/104", "10.9.8.7", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct address a = address(rows[i].address);
		struct cidr c;

		assert_true(cidr_parse(slice_of(rows[i].net), &c));
		if (cidr_has(&c, &a) != rows[i].has)
			fail_msg("%s %s", rows[i].net, rows[i].address);
	}
}

static void
test_cidr_bits(void **state)
{
	struct cidr c;

	(void)state;
	assert_true(cidr_parse(SLICE("10.0.0.0/8"), &c));
	assert_int_equal(c.bits, 104);
	assert_true(cidr_parse(SLICE("10.0.0.1"), &c));
	assert_int_equal(c.bits, 128);
	assert_true(cidr_parse(SLICE("fc00::/7"), &c));
	assert_int_equal(c.bits, 7);
}

static void
test_cidr_refused(void **state)
{
	static const char *const rows[] = {
		"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8",
		"10.0.0.0/08",
		"10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0.0/0x8", "10.0.0.0/1000", "::/129", "::/",
		"10.0.0.1/8", "10.0.0.1/31", "128.0.0.0/0", "::1/127", "10/8", "10.0.0.0/255.0.0.0",
		"[::1]/128",
	};
	struct cidr c;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (cidr_parse(slice_of(rows[i]), &c))
			fail_msg("%s", rows[i]);
	assert_false(cidr_parse((struct slice){NULL, 0}, &c));
}

/* First and last of each kind, and the neighbours that are open. */
static void
test_address_is_special(void **state)
{
	static const char *const special[] = {
		"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0",
		"100.127.255.255",
		"127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255",
		"172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.192", "192.0.2.1",
		"192.88.99.1",
		"192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.1",
		"203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::2", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1",
		"::ffff:10.0.0.1",
		"::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254",
		"64:ff9b:1::8.8.8.8", "100::1", "2001::1", "2001:0:808:808::1", "2001:1ff::1",
		"2001:db8::1", "2001:db8:ffff::1", "2002:7f00:1::1", "2002:a00:1::",
		"2002:a9fe:a9fe::1", "2002:c0a8:808::1",
		"3fff::1", "3fff:fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1",
		"febf::1",
		"fec0::1", "ff02::1", "ffff::", "1fff::", "4000::",
	};
	static const char *const open[] = {
		"1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
		"126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255",
		"172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
		"198.20.0.0",
		"223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2001:200::1",
		"2001:4860:4860::8888", "2001:db7::1", "2001:db9::1", "2002:808:808::1", "2a00::1",
		"2606:4700::1111", "3ffe::1", "3fff:1000::1",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(special); i++) {
		struct address a = address(special[i]);

		if (!address_is_special(&a))
			fail_msg("%s", special[i]);
	}
	for (size_t i = 0; i < COUNT_OF(open); i++) {
		struct address a = address(open[i]);

		if (address_is_special(&a))
			fail_msg("%s", open[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_text_and_back),
		cmocka_unit_test(test_address_refused),
		cmocka_unit_test(test_cidr_has),
		cmocka_unit_test(test_cidr_bits),
		cmocka_unit_test(test_cidr_refused),
		cmocka_unit_test(test_address_is_special),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
