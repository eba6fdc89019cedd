/*
 *   1   PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n
 *       PROXY UNKNOWN ...\r\n
 *
 *   2   \r\n\r\n\0\r\nQUIT\n   21   11   length      addresses, ports, more
 *       signature (12)         │    │    2 bytes     `length` bytes
 *                version, command   family, protocol
 */
#include "proto/proxy_header.h"

enum { SIGNATURE = 12, FIXED = 16, VERSION_2 = 0x20, LOCAL = 0, PROXY = 1 };

/* By family and protocol; what is not here a TCP connection cannot be. */
static const struct family {
	uint8_t code;
	size_t n;      /* bytes of addresses and ports */
	size_t client; /* bytes of the client's address, which stands first; 0: none that we know */
} families[] = {
	{0x00, 0, 0},    /* not said */
	{0x11, 12, 4},   /* TCP over IPv4 */
	{0x21, 36, 16},  /* TCP over IPv6 */
	{0x31, 216, 0},  /* a unix stream */
};

/* ---- version 1 --------------------------------------------------------------------------- */

/* Cuts the first word, up to one space, off *rest. */
static struct slice
cut_word(struct slice *rest)
{
	const char *space = rest->n == 0 ? NULL : memchr(rest->p, ' ', rest->n);
	struct slice word = {rest->p, space == NULL ? rest->n : (size_t)(space - rest->p)};
	size_t used = space == NULL ? rest->n : word.n + 1;

	*rest = (struct slice){rest->p + used, rest->n - used};
	return word;
}

static bool
is_port(struct slice text)
{
	unsigned port = 0;

	if (text.n == 0 || text.n > 5 || (text.n > 1 && text.p[0] == '0'))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		port = port * 10 + (unsigned)(text.p[i] - '0');
	}
	return port <= 65535;
}

static bool
is_address(struct slice text, bool v6, struct address *address)
{
	return text.n > 0 && (memchr(text.p, ':', text.n) != NULL) == v6 &&
	       address_parse(text, address);
}

/* The line between "PROXY " and its end. */
static bool
read_line(struct slice line, struct proxy_header *header)
{
	struct slice family = cut_word(&line), from, to, from_port;
	bool v6 = slice_is(family, SLICE("TCP6"));
	struct address other;

	if (slice_is(family, SLICE("UNKNOWN")))
		return true;
	if (!v6 && !slice_is(family, SLICE("TCP4")))
		return false;
	from = cut_word(&line);
	to = cut_word(&line);
	from_port = cut_word(&line);
	header->known = true;
	return is_address(from, v6, &header->client) && is_address(to, v6, &other) &&
	       is_port(from_port) && is_port(line);
}

static int
read_text(struct slice in, struct proxy_header *header)
{
	const struct slice opening = SLICE("PROXY ");
	size_t most = in.n < PROXY_LINE_MAX ? in.n : PROXY_LINE_MAX, n = 0;

	if (memcmp(in.p, opening.p, in.n < opening.n ? in.n : opening.n) != 0)
		return -1;
	while (n < most && in.p[n] != '\r' && in.p[n] != '\n')
		n++;
	if (n + 1 >= in.n && in.n < PROXY_LINE_MAX && (n == in.n || in.p[n] == '\r'))
		return 0;
	if (n + 2 > most || in.p[n] != '\r' || in.p[n + 1] != '\n')
		return -1;
	if (!read_line((struct slice){in.p + opening.n, n - opening.n}, header))
		return -1;
	return (int)n + 2;
}

/* ---- version 2 --------------------------------------------------------------------------- */

static const struct family *
find_family(uint8_t code)
{
	for (size_t i = 0; i < COUNT_OF(families); i++)
		if (families[i].code == code)
			return &families[i];
	return NULL;
}

static void
take_client(const struct family *family, const uint8_t *b, struct proxy_header *header)
{
	header->known = family->client > 0;
	if (family->client == 4)
		header->client = address_ipv4(b);
	else if (header->known)
		memcpy(header->client.b, b, sizeof header->client.b);
}

static int
read_binary(struct slice in, struct proxy_header *header)
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
	const uint8_t *b = (const uint8_t *)in.p;
	const struct family *family;
	size_t length;

	if (memcmp(in.p, signature, in.n < SIGNATURE ? in.n : SIGNATURE) != 0)
		return -1;
	if (in.n < FIXED)
		return 0;
	family = find_family(b[13]);
	length = (size_t)b[14] << 8 | b[15];
	if (length > PROXY_HEADER_MAX - FIXED)
		return -1;
	if (b[12] == (VERSION_2 | PROXY)) {
		if (family == NULL || length < family->n)
			return -1;
		if (in.n >= FIXED + length)
			take_client(family, b + FIXED, header);
	} else if (b[12] != (VERSION_2 | LOCAL)) {
		return -1;
	}
	header->own = b[12] == (VERSION_2 | LOCAL);
	return in.n < FIXED + length ? 0 : (int)(FIXED + length);
}

int
proxy_header_read(struct slice in, struct proxy_header *header)
{
	*header = (struct proxy_header){0};
	if (in.n == 0)
		return 0;
	return in.p[0] == 'P' ? read_text(in, header) : read_binary(in, header);
}
