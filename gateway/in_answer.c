/*
 * Replies as bytes: written to the socket at once where the kernel takes them, kept in the
 * connection while the turn is not committed.
 */
#include "gateway/in_parts.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "gateway/log.h"
#include "gateway/turn.h"

const char *
in_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {{200, "OK"}, {201, "Created"}, {202, "Accepted"}, {400, "Bad Request"},
	    {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"},
	    {405, "Method Not Allowed"}, {408, "Request Timeout"}, {413, "Content Too Large"},
	    {417, "Expectation Failed"}, {429, "Too Many Requests"},
	    {431, "Request Header Fields Too Large"}, {500, "Internal Server Error"},
	    {503, "Service Unavailable"}};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "Status";
}

/* ---- bytes to the socket ----------------------------------------------------------------- */

/* Closing with bytes unread would reset the connection under the answer: the writing half is
 * closed, and for a while what comes is dropped. */
static void
linger(struct in_conn *c)
{
	shutdown(c->fd, SHUT_WR);
	if (c->eof) {
		in_close(c);
		return;
	}
	in_enter(c, IN_LINGER);
	in_read_on(c, true);
}

static void
put_out(struct in_conn *c, const char *p, size_t n)
{
	ssize_t sent = c->out.n > 0 ? 0 : send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		in_close(c);
		return;
	}
	if (sent < 0)
		sent = 0;
	buf_put(&c->out, p + sent, n - (size_t)sent);
	if (c->out.failed)
		in_close(c);
	else if (c->out.n > 0)
		in_write_on(c, true);
}

/* Sends an answer. Who reads requests goes on by itself, unless the state has become another. */
static void
send_answer(struct in_conn *c, const char *p, size_t n)
{
	put_out(c, p, n);
	if (c->state == IN_CLOSED)
		return;
	if (c->out.n > 0)
		in_enter(c, IN_ANSWER);
	else if (c->close)
		linger(c);
}

void
in_flush(struct in_conn *c)
{
	ssize_t n = send(c->fd, c->out.p, c->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		in_close(c);
		return;
	}
	in_write_on(c, true);
	if (n < 0)
		return;
	buf_drop(&c->out, (size_t)n);
	if (c->out.n > 0) {
		in_rearm(c); /* slow, but it reads */
		return;
	}
	buf_free(&c->out);
	in_write_on(c, false);
	if (c->state == IN_BODY)
		in_go_on_later(c); /* it was a 100 Continue; some of the body may have come */
	else if (c->close)
		linger(c);
	else
		in_resume(c);
}

void
in_send_continue(struct in_conn *c)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	put_out(c, text, sizeof text - 1);
}

/* ---- replies to bytes -------------------------------------------------------------------- */

static void
write_head(struct buf *b, const struct in_reply *reply, bool close)
{
	buf_puts(b, "HTTP/1.1 ");
	buf_put_number(b, (uint64_t)reply->status);
	buf_putc(b, ' ');
	buf_puts(b, in_status_text(reply->status));
	if (reply->body->n > 0) {
		buf_puts(b, "\r\nContent-Type: ");
		buf_puts(b,
		    reply->content_type == NULL ? "application/json" : reply->content_type);
	}
	buf_puts(b, "\r\nContent-Length: ");
	buf_put_number(b, reply->body->n);
	buf_puts(b, "\r\n");
	buf_puts(b, reply->headers);
	buf_puts(b, close ? "Connection: close\r\n\r\n" : "\r\n");
}

static void
write_reply(struct in_conn *c, const struct in_reply *reply, bool head_only)
{
	c->close = c->close || reply->close || c->listener->gone || in.draining;
	buf_clear(&in.wire);
	write_head(&in.wire, reply, c->close);
	if (!head_only)
		buf_put_slice(&in.wire, buf_slice(reply->body));
	if (reply->body->failed || in.wire.failed) {
		/* Half an answer would be worse than none. */
		c->close = true;
		buf_clear(&in.wire);
		buf_puts(&in.wire, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n"
				   "Connection: close\r\n\r\n");
	}
}

void
in_reply_now(struct in_conn *c, const struct in_reply *reply, bool head_only)
{
	write_reply(c, reply, head_only);
	send_answer(c, in.wire.p, in.wire.n);
}

void
in_reply_keep(struct in_conn *c, const struct in_reply *reply, bool head_only)
{
	write_reply(c, reply, head_only);
	c->bare = reply->body->n == 0;
	c->answer_n = 0;
	if (in.wire.n <= sizeof c->answer) {
		memcpy(c->answer, in.wire.p, in.wire.n);
		c->answer_n = in.wire.n;
	} else {
		buf_put(&c->out, in.wire.p, in.wire.n);
	}
}

static void
log_refused(const struct in_conn *c, int status, const char *error)
{
	log_begin(LOG_LEVEL_INFO, "alert.rejected", "%s", error);
	log_address("client.ip", &c->peer);
	log_number("http.response.status_code", status);
	log_outcome(false);
	log_end();
}

void
in_refuse(struct in_conn *c, int status, const char *error)
{
	struct in_reply reply = {.status = status, .body = &in.body, .close = true};

	buf_clear(&in.body);
	if (!c->bare)
		buf_printf(&in.body, "{\"detail\": \"%s\"}", error);
	log_refused(c, status, error);
	in_reply_now(c, &reply, false);
	if (c->state != IN_CLOSED)
		buf_free(&c->in); /* nothing behind the fault is a request */
}

void
in_detail(struct in_request *request, int status, const char *detail)
{
	request->reply.status = status;
	buf_clear(request->reply.body);
	buf_printf(request->reply.body, "{\"detail\": \"%s\"}", detail);
	if (status == 503)
		snprintf(request->reply.headers, sizeof request->reply.headers,
		    "Retry-After: 5\r\n");
}

void
in_unserved(struct in_request *request, bool bare)
{
	static const char why[] = "The gateway is stopping.";

	in_detail(request, 503, why);
	if (bare)
		buf_clear(request->reply.body);
	log_refused(request->conn, 503, why);
}

/* ---- parked and put off ------------------------------------------------------------------ */

static void
keep_unavailable(struct in_conn *c)
{
	struct in_reply reply = {.status = 503, .body = &in.body, .headers = "Retry-After: 5\r\n"};

	buf_free(&c->out);
	buf_clear(&in.body);
	if (!c->bare)
		buf_puts(&in.body, "{\"detail\": \"The request could not be stored.\"}");
	in_reply_keep(c, &reply, false);
}

static void
on_commit(void *arg, bool ok)
{
	struct in_conn *c = arg;

	if (c->state == IN_CLOSED)
		return;
	if (!ok)
		keep_unavailable(c);
	if (c->answer_n == 0) {
		in_enter(c, IN_ANSWER); /* it is in `out` already */
		in_flush(c);
		return;
	}
	send_answer(c, c->answer, c->answer_n);
	if (c->state == IN_PARKED)
		in_resume(c);
}

void
in_park(struct in_request *request)
{
	assert(request->conn->state == IN_IDLE);
	if (turn_after_commit(on_commit, request->conn))
		in_enter(request->conn, IN_PARKED);
	else
		in_detail(request, 503, "The request could not be stored.");
}

struct in_conn *
in_defer(struct in_request *request, void (*gone)(void *), void *arg)
{
	assert(request->conn->state == IN_IDLE && request->conn->gone == NULL);
	request->conn->gone = gone;
	request->conn->gone_arg = arg;
	request->conn->head_only = slice_is(request->head->method, SLICE("HEAD"));
	in_enter(request->conn, IN_PARKED);
	request->reply.status = 0;
	return request->conn;
}

void
in_answer(struct in_conn *c, int status, struct slice body)
{
	struct in_reply reply = {.status = status, .body = &in.body};

	assert(c->state == IN_PARKED);
	c->gone = NULL;
	buf_clear(&in.body);
	buf_put_slice(&in.body, body);
	if (status == 503)
		snprintf(reply.headers, sizeof reply.headers, "Retry-After: 5\r\n");
	in_reply_now(c, &reply, c->head_only);
	if (c->state == IN_PARKED)
		in_resume(c);
}
