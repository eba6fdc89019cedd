/*
 * Replies as bytes: written to the socket at once where the kernel takes them, kept in the
 * connection while the turn is not committed.
 */
#include "gateway/in_parts.h"

#include <assert.h>
#include <stdio.h>

#include "gateway/clock.h"
#include "gateway/log.h"
#include "gateway/turn.h"

enum { RECORDS_MOST = 16 }; /* written to one connection a pass */

static const struct {
	int status;
	const char *text;
} statuses[IN_STATUSES] = {{200, "OK"}, {201, "Created"}, {202, "Accepted"}, {400, "Bad Request"},
    {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
    {408, "Request Timeout"}, {413, "Content Too Large"}, {417, "Expectation Failed"},
    {429, "Too Many Requests"}, {431, "Request Header Fields Too Large"},
    {503, "Service Unavailable"}, {500, "Internal Server Error"}};

size_t
in_status_index(int status)
{
	size_t i = 0;

	while (i < IN_STATUSES - 1 && statuses[i].status != status)
		i++;
	return i;
}

int
in_status_at(size_t index)
{
	return statuses[index].status;
}

/* ---- bytes to the socket ----------------------------------------------------------------- */

/* Closing with bytes unread would reset the connection under the answer: the writing half is
 * closed, and for a while what comes is dropped. */
static void
linger(struct in_conn *c)
{
	stream_finish(&c->stream);
	if (c->eof) {
		in_close(c);
		return;
	}
	in_enter(c, IN_LINGER);
	in_read_on(c, true);
}

/* There is no writing that waits for reading: handshakes do not come twice. */
static bool
is_lost(ssize_t written)
{
	return written == STREAM_FAILED || written == STREAM_WANT_READ;
}

void
in_put_out(struct in_conn *c, const char *p, size_t n)
{
	ssize_t sent = c->out.n > 0 || n == 0 ? 0 : stream_write(&c->stream, p, n);

	if (is_lost(sent)) {
		in_lose(c, c->stream.lacking);
		return;
	}
	if (sent < 0)
		sent = 0;
	buf_put(&c->out, p + sent, n - (size_t)sent);
	if (c->out.failed)
		in_lose(c, true);
	else if (c->out.n > 0)
		in_write_on(c, true);
}

/* Sends an answer. Who reads requests goes on by itself, unless the state has become another. */
static void
send_answer(struct in_conn *c, const char *p, size_t n)
{
	in_put_out(c, p, n);
	if (c->state == IN_CLOSED)
		return;
	if (c->out.n > 0)
		in_enter(c, IN_ANSWER);
	else if (c->close)
		linger(c);
}

/* Offers what waits, piece by piece, as TLS takes one record at a time; closes the connection if it
 * is lost. True if something was taken. */
static bool
write_out(struct in_conn *c)
{
	size_t taken = 0;
	ssize_t n = 0;

	for (int i = 0; i < RECORDS_MOST && taken < c->out.n && n >= 0; i++) {
		n = stream_write(&c->stream, c->out.p + taken, c->out.n - taken);
		taken += n > 0 ? (size_t)n : 0;
	}
	if (is_lost(n))
		in_lose(c, c->stream.lacking);
	else
		buf_drop(&c->out, taken);
	return taken > 0;
}

void
in_flush(struct in_conn *c)
{
	bool taken = write_out(c);

	if (c->state == IN_CLOSED)
		return;
	in_write_on(c, true);
	if (!taken)
		return;
	if (c->out.n > 0) {
		in_enter_anew(c, c->state); /* slow, but it reads */
		return;
	}
	buf_free(&c->out);
	in_write_on(c, false);
	if (c->pieces)
		in_piece_taken(c);
	else if (c->state == IN_BODY)
		in_wait(c, &in.onward); /* it was a 100 Continue; some of the body may have come */
	else if (c->close)
		linger(c);
	else
		in_resume(c);
}

void
in_send_continue(struct in_conn *c)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	in_put_out(c, text, sizeof text - 1);
}

/* ---- replies to bytes -------------------------------------------------------------------- */

static void
write_head(struct buf *b, const struct in_reply *reply, bool close)
{
	buf_puts(b, "HTTP/1.1 ");
	buf_put_number(b, (uint64_t)reply->status);
	buf_putc(b, ' ');
	buf_puts(b, statuses[in_status_index(reply->status)].text);
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

/* What the status says of the request, in the state that the connection is in. */
static enum metrics_refusal
refusal(const struct in_conn *c, const struct in_reply *reply)
{
	switch (reply->status) {
	case 401:
	case 403:
		return METRICS_UNAUTHORIZED;
	case 404:
	case 405:
		return METRICS_NOT_FOUND;
	case 408:
		return c->state == IN_BODY ? METRICS_BODY_TIME : METRICS_HEADER_TIME;
	case 413:
	case 431:
		return METRICS_TOO_LARGE;
	case 429:
		return METRICS_RATE_LIMITED;
	case 503:
		return reply->report ? METRICS_NOT_REFUSED
		       : in.turning_away ? METRICS_DRAINING
				     : METRICS_STORE_FULL;
	default:
		return reply->status < 400 || reply->status >= 500 ? METRICS_NOT_REFUSED
								   : METRICS_BAD_REQUEST;
	}
}

static void
count_answer(const struct in_conn *c)
{
	metrics_answer(c->route, c->method, c->status, clock_mono() - c->asked);
	metrics_refused(c->refusal);
}

/* False: it could not be had, and a 503 without a body stands there. */
static bool
write_reply(struct in_conn *c, const struct in_reply *reply, bool head_only)
{
	c->close = c->close || reply->close || c->listener->gone || in.draining;
	c->status = reply->status;
	c->refusal = refusal(c, reply);
	buf_clear(&in.wire);
	write_head(&in.wire, reply, c->close);
	if (!head_only)
		buf_put_slice(&in.wire, buf_slice(reply->body));
	if (!reply->body->failed && !in.wire.failed)
		return true;
	/* Half an answer would be worse than none. */
	c->close = true;
	c->status = 503;
	buf_clear(&in.wire);
	buf_puts(&in.wire, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
			   "Retry-After: 5\r\nConnection: close\r\n\r\n");
	return false;
}

static void
write_or_tell(struct in_conn *c, const struct in_reply *reply, bool head_only)
{
	if (write_reply(c, reply, head_only))
		return;
	log_begin(LOG_LEVEL_ERROR, "server.warning", "no memory for an answer");
	log_end();
}

void
in_reply_now(struct in_conn *c, const struct in_reply *reply, bool head_only)
{
	write_or_tell(c, reply, head_only);
	send_answer(c, in.wire.p, in.wire.n);
	count_answer(c);
}

/* What is answered with anything but success must not be stored: without the answer, no turn. */
void
in_reply_keep(struct in_conn *c, const struct in_reply *reply, bool head_only)
{
	bool whole = write_reply(c, reply, head_only);

	c->bare = reply->body->n == 0;
	c->answer_at = (uint32_t)in.parked.n;
	c->answer_n = 0;
	if (in.wire.n <= IN_PARKED_EACH && buf_put_all(&in.parked, &in.wire))
		c->answer_n = (uint32_t)in.wire.n;
	else
		buf_put_slice(&c->out, buf_slice(&in.wire));
	if (!whole || c->out.failed)
		turn_fail();
}

const char in_no_memory[] = "There is no memory for the request.";

static void
put_retry_after(struct in_reply *reply)
{
	snprintf(reply->headers, sizeof reply->headers, "Retry-After: 5\r\n");
}

void
in_log_refused(const struct in_conn *c, int status, const char *error, struct slice who)
{
	log_begin(LOG_LEVEL_INFO, "alert.rejected", "%s", error);
	log_text("labels.token", who);
	log_address("client.ip", &c->client);
	log_number("http.response.status_code", status);
	log_outcome(false);
	log_end();
}

void
in_refuse(struct in_conn *c, int status, const char *error)
{
	struct in_reply reply = {.status = status, .body = &in.body, .close = true};

	if (status == 503)
		put_retry_after(&reply);
	c->asked = clock_mono();
	c->route = 0;
	c->method = metrics_no_method();
	buf_clear(&in.body);
	if (!c->bare)
		buf_printf(&in.body, "{\"detail\": \"%s\"}", error);
	in_log_refused(c, status, error, SLICE(""));
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
		put_retry_after(&request->reply);
}

void
in_unavailable(struct in_request *request, const char *detail)
{
	in_detail(request, 503, detail);
	in_log_refused(request->conn, 503, detail, SLICE(""));
}

void
in_unserved(struct in_request *request, bool bare)
{
	in_unavailable(request, "The gateway is stopping.");
	if (bare)
		buf_clear(request->reply.body);
}

/* ---- parked and put off ------------------------------------------------------------------ */

static const char unstored[] = "The request could not be stored.";

static void
keep_unavailable(struct in_conn *c)
{
	struct in_reply reply = {.status = 503, .body = &in.body, .headers = "Retry-After: 5\r\n"};

	buf_free(&c->out);
	buf_clear(&in.body);
	if (!c->bare)
		buf_printf(&in.body, "{\"detail\": \"%s\"}", unstored);
	in_log_refused(c, reply.status, unstored, SLICE(""));
	in_reply_keep(c, &reply, false);
}

void
in_finish(struct in_conn *c, const char *p, size_t n)
{
	send_answer(c, p, n);
	count_answer(c);
	if (c->state == IN_PARKED)
		in_resume(c);
}

static void
answer_parked(struct in_conn *c, bool ok)
{
	if (!ok)
		keep_unavailable(c);
	if (c->answer_n == 0) {
		in_enter(c, IN_ANSWER); /* it is in `out` already */
		count_answer(c);
		in_flush(c);
		return;
	}
	in_finish(c, in.parked.p + c->answer_at, c->answer_n);
}

static void
on_commit(void *arg, bool ok)
{
	struct in_conn *c = arg;

	c->uncommitted = false;
	if (c->state != IN_CLOSED)
		answer_parked(c, ok);
	if (--in.parked_count == 0)
		buf_clear(&in.parked);
}

void
in_park(struct in_request *request)
{
	assert(request->conn->state == IN_IDLE);
	if (!turn_after_commit(on_commit, request->conn)) {
		in_unavailable(request, unstored);
		return;
	}
	in.parked_count++;
	request->conn->uncommitted = true;
	in_enter(request->conn, IN_PARKED);
}

struct in_conn *
in_defer(struct in_request *request, void (*gone)(void *), void *arg)
{
	assert(request->conn->state == IN_IDLE && request->conn->gone == NULL);
	request->conn->gone = gone;
	request->conn->gone_arg = arg;
	request->conn->head_only = slice_is(request->head->method, SLICE("HEAD"));
	request->conn->old = request->head->minor == 0;
	in_enter(request->conn, IN_PARKED);
	request->reply.status = 0;
	return request->conn;
}

void
in_answer(struct in_conn *c, int status, struct buf *body)
{
	struct in_reply reply = {.status = status, .body = body};

	assert(c->state == IN_PARKED);
	c->gone = NULL;
	if (status == 503)
		put_retry_after(&reply);
	write_or_tell(c, &reply, c->head_only);
	in_finish(c, in.wire.p, in.wire.n);
}
