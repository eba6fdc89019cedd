/*
 * From a name to a request on its way: LOOKUP, CONNECT, SECURE, SEND. Every address is looked at
 * just before it is used, so that a name that changes its addresses gains nothing.
 */
#include "gateway/out_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <sys/socket.h>

#include "gateway/clock.h"
#include "gateway/net.h"

enum { REQUEST_KEPT = 64 << 10 }; /* bytes of memory kept for the next request */

static bool
allowed(const struct address *address)
{
	if (!address_is_special(address))
		return true;
	for (size_t i = 0; i < out_loop.conf->allow_network_count; i++)
		if (cidr_has(&out_loop.conf->allow_networks[i], address))
			return true;
	return false;
}

/* Starts to connect; 0, or -1 when it failed at once. */
static int
open_socket(struct out *o, const struct address *address)
{
	struct sockaddr_storage name;
	socklen_t n = net_sockaddr(address, o->pool->port, &name);
	int on = 1;

	o->fd = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (o->fd < 0)
		return -1;
	setsockopt(o->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(o->fd, (struct sockaddr *)&name, n) == 0)
		return 0;
	return errno == EINPROGRESS ? 0 : -1;
}

/* Tries the next address that may be connected to. Every one is looked at here, just before it is
 * used, so that a name that changes its addresses gains nothing. */
static void
connect_next(struct out *o)
{
	while (o->next_address < o->answer.count) {
		const struct address *address = &o->answer.addresses[o->next_address++];

		if (!allowed(address)) {
			o->blocked = true;
		} else if (open_socket(o, address) == 0) {
			out_enter(o, OUT_CONNECT);
			return;
		} else {
			o->blocked = false;
			out_close_socket(o);
		}
	}
	out_fail(o, o->blocked ? REASON_BLOCKED_ADDRESS : REASON_CONNECT_FAILED);
}

void
out_found(struct out *o, enum lookup_result result)
{
	o->attempt->connecting = clock_mono();
	o->attempt->result.lookup = o->attempt->connecting - o->attempt->started;
	if (result == LOOKUP_FOUND)
		connect_next(o);
	else
		out_fail(o, REASON_LOOKUP_FAILED);
}

void
out_on_found(struct lookup_wait *wait, const struct lookup_answer *answer)
{
	struct out *o = (struct out *)((char *)wait - offsetof(struct out, wait));

	if (answer != NULL)
		o->answer = *answer;
	out_found(o, answer != NULL ? LOOKUP_FOUND : LOOKUP_NONE);
}

void
out_step_connect(struct out *o, short what)
{
	socklen_t n = sizeof(int);
	int error = 0;

	(void)what;
	getsockopt(o->fd, SOL_SOCKET, SO_ERROR, &error, &n);
	if (error != 0) {
		out_close_socket(o);
		o->blocked = false;
		connect_next(o);
		return;
	}
	o->attempt->result.connect = clock_mono() - o->attempt->connecting;
	if (stream_open(&o->stream, o->fd, o->pool->peer) != 0) {
		out_fail(o, REASON_TLS_FAILED);
		return;
	}
	out_enter(o, OUT_SECURE);
	out_step(o, EV_WRITE);
}

/* ---- SECURE ------------------------------------------------------------------------------ */

void
out_step_secure(struct out *o, short what)
{
	struct out_attempt *a = o->attempt;
	int result = stream_start(&o->stream);

	(void)what;
	if (result == STREAM_FAILED) {
		a->result.why = o->stream.why;
		out_fail(o, REASON_TLS_FAILED);
		return;
	}
	if (result != 0) {
		out_watch_for(o, result);
		return;
	}
	out_end_handshake(o);
	if (o->pool->peer != NULL)
		a->result.tls = clock_mono() - a->connecting - a->result.connect;
	out_begin_send(o);
}

/* ---- SEND -------------------------------------------------------------------------------- */

/* True when the stream took all; false with the rest in o->send, or after a failure. */
static bool
send_bytes(struct out *o, const char *p, size_t n)
{
	ssize_t sent = stream_write(&o->stream, p, n);

	if (sent == STREAM_FAILED) {
		o->attempt->result.why = o->stream.why;
		out_fail(o, REASON_IO_FAILED);
		return false;
	}
	if (sent == STREAM_WANT_READ)
		out_watch_for(o, sent);
	else if (sent < (ssize_t)n)
		out_enter(o, OUT_SEND); /* to be told of room for more, and of an early answer */
	if (sent < 0)
		sent = 0;
	if (p == o->send.p)
		buf_drop(&o->send, (size_t)sent);
	else
		buf_put(&o->send, p + sent, n - (size_t)sent);
	if (o->send.failed)
		out_fail(o, REASON_IO_FAILED);
	return o->state == OUT_SEND && o->send.n == 0;
}

/* Head and body go out together: one write, one TLS record where they fit. */
static bool
send_first(struct out *o)
{
	static struct buf request = {.ceiling = OUT_REQUEST_MAX, .secret = true};
	struct slice body = {NULL, 0};
	bool all = false;

	buf_clear(&request);
	if (o->attempt->fill(o->attempt, &request, &body))
		buf_put_slice(&request, body);
	else
		request.failed = true;
	if (request.failed)
		out_fail(o, REASON_IO_FAILED);
	else
		all = send_bytes(o, request.p, request.n);
	sodium_memzero(request.p, request.n); /* it may hold a password */
	if (request.room > REQUEST_KEPT)
		buf_free(&request);
	return all;
}

/* Bytes before the request is through: an interim answer, or a final one; in the latter case the
 * connection is not kept. A TLS stream may also have had something to say to itself. */
static void
read_early(struct out *o)
{
	ssize_t n = stream_read(&o->stream, out_loop.shared, OUT_READ_MOST);

	if (n == STREAM_WANT_READ || n == STREAM_WANT_WRITE)
		return;
	o->keep = false;
	out_enter(o, OUT_HEAD);
	if (n > 0)
		out_read_head(o, (size_t)n);
	else
		out_read_end(o);
}

void
out_step_send(struct out *o, short what)
{
	bool all;

	if (what & EV_READ) {
		read_early(o);
		if (o->state != OUT_SEND)
			return;
	}
	all = o->attempt->sent == 0 ? send_first(o) : send_bytes(o, o->send.p, o->send.n);
	if (o->state != OUT_SEND)
		return;
	o->attempt->sent = clock_mono();
	if (all) {
		buf_wipe(&o->send);
		o->keep = true;
		out_enter(o, OUT_HEAD);
	}
}

