/*
 * From bytes to requests. take() reads some from one run of bytes, which is the shared buffer or
 * the connection's own, until one is incomplete, large, parked, or its answer is stuck; the rest is
 * kept in the connection. A body that comes in chunks is decoded in place behind its head.
 */
#include "gateway/in_parts.h"

#include "gateway/clock.h"
#include "gateway/turn.h"
#include "proto/forwarded.h"

enum { KEPT_MOST = 16 };   /* requests of one connection at a time */
enum { LARGE = 8 << 10 };  /* of a body: 4 000 values at the most, or a quarter of a millisecond */

static const char too_large[] = "The body is too large.";

/* Reads a request's head; static, as it is large and only one request is read at a time. */
static struct http_head head;

static void
refuse_head(struct in_conn *c, int status)
{
	in_refuse(c, status,
	    status == 431   ? "The header block is too large."
	    : status == 417 ? "The expectation cannot be met."
			    : "The request is not valid HTTP/1.1.");
}

static bool
wants_bare(void)
{
	return in.bare != NULL && in.bare(&head);
}

/* From this machine for certain: by a listener that only it reaches, and not by a balancer or
 * a proxy on behalf of another, whoever that is said to be, or if nobody is named. */
static bool
is_local(const struct in_conn *c)
{
	return c->listener->socket.local && !c->nameless &&
	       !forwarded_is(&head, &c->peer, in.trusted, in.trusted_count) &&
	       (address_is_none(&c->peer) || address_is_loopback(&c->peer));
}

static void
handle(struct in_conn *c, char *body, size_t n)
{
	struct in_request request = {.conn = c,
	    .surfaces = c->listener->surfaces,
	    .local = is_local(c),
	    .peer = c->client,
	    .head = &head,
	    .body = body,
	    .body_n = n,
	    .reply = {.status = 500, .body = &in.body}};
	bool head_only = slice_is(head.method, SLICE("HEAD")), waited = c->state == IN_PARKED;

	c->close = !head.keep_alive;
	c->scanned = 0;
	buf_clear(&in.body);
	in_enter_anew(c, IN_IDLE); /* the next head's deadline is its own */
	if (!waited)
		c->asked = c->since;
	c->method = metrics_method(head.method);
	if (in.turning_away)
		in_unserved(&request, wants_bare());
	else
		in.handler(&request);
	c->route = request.route;
	turn_charge(n + 256);
	if (request.reply.status == 0)
		return; /* put off */
	if (c->state == IN_PARKED)
		in_reply_keep(c, &request.reply, head_only);
	else
		in_reply_now(c, &request.reply, head_only);
}

/* May this connection's next request be read now? */
static bool
ready(const struct in_conn *c)
{
	return c->state == IN_IDLE || c->state == IN_HEAD;
}

static bool
is_shared(const char *data)
{
	return data >= in.shared && data < in.shared + sizeof in.shared;
}

/* Removes n bytes from the front of c->in. Empty, it costs nothing, and its ceiling may sink. */
static void
drop(struct in_conn *c, size_t n)
{
	buf_drop(&c->in, n);
	if (c->in.n > 0)
		return;
	buf_free(&c->in);
	c->in.ceiling = in_kept_most();
}

/* Keeps the last n bytes, which start at data. */
static void
keep(struct in_conn *c, const char *data, size_t n)
{
	if (is_shared(data))
		buf_put(&c->in, data, n);
	else
		drop(c, c->in.n - n);
	if (c->in.failed)
		in_refuse(c, 503, in_no_memory);
}

/* ---- bodies that come bit by bit --------------------------------------------------------- */

/* Decodes what came; 1: complete, 0: more to come, -1: refused. */
static int
decode_chunks(struct in_conn *c)
{
	char *at = c->in.p + c->head_n + c->body_n;
	size_t n = c->in.n - c->head_n - c->body_n, out = 0;
	bool done = false;
	int used = http_chunks_read(&c->chunks, at, n, &out, &done);

	if (used < 0) {
		in_refuse(c, 400, "The chunked body is not valid.");
		return -1;
	}
	if (c->body_n + out > c->body_most) {
		in_refuse(c, 413, too_large);
		return -1;
	}
	memmove(at + out, at + used, n - (size_t)used);
	c->in.n -= (size_t)used - out;
	c->body_n += out;
	return done ? 1 : 0;
}

void
in_take_whole(struct in_conn *c)
{
	size_t scanned = 0;

	/* The limit may have become lower since then. */
	if (http_read_request(buf_slice(&c->in), c->head_n, &scanned, &head) <= 0) {
		in_close(c); /* cannot be */
		return;
	}
	handle(c, c->in.p + c->head_n, c->body_n);
	if (c->state == IN_CLOSED)
		return;
	drop(c, c->head_n + c->body_n);
	c->head_n = c->body_n = 0;
	if (ready(c))
		in_resume(c);
}

/* What is there whole waits for its turn, untimed. */
static void
queue(struct in_conn *c)
{
	c->asked = clock_mono();
	in_enter(c, IN_PARKED);
	in_wait(c, &in.large);
}

/* Goes on with the body of the request whose head stands at the front of c->in. */
static void
take_body(struct in_conn *c)
{
	if (c->chunked ? decode_chunks(c) <= 0 : c->in.n - c->head_n < c->body_n)
		return;
	if (c->body_n >= LARGE)
		queue(c);
	else
		in_take_whole(c);
}

/* The head is read; the body is not all there, or large. */
static void
await_body(struct in_conn *c, const char *data, size_t n, size_t used)
{
	bool expects = head.expect_continue && n == used;

	in_enter(c, IN_BODY);
	c->bare = wants_bare();
	c->head_n = used;
	c->chunked = head.chunked;
	c->body_n = head.chunked ? 0 : (size_t)head.length;
	c->body_most = in.limits.body;
	c->chunks = (struct http_chunks){0};
	keep(c, data, n);
	if (c->state == IN_BODY && expects)
		in_send_continue(c);
	if (c->state == IN_BODY && n > used)
		take_body(c);
}

/* ---- requests ---------------------------------------------------------------------------- */

static bool
whole_body(size_t n, size_t used)
{
	return !head.chunked && (head.length <= 0 || (uint64_t)head.length <= n - used);
}

static void
take(struct in_conn *c, char *data, size_t n, int most)
{
	size_t length;
	int used = 0;

	for (int i = 0; n > 0 && i < most && ready(c); i++) {
		c->bare = false;
		c->client = c->peer;
		used = http_read_request((struct slice){data, n}, in.limits.header, &c->scanned,
		    &head);
		if (used < 0) {
			refuse_head(c, -used);
			return;
		}
		if (used == 0) {
			in_enter(c, IN_HEAD);
			break;
		}
		c->client = forwarded_client(&head, c->peer, in.trusted, in.trusted_count);
		if (head.length > (int64_t)in.limits.body) {
			c->bare = wants_bare();
			in_refuse(c, 413, too_large);
			return;
		}
		if (!whole_body(n, (size_t)used) || head.length >= LARGE) {
			await_body(c, data, n, (size_t)used);
			return;
		}
		length = head.length > 0 ? (size_t)head.length : 0;
		handle(c, data + used, length);
		data += (size_t)used + length;
		n -= (size_t)used + length;
	}
	if (c->state == IN_CLOSED || c->state == IN_LINGER)
		return;
	keep(c, data, n);
	if (ready(c) && (used != 0 || n == 0))
		in_resume(c);
	else if (ready(c) && c->eof)
		in_close(c); /* what is there will never be a request */
}

void
in_take_shared(struct in_conn *c, size_t n)
{
	take(c, in.shared, n, 1);
}

void
in_take_kept(struct in_conn *c)
{
	if (c->state == IN_BODY)
		take_body(c);
	else if (ready(c))
		take(c, c->in.p, c->in.n, KEPT_MOST);
	if (c->state == IN_BODY && c->eof)
		in_close(c);
}
