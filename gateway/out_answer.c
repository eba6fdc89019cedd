/*
 * The answer: interim ones are skipped, the final head gives the verdict, the body is counted and
 * dropped.
 */
#include "gateway/out_parts.h"

#include "gateway/clock.h"
#include "proto/date.h"

enum { BODY_MOST = 64 << 10, RETRY_AFTER_MAX_S = 3600 };

/* Seconds, or a date; at most an hour, 0 for anything else. */
static int64_t
retry_after(struct slice value)
{
	const int64_t most = (int64_t)RETRY_AFTER_MAX_S * CLOCK_S;
	int64_t seconds = 0, us = 0, at, now = clock_wall();
	size_t i;

	for (i = 0; i < value.n && value.p[i] >= '0' && value.p[i] <= '9'; i++)
		if (seconds <= RETRY_AFTER_MAX_S)
			seconds = seconds * 10 + (value.p[i] - '0');
	if (i > 0 && i == value.n)
		us = seconds * CLOCK_S;
	else if (date_parse_http(value, now, &at) && at > now)
		us = at - now;
	return us < most ? us : most;
}

/* Counts n bytes of body; true when the verdict may be given. */
static bool
count_body(struct out *o, size_t n)
{
	o->body_seen += n;
	if (o->body_seen > BODY_MOST) {
		o->keep = false;
		return true;
	}
	if (o->chunked || o->body_left < 0)
		return false;
	o->body_left -= (int64_t)n;
	return o->body_left <= 0;
}

static void
read_chunks(struct out *o, char *data, size_t n)
{
	size_t out = 0;
	bool done = false;
	int used;

	if (o->in.n > 0) {
		buf_put(&o->in, data, n);
		data = o->in.p;
		n = o->in.n;
	}
	used = o->in.failed ? -1 : http_chunks_read(&o->chunks, data, n, &out, &done);
	if (used < 0) {
		out_fail(o, REASON_HTTP_INVALID);
		return;
	}
	if (done && (size_t)used < n)
		o->keep = false;
	if (count_body(o, out) || done) {
		out_succeed(o);
		return;
	}
	if (data == o->in.p)
		buf_drop(&o->in, (size_t)used);
	else
		buf_put(&o->in, data + used, n - (size_t)used);
}

static void
read_body(struct out *o, char *data, size_t n)
{
	if (o->chunked) {
		read_chunks(o, data, n);
		return;
	}
	if (o->body_left >= 0 && (int64_t)n > o->body_left) {
		o->keep = false; /* bytes behind the answer */
		n = (size_t)o->body_left;
	}
	if (count_body(o, n))
		out_succeed(o);
}

static void
start_body(struct out *o, const struct http_head *head, char *rest, size_t n)
{
	bool none = head->status == 204 || head->status == 304;

	o->attempt->result.status = head->status;
	if (head->status >= 400)
		o->attempt->result.retry_after = retry_after(http_header(head, "Retry-After"));
	o->keep = o->keep && head->keep_alive;
	o->chunked = head->chunked && !none;
	o->chunks = (struct http_chunks){0};
	o->body_left = none ? 0 : head->length;
	o->body_seen = 0;
	if (o->body_left < 0 && !o->chunked)
		o->keep = false;
	out_enter(o, OUT_BODY);
	read_body(o, rest, n);
}

/* Skips interim answers (1xx) and reads the final head; as http_read_response(), with data and n
 * moved behind what was read. */
static int
next_head(struct out *o, struct http_head *head, char **data, size_t *n)
{
	int used;

	for (;;) {
		used = http_read_response((struct slice){*data, *n}, OUT_HEAD_MAX - o->heads,
		    &o->scanned, head);
		if (used <= 0)
			return used;
		*data += used;
		*n -= (size_t)used;
		if (head->status >= 200)
			return used;
		o->heads += (size_t)used;
		if (head->status == 101) /* nobody asked for another protocol */
			return -502;
		if (o->heads >= OUT_HEAD_MAX)
			return -431;
	}
}

/* Keeps the n bytes of an incomplete head (data lies in o->in or in the shared buffer). */
static void
keep_head(struct out *o, const char *data, size_t n)
{
	if (o->in.n > 0)
		buf_drop(&o->in, o->in.n - n);
	else
		buf_put(&o->in, data, n);
	if (o->in.failed)
		out_fail(o, REASON_IO_FAILED);
	else if (o->send.n > 0)
		out_enter(o, OUT_SEND); /* an interim answer came before the request was through */
}

void
out_read_head(struct out *o, size_t n)
{
	char *data = out_loop.shared;
	struct out_attempt *a = o->attempt;
	static struct http_head head;
	int used;

	if (a->result.first_byte == 0)
		a->result.first_byte = clock_mono() - (a->sent != 0 ? a->sent : a->started);
	if (o->in.n > 0) {
		buf_put(&o->in, data, n);
		data = o->in.p;
		n = o->in.n;
	}
	used = next_head(o, &head, &data, &n);
	if (used < 0) {
		out_fail(o, used == -431 ? REASON_RESPONSE_TOO_LARGE : REASON_HTTP_INVALID);
	} else if (used == 0) {
		keep_head(o, data, n);
	} else {
		memmove(out_loop.shared, data, n); /* fits: see OUT_SHARED_SIZE */
		buf_clear(&o->in);
		start_body(o, &head, out_loop.shared, n);
	}
}

void
out_read_end(struct out *o)
{
	if (o->state == OUT_BODY && !o->chunked && o->body_left < 0)
		out_succeed(o);
	else
		out_fail(o, REASON_IO_FAILED);
}

void
out_step_read(struct out *o, short what)
{
	ssize_t n = stream_read(&o->stream, out_loop.shared, OUT_READ_MOST);

	(void)what;
	if (n == STREAM_WANT_READ || n == STREAM_WANT_WRITE)
		return;
	if (n < 0) {
		o->attempt->result.why = o->stream.why;
		out_fail(o, REASON_IO_FAILED);
	} else if (n == 0)
		out_read_end(o);
	else if (o->state == OUT_HEAD)
		out_read_head(o, (size_t)n);
	else
		read_body(o, out_loop.shared, (size_t)n);
}

