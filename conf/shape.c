/*
 * Texts that end up in headers, addresses, file names and keys of the store are held to what those
 * can carry, here, so that nothing behind the configuration has to look again.
 */
#include "conf/shape.h"

#include "conf/conf.h"
#include "conf/url.h"
#include "proto/utf8.h"

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

const char *
shape_plain(struct slice text, void *object)
{
	(void)object;
	for (size_t at = 0; at < text.n;) {
		uint32_t c = utf8_next(text, &at);

		if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
			return "must not have control characters";
	}
	return NULL;
}

const char *
shape_word(struct slice text, void *object)
{
	(void)object;
	for (size_t i = 0; i < text.n; i++)
		if (!is_alnum(text.p[i]) && text.p[i] != '_' && text.p[i] != '-')
			return "must have letters, digits, - and _ only";
	return NULL;
}

const char *
shape_token(struct slice text, void *object)
{
	(void)object;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~')
			return "must have visible ASCII characters only";
	return NULL;
}

const char *
shape_username(struct slice text, void *object)
{
	if (memchr(text.p, ':', text.n) != NULL)
		return "must not have a colon";
	return shape_plain(text, object);
}

const char *
shape_header_name(struct slice text, void *object)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	(void)object;
	for (size_t i = 0; i < text.n; i++)
		if (!is_alnum(text.p[i]) && memchr(others, text.p[i], sizeof others - 1) == NULL)
			return "is not a header's name";
	return text.n == 0 ? "is not a header's name" : NULL;
}

const char *
shape_header_value(struct slice text, void *object)
{
	(void)object;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < ' ' || text.p[i] > '~')
			return "must have visible ASCII characters and spaces only";
	if (text.n > 0 && (text.p[0] == ' ' || text.p[text.n - 1] == ' '))
		return "must not begin or end with a space";
	return NULL;
}

const char *
shape_public_url(struct slice text, void *object)
{
	struct conf *conf = object;
	const char *wrong;
	struct url url;

	wrong = url_parse(text, &url);
	if (wrong != NULL)
		return wrong;
	if (memchr(text.p, '?', text.n) != NULL)
		return "must not have a query";
	while (text.p[text.n - 1] == '/')
		text.n--;
	conf->public_url = text;
	return NULL;
}

const char *
shape_webhook_url(struct slice text, void *object)
{
	struct conf_webhook *webhook = object;
	const char *wrong;
	struct url url;

	wrong = url_parse(text, &url);
	if (wrong != NULL)
		return wrong;
	webhook->https = url.https;
	webhook->host = url.host;
	webhook->port = url.port;
	webhook->authority = url.authority;
	webhook->target = url.target;
	return NULL;
}

static bool
parse_port(struct slice text, int *port)
{
	*port = 0;
	if (text.n < 1 || text.n > 5)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		*port = *port * 10 + text.p[i] - '0';
	}
	return *port <= 65535;
}

static const char *
shape_unix(struct slice path, struct conf_listener *listener)
{
	if (path.n == 0)
		return "must have a path behind unix:";
	if (path.n > CONF_UNIX_PATH)
		return "must have a path of at most 107 bytes";
	listener->kind = LISTENER_UNIX;
	listener->path = path;
	listener->local = true;
	return shape_plain(path, NULL);
}

/* Numbers only: a name would be looked up at start, and could mean another address each time. */
const char *
shape_listener(struct slice text, void *object)
{
	static const char wrong[] = "must be an address and a port, such as 127.0.0.1:8080, "
				    "[::1]:8080 or :8080; unix: and a path; or systemd";
	const char *colon = memrchr(text.p, ':', text.n);
	struct conf_listener *listener = object;
	struct address address;
	struct slice host;
	bool bracketed;

	if (text.n >= 5 && memcmp(text.p, "unix:", 5) == 0)
		return shape_unix((struct slice){text.p + 5, text.n - 5}, listener);
	if (slice_is(text, SLICE("systemd"))) {
		listener->kind = LISTENER_SYSTEMD;
		return NULL;
	}
	if (colon == NULL)
		return wrong;
	host = (struct slice){text.p, (size_t)(colon - text.p)};
	if (!parse_port((struct slice){colon + 1, text.n - host.n - 1}, &listener->port))
		return wrong;
	bracketed = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
	if (bracketed)
		host = (struct slice){host.p + 1, host.n - 2};
	listener->host = host;
	if (host.n == 0)
		return bracketed ? wrong : NULL;
	if (bracketed != (memchr(host.p, ':', host.n) != NULL) || !address_parse(host, &address))
		return wrong;
	listener->local = address_is_loopback(&address);
	return NULL;
}
