/*
 * The beginning of a connection, each step where its listener asks for it:
 *
 *     accepted ──▶ PROXY ──▶ SECURE ──▶ IDLE
 *                  a header  a handshake
 *
 * The PROXY header is looked at before it is taken out of the socket, since what follows it belongs
 * to TLS or HTTP. Handshakes cost more than anything else that a stranger can ask for: when those
 * of a turn have had their time, the others wait for the next one, in the socket, so that requests
 * are answered in between; and only so many are in progress, of which a new one ends the oldest.
 */
#include "gateway/in_parts.h"

#include <errno.h>
#include <sys/socket.h>

#include "gateway/clock.h"
#include "gateway/log.h"
#include "gateway/tls.h"
#include "proto/proxy_header.h"

enum { SECURE_US = 2000, SECURE_MOST = 1024 };

/* Not worth more than a line for who looks for it, unless it is our fault: anybody can make as many
 * of them as he likes. */
void
in_dismiss(struct in_conn *c, enum metrics_refusal refusal, const char *why)
{
	metrics_refused(refusal);
	log_begin(c->stream.lacking ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "alert.rejected", "%s",
	    c->state == IN_PROXY ? "a connection did not begin with a PROXY header"
				 : "a TLS handshake failed");
	log_text("error.message", slice_of(why));
	log_address("client.ip", &c->peer);
	log_text("server.address", slice_of(c->listener->socket.text));
	log_outcome(false);
	log_end();
	in_close(c);
}

/* ---- PROXY ------------------------------------------------------------------------------- */

/* Takes `n` bytes that were looked at out of the socket. */
static void
skip(struct in_conn *c, size_t n)
{
	if (recv(c->fd, in.shared, n, 0) != (ssize_t)n)
		in_close(c); /* they were there: cannot be */
}

static void
read_failed(struct in_conn *c)
{
	if (errno == EAGAIN || errno == EINTR)
		return;
	stream_broke(&c->stream);
	in_lose(c, c->stream.lacking);
}

static void
read_proxy(struct in_conn *c)
{
	size_t kept = c->in.n;
	ssize_t n = recv(c->fd, in.shared, PROXY_HEADER_MAX - kept, MSG_PEEK);
	struct proxy_header header;
	int used;

	if (n <= 0) {
		if (n == 0)
			in_close(c);
		else
			read_failed(c);
		return;
	}
	buf_put(&c->in, in.shared, (size_t)n);
	used = c->in.failed ? -1 : proxy_header_read(buf_slice(&c->in), &header);
	if (used < 0) {
		in_dismiss(c, METRICS_BAD_REQUEST, "something else came");
		return;
	}
	skip(c, used > 0 ? (size_t)used - kept : (size_t)n);
	if (used == 0 || c->state == IN_CLOSED)
		return;
	buf_free(&c->in);
	if (header.known)
		c->peer = c->client = header.client;
	c->nameless = !header.known && !header.own;
	in_begin(c);
}

/* ---- SECURE ------------------------------------------------------------------------------ */

static void
shake_hands(struct in_conn *c)
{
	int64_t from;
	int result;

	if (in.secure_us >= SECURE_US)
		return; /* the socket stays readable */
	from = clock_mono();
	result = stream_start(&c->stream);
	in.secure_us += clock_mono() - from;
	if (result == STREAM_FAILED) {
		in_dismiss(c, METRICS_BAD_REQUEST, c->stream.why);
		return;
	}
	in_write_on(c, result == STREAM_WANT_WRITE);
	if (result == 0)
		in_enter(c, IN_IDLE);
}

/* The stream begins here, behind the PROXY header if there is one. */
void
in_begin(struct in_conn *c)
{
	if (in.counts[IN_SECURE] >= SECURE_MOST)
		in_dismiss(TAILQ_FIRST(&in.lists[IN_SECURE]), METRICS_CONNECTIONS,
		    "there were too many at a time");
	if (stream_accept(&c->stream, c->fd, c->listener->tls) != 0)
		in_lose(c, true);
	else
		in_enter(c, c->listener->tls == NULL ? IN_IDLE : IN_SECURE);
}

void
in_open(struct in_conn *c)
{
	if (c->state == IN_PROXY)
		read_proxy(c);
	else
		shake_hands(c);
}
