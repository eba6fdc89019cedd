/*
 *	connect ──> start ──> write ──> read ... ──> the answer is whole
 *	   └ the next address where this one refuses
 *
 * The sockets do not block; what would is waited for with poll() until the deadline. A request has
 * a connection of its own and asks for its end, so whatever comes behind the answer is nobody's.
 */
#include "gateway/client.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf/url.h"
#include "gateway/clock.h"
#include "gateway/net.h"
#include "gateway/stream.h"
#include "gateway/tls.h"
#include "proto/http_read.h"

enum { HEAD_MOST = 64 << 10, ANSWER_MOST = 64 << 20, REQUEST_MOST = 1 << 20 };

/* ---- where it is ------------------------------------------------------------------------- */

static bool
refuse(char why[CLIENT_WHY], const char *what, const char *reason)
{
	snprintf(why, CLIENT_WHY, "%.120s: %.120s", what, reason);
	return false;
}

static void
add_address(struct client *client, const void *address, socklen_t n)
{
	if (client->address_count == CLIENT_ADDRESSES)
		return;
	memcpy(&client->addresses[client->address_count], address, n);
	client->lengths[client->address_count++] = n;
}

static bool
at_host(struct client *client, struct slice host, int port, char why[CLIENT_WHY])
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
	char name[256], service[8];
	int rc;

	snprintf(name, sizeof name, "%.*s", (int)host.n, host.p);
	snprintf(service, sizeof service, "%d", port);
	snprintf(client->place, sizeof client->place, "%s", client->authority);
	rc = getaddrinfo(name, service, &hints, &found);
	if (rc != 0)
		return refuse(why, name, gai_strerror(rc));
	for (struct addrinfo *at = found; at != NULL; at = at->ai_next)
		add_address(client, at->ai_addr, at->ai_addrlen);
	freeaddrinfo(found);
	return true;
}

static bool
at_path(struct client *client, struct slice path, char why[CLIENT_WHY])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (path.n == 0 || path.n >= sizeof address.sun_path)
		return refuse(why, "unix:", "the path is missing or too long");
	memcpy(address.sun_path, path.p, path.n);
	add_address(client, &address, sizeof address);
	snprintf(client->authority, sizeof client->authority, "localhost");
	snprintf(client->place, sizeof client->place, "unix:%.*s", (int)path.n, path.p);
	return true;
}

static bool
trust(struct client *client, const struct url *url, char why[CLIENT_WHY])
{
	const struct conf_webhook receiver = {.https = true, .host = url->host};

	client->peer = tls_peer_new(&receiver);
	return client->peer != NULL || refuse(why, "TLS", "the system's authorities are missing");
}

bool
client_at_url(struct client *client, struct slice text, char why[CLIENT_WHY])
{
	const struct slice unix_scheme = SLICE("unix:");
	const char *wrong;
	struct url url;

	if (text.n > unix_scheme.n && memcmp(text.p, unix_scheme.p, unix_scheme.n) == 0)
		return at_path(client,
		    (struct slice){text.p + unix_scheme.n, text.n - unix_scheme.n}, why);
	wrong = url_parse(text, &url);
	if (wrong == NULL && !slice_is(url.target, SLICE("/")))
		wrong = "must not have a path";
	if (wrong != NULL)
		return refuse(why, "the address of the gateway", wrong);
	snprintf(client->authority, sizeof client->authority, "%.*s", (int)url.authority.n,
	    url.authority.p);
	return at_host(client, url.host, url.port, why) &&
	       (!url.https || trust(client, &url, why));
}

/* A listener on all addresses is reached on loopback, where its certificate has no name for it; but
 * the certificate itself is at hand. */
bool
client_at_listener(struct client *client, const struct conf_listener *listener,
    char why[CLIENT_WHY])
{
	struct slice host = listener->host;
	char path[256];

	if (listener->certificate.n > 0) {
		client->peer = tls_peer_known(listener->certificate);
		snprintf(path, sizeof path, "%.*s", (int)listener->certificate.n,
		    listener->certificate.p);
		if (client->peer == NULL)
			return refuse(why, path, "no certificate can be read there");
	}
	if (listener->kind == LISTENER_UNIX)
		return at_path(client, listener->path, why);
	if (host.n == 0 || slice_is(host, SLICE("0.0.0.0")))
		host = SLICE("127.0.0.1");
	else if (slice_is(host, SLICE("::")))
		host = SLICE("::1");
	snprintf(client->authority, sizeof client->authority,
	    memchr(host.p, ':', host.n) == NULL ? "%.*s:%d" : "[%.*s]:%d", (int)host.n, host.p,
	    listener->port);
	return at_host(client, host, listener->port, why);
}

void
client_close(struct client *client)
{
	sodium_memzero(client->token, sizeof client->token);
	tls_peer_free(client->peer);
	tls_forget();
}

/* ---- a connection ------------------------------------------------------------------------ */

struct exchange {
	const struct client *client;
	struct stream stream;
	int fd;
	int64_t deadline; /* mono */
	char *why;
};

static int
fail(struct exchange *x, const char *reason)
{
	refuse(x->why, x->client->place, reason);
	return -1;
}

/* Until the socket can be read or written, whatever want says. */
static int
wait_for(struct exchange *x, int want)
{
	struct pollfd p = {.fd = x->fd, .events = want == STREAM_WANT_READ ? POLLIN : POLLOUT};
	int64_t left = x->deadline - clock_mono();
	int ready = left > 0 ? poll(&p, 1, (int)(left / CLOCK_MS) + 1) : 0;

	if (ready > 0 || (ready < 0 && errno == EINTR))
		return 0;
	return fail(x, ready == 0 ? "there was no answer in time" : strerror(errno));
}

/* What to do about a result of the stream: 0 to try again, -1 to give up. */
static int
go_on(struct exchange *x, ssize_t result)
{
	if (result == STREAM_WANT_READ || result == STREAM_WANT_WRITE)
		return wait_for(x, (int)result);
	if (result == 0)
		return fail(x, "the connection ended early");
	return fail(x, x->stream.why == NULL ? "the connection broke" : x->stream.why);
}

/* 0, or errno. */
static int
connect_to(struct exchange *x, size_t i)
{
	const struct sockaddr *address = (const struct sockaddr *)&x->client->addresses[i];
	socklen_t n = sizeof(int);
	int error = 0;

	x->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (x->fd < 0)
		return errno;
	if (connect(x->fd, address, x->client->lengths[i]) == 0)
		return 0;
	if (errno != EINPROGRESS && errno != EAGAIN)
		error = errno;
	else if (wait_for(x, STREAM_WANT_WRITE) != 0)
		error = ETIMEDOUT;
	else if (getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
		error = errno;
	if (error != 0) {
		close(x->fd);
		x->fd = -1;
	}
	return error;
}

static int
connect_any(struct exchange *x)
{
	int error = EADDRNOTAVAIL;

	for (size_t i = 0; i < x->client->address_count && error != 0; i++)
		error = connect_to(x, i);
	return error == 0 ? 0 : fail(x, strerror(error));
}

static int
start(struct exchange *x)
{
	int result;

	if (connect_any(x) != 0)
		return -1;
	if (stream_open(&x->stream, x->fd, x->client->peer) != 0)
		return fail(x, "no memory");
	while ((result = stream_start(&x->stream)) != 0)
		if (go_on(x, result) != 0)
			return -1;
	return 0;
}

static void
end(struct exchange *x)
{
	stream_end(&x->stream);
	if (x->fd >= 0)
		close(x->fd);
}

/* ---- the request ------------------------------------------------------------------------- */

static void
write_request(struct buf *out, const struct client *client, const struct client_request *request)
{
	buf_printf(out, "%s ", request->method);
	buf_put_slice(out, request->target);
	buf_printf(out, " HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
			"User-Agent: tocsin/" TOCSIN_VERSION "\r\n", client->authority);
	if (client->token[0] != '\0')
		buf_printf(out, "Authorization: Token %s\r\n", client->token);
	if (request->body.n > 0 || strcmp(request->method, "GET") != 0)
		buf_printf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
		    request->body.n);
	buf_puts(out, "\r\n");
	buf_put_slice(out, request->body);
}

static int
send_request(struct exchange *x, const struct client_request *request)
{
	struct buf out;
	ssize_t n;
	int result = 0;

	buf_init_secret(&out, REQUEST_MOST);
	write_request(&out, x->client, request);
	if (out.failed)
		result = fail(x, "the request is too large");
	while (result == 0 && out.n > 0) {
		n = stream_write(&x->stream, out.p, out.n);
		if (n > 0)
			buf_drop(&out, (size_t)n);
		else
			result = go_on(x, n);
	}
	buf_wipe(&out);
	return result;
}

/* ---- the answer -------------------------------------------------------------------------- */

/* More bytes behind what is in the buffer: 1; 0 at the end of the stream. */
static int
read_more(struct exchange *x, struct buf *in)
{
	enum { PART = 65536 };
	char *room = buf_room(in, PART);
	ssize_t n;

	if (room == NULL)
		return fail(x, "the answer is too large");
	while ((n = stream_read(&x->stream, room, PART)) < 0)
		if (go_on(x, n) != 0)
			return -1;
	buf_add(in, (size_t)n);
	return n > 0;
}

/* The head, taken off the buffer; interim ones (1xx) are passed over. The status; its texts are
 * gone. */
static int
read_head(struct exchange *x, struct buf *in, struct http_head *head)
{
	size_t scanned = 0;
	int used, more;

	for (;;) {
		used = http_read_response(buf_slice(in), HEAD_MOST, &scanned, head);
		if (used < 0)
			return fail(x, "the answer is not HTTP");
		if (used > 0)
			buf_drop(in, (size_t)used);
		if (used > 0 && head->status >= 200)
			return head->status;
		more = used > 0 ? 1 : read_more(x, in);
		if (more <= 0)
			return more < 0 ? -1 : fail(x, "the connection ended early");
	}
}

/* Until `length` bytes are there; a negative length: until the stream ends. */
static int
read_plain(struct exchange *x, struct buf *in, int64_t length, struct buf *body)
{
	int more = 1;

	while (more > 0 && (length < 0 || in->n < (uint64_t)length))
		more = read_more(x, in);
	if (more < 0)
		return -1;
	if (length >= 0 && in->n < (uint64_t)length)
		return fail(x, "the connection ended early");
	buf_put(body, in->p, length < 0 ? in->n : (size_t)length);
	return 0;
}

static int
read_chunked(struct exchange *x, struct buf *in, struct buf *body)
{
	struct http_chunks chunks = {0};
	bool done = false;
	size_t out;
	int used, more = 1;

	while (more > 0) {
		used = http_chunks_read(&chunks, in->p, in->n, &out, &done);
		if (used < 0)
			return fail(x, "the answer is not HTTP");
		buf_put(body, in->p, out);
		buf_drop(in, (size_t)used);
		if (done)
			return 0;
		more = read_more(x, in);
	}
	return more < 0 ? -1 : fail(x, "the connection ended early");
}

static int
read_answer(struct exchange *x, struct buf *body)
{
	struct http_head head;
	struct buf in;
	int status, result = 0;

	buf_init(&in, ANSWER_MOST);
	status = read_head(x, &in, &head);
	if (status > 0 && head.chunked)
		result = read_chunked(x, &in, body);
	else if (status > 0 && status != 204 && status != 304)
		result = read_plain(x, &in, head.length, body);
	buf_free(&in);
	if (result == 0 && body->failed)
		result = fail(x, "the answer is too large");
	return result == 0 ? status : -1;
}

int
client_ask(const struct client *client, const struct client_request *request, struct buf *body,
    char why[CLIENT_WHY])
{
	struct exchange x = {.client = client, .fd = -1, .why = why,
	    .deadline = clock_mono() + request->timeout};
	int status = -1;

	buf_clear(body);
	if (start(&x) == 0 && send_request(&x, request) == 0)
		status = read_answer(&x, body);
	end(&x);
	return status;
}
