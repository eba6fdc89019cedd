/*
 * Networks and addresses.
 *
 * All addresses are 16 bytes, IPv4 as ::ffff:a.b.c.d, so one comparison of bits serves both kinds.
 * They stay apart all the same: an IPv4 address is only in networks that were written as IPv4, so
 * that "::/0" does not open 127.0.0.1.
 *
 * What is special is asked the safe way round. Of IPv6 only 2000::/3 is given out, and NAT64's
 * prefix leads out of it; everything else (loopback, unspecified, mapped and compatible forms,
 * unique local, link and site local, multicast, unassigned) is special without being listed. Rows
 * follow IANA's special-purpose address registries.
 */
#include "proto/cidr.h"

#include <arpa/inet.h>

enum { IPV4_OFFSET = 12, IPV4_BITS = 96, TEXT_ROOM = INET6_ADDRSTRLEN };

static const uint8_t ipv4_prefix[IPV4_OFFSET] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static const struct {
	uint8_t net[4];
	int bits;
} ipv4_special[] = {
	{{0, 0, 0, 0}, 8},        /* this network */
	{{10, 0, 0, 0}, 8},       /* private */
	{{100, 64, 0, 0}, 10},    /* CGNAT */
	{{127, 0, 0, 0}, 8},      /* loopback */
	{{169, 254, 0, 0}, 16},   /* link-local; the clouds' metadata */
	{{172, 16, 0, 0}, 12},    /* private */
	{{192, 0, 0, 0}, 24},     /* protocol assignments */
	{{192, 0, 2, 0}, 24},     /* documentation */
	{{192, 88, 99, 0}, 24},   /* 6to4 relays, no longer in use */
	{{192, 168, 0, 0}, 16},   /* private */
	{{198, 18, 0, 0}, 15},    /* benchmarks */
	{{198, 51, 100, 0}, 24},  /* documentation */
	{{203, 0, 113, 0}, 24},   /* documentation */
	{{224, 0, 0, 0}, 4},      /* multicast */
	{{240, 0, 0, 0}, 4},      /* reserved, broadcast */
};

static const struct cidr ipv6_given_out = {{{0x20}}, 3};
static const struct cidr ipv6_nat64 = {{{0x00, 0x64, 0xff, 0x9b}}, 96};
static const struct cidr ipv6_6to4 = {{{0x20, 0x02}}, 16};

/* Within what is given out. */
static const struct cidr ipv6_special[] = {
	{{{0x20, 0x01, 0x00, 0x00}}, 23}, /* protocol assignments, Teredo among them */
	{{{0x20, 0x01, 0x0d, 0xb8}}, 32}, /* documentation */
	{{{0x3f, 0xff, 0x00, 0x00}}, 20}, /* documentation */
};

/* True if the first `bits` bits are the same. */
static bool
same_prefix(const uint8_t *a, const uint8_t *b, int bits)
{
	size_t whole = (size_t)bits / 8;
	int rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

/* A number of 1 to 3 digits without a leading zero, at most max; -1 for anything else. */
static int
parse_bits(struct slice s, int max)
{
	int bits = 0;

	if (s.n == 0 || s.n > 3 || (s.n > 1 && s.p[0] == '0'))
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		bits = bits * 10 + (s.p[i] - '0');
	}
	return bits <= max ? bits : -1;
}

static bool
is_clear_behind(const struct address *a, int bits)
{
	for (int i = bits; i < 128; i++)
		if ((a->b[i / 8] >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

bool
cidr_parse(struct slice text, struct cidr *out)
{
	const char *slash = text.n == 0 ? NULL : memchr(text.p, '/', text.n);
	struct slice address = {text.p, slash == NULL ? text.n : (size_t)(slash - text.p)};
	int base = text.n > 0 && memchr(text.p, ':', text.n) != NULL ? 0 : IPV4_BITS;
	int bits = 128 - base;

	if (slash != NULL)
		bits = parse_bits((struct slice){slash + 1, text.n - address.n - 1}, bits);
	if (bits < 0 || !address_parse(address, &out->net))
		return false;
	out->bits = base + bits;
	return is_clear_behind(&out->net, out->bits);
}

bool
cidr_has(const struct cidr *c, const struct address *a)
{
	if (c->bits < IPV4_BITS && address_is_ipv4(a))
		return false;
	return same_prefix(c->net.b, a->b, c->bits);
}

bool
address_parse(struct slice text, struct address *out)
{
	char copy[TEXT_ROOM];
	uint8_t four[4];

	if (text.n == 0 || text.n >= sizeof copy || memchr(text.p, '\0', text.n) != NULL)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (inet_pton(AF_INET, copy, four) == 1) {
		*out = address_ipv4(four);
		return true;
	}
	return inet_pton(AF_INET6, copy, out->b) == 1;
}

struct address
address_ipv4(const uint8_t b[4])
{
	struct address a;

	memcpy(a.b, ipv4_prefix, IPV4_OFFSET);
	memcpy(a.b + IPV4_OFFSET, b, 4);
	return a;
}

bool
address_is_ipv4(const struct address *a)
{
	return memcmp(a->b, ipv4_prefix, IPV4_OFFSET) == 0;
}

/* Written out, since every line about an alert has one and inet_ntop() takes as long as the line.
 * */
static void
ipv4_text(const uint8_t b[4], char *out)
{
	for (int i = 0; i < 4; i++) {
		if (b[i] >= 100)
			*out++ = (char)('0' + b[i] / 100);
		if (b[i] >= 10)
			*out++ = (char)('0' + b[i] / 10 % 10);
		*out++ = (char)('0' + b[i] % 10);
		*out++ = i < 3 ? '.' : '\0';
	}
}

void
address_text(const struct address *a, char out[TEXT_ROOM])
{
	/* Cannot fail: both families are known and the room is for the longest text. */
	if (address_is_ipv4(a))
		ipv4_text(a->b + IPV4_OFFSET, out);
	else
		(void)inet_ntop(AF_INET6, a->b, out, TEXT_ROOM);
}

bool
address_is_none(const struct address *a)
{
	static const struct address none;

	return memcmp(a, &none, sizeof none) == 0;
}

bool
address_is_loopback(const struct address *a)
{
	static const struct address six = {{[15] = 1}};

	return memcmp(a, &six, sizeof six) == 0 ||
	       (address_is_ipv4(a) && a->b[IPV4_OFFSET] == 127);
}

static bool
is_special_ipv4(const uint8_t *b)
{
	for (size_t i = 0; i < COUNT_OF(ipv4_special); i++)
		if (same_prefix(ipv4_special[i].net, b, ipv4_special[i].bits))
			return true;
	return false;
}

bool
address_is_special(const struct address *a)
{
	if (address_is_ipv4(a))
		return is_special_ipv4(a->b + IPV4_OFFSET);
	if (cidr_has(&ipv6_nat64, a))
		return is_special_ipv4(a->b + IPV4_OFFSET);
	if (cidr_has(&ipv6_6to4, a))
		return is_special_ipv4(a->b + 2);
	if (!cidr_has(&ipv6_given_out, a))
		return true;
	for (size_t i = 0; i < COUNT_OF(ipv6_special); i++)
		if (cidr_has(&ipv6_special[i], a))
			return true;
	return false;
}
