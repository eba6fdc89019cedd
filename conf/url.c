/*
 *     http://example.org:8080/path?query
 *            └─ host ──┘ port
 *            └── authority ─┘└─ target ─┘
 *
 * Strict: what is accepted here goes onto the wire as it is, so nothing is decoded, completed or
 * corrected. Hosts are names, dotted IPv4 addresses or IPv6 addresses in brackets; the many other
 * ways to write an IPv4 address ("127.1", "0x7f000001") are refused, lest the check of networks and
 * the resolver read them differently. A fragment is never sent and hence a mistake; a user and
 * password have a place of their own, auth.
 */
#include "conf/url.h"

#include "proto/cidr.h"

static const struct scheme {
	const char *prefix;
	bool https;
	int port;
} schemes[] = {{"http://", false, 80}, {"https://", true, 443}};

static const char bad_host[] = "has a host that is neither a name nor an address";

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_name_byte(char c)
{
	return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '-' ||
	    c == '_';
}

static struct slice
from(struct slice s, size_t n)
{
	return (struct slice){s.p + n, s.n - n};
}

static const struct scheme *
find_scheme(struct slice text)
{
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		struct slice prefix = slice_of(schemes[i].prefix);

		if (text.n >= prefix.n && slice_is_nocase((struct slice){text.p, prefix.n}, prefix))
			return &schemes[i];
	}
	return NULL;
}

/* True when resolvers may take the label, the last of a name, for part of an IPv4 address. */
static bool
is_numeric(struct slice label)
{
	size_t i = 0;

	if (label.n >= 2 && label.p[0] == '0' && ascii_lower(label.p[1]) == 'x')
		return true;
	while (i < label.n && is_digit(label.p[i]))
		i++;
	return i == label.n;
}

/* Labels of 1 to 63 letters, digits, '-' and '_', with dots between them. */
static bool
is_host(struct slice host)
{
	struct address address;
	size_t label = 0;

	if (host.n == 0 || host.n > 253)
		return false;
	for (size_t i = 0; i <= host.n; i++) {
		if (i < host.n && host.p[i] != '.') {
			if (!is_name_byte(host.p[i]))
				return false;
			continue;
		}
		if (i == label || i - label > 63)
			return false;
		if (i < host.n)
			label = i + 1;
	}
	return !is_numeric(from(host, label)) || address_parse(host, &address);
}

/* Takes the host off the authority; *rest is what is behind it. */
static const char *
take_host(struct slice authority, struct slice *host, struct slice *rest)
{
	struct address address;
	const char *end;

	if (authority.n > 0 && authority.p[0] == '[') {
		end = memchr(authority.p, ']', authority.n);
		if (end == NULL)
			return "has a bracket without its partner";
		*host = (struct slice){authority.p + 1, (size_t)(end - authority.p) - 1};
		*rest = from(authority, host->n + 2);
		if (memchr(host->p, ':', host->n) == NULL || !address_parse(*host, &address))
			return "has no IPv6 address in its brackets";
		return NULL;
	}
	end = authority.n == 0 ? NULL : memchr(authority.p, ':', authority.n);
	*host = authority;
	if (end != NULL)
		host->n = (size_t)(end - authority.p);
	*rest = from(authority, host->n);
	return is_host(*host) ? NULL : bad_host;
}

/* text is empty, or ':' and a port. */
static const char *
take_port(struct slice text, int *port)
{
	int value = 0;

	if (text.n == 0)
		return NULL;
	if (text.p[0] != ':')
		return bad_host;
	if (text.n < 2 || text.n > 6)
		return "has no port from 1 to 65535 behind the colon";
	for (size_t i = 1; i < text.n; i++) {
		if (!is_digit(text.p[i]))
			return "has no port from 1 to 65535 behind the colon";
		value = value * 10 + text.p[i] - '0';
	}
	if (value < 1 || value > 65535)
		return "has no port from 1 to 65535 behind the colon";
	*port = value;
	return NULL;
}

static const char *
split_authority(struct slice authority, struct url *url)
{
	int own_port = url->port;
	const char *wrong;
	struct slice rest;

	if (authority.n > 0 && memchr(authority.p, '@', authority.n) != NULL)
		return "has a user in it; put credentials into auth";
	wrong = take_host(authority, &url->host, &rest);
	if (wrong != NULL)
		return wrong;
	wrong = take_port(rest, &url->port);
	url->authority = authority;
	if (url->port == own_port)
		url->authority.n -= rest.n;
	return wrong;
}

static const char *
check_bytes(struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] <= ' ' || text.p[i] > '~')
			return "has a space, a control character or a letter that is not ASCII";
		if (text.p[i] == '#')
			return "has a fragment (#), which is never sent";
	}
	return NULL;
}

const char *
url_parse(struct slice text, struct url *url)
{
	const struct scheme *scheme = find_scheme(text);
	const char *wrong = check_bytes(text);
	struct slice rest;
	size_t n = 0;

	if (wrong != NULL)
		return wrong;
	if (scheme == NULL)
		return "must begin with http:// or https://";
	rest = from(text, strlen(scheme->prefix));
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	url->https = scheme->https;
	url->port = scheme->port;
	url->target = n == rest.n ? SLICE("/") : from(rest, n);
	if (url->target.p[0] == '?')
		return "has a query without a path; write / before the ?";
	return split_authority((struct slice){rest.p, n}, url);
}
