/*
 * The connection to a receiver, as a table of states with one handler each:
 *
 *   LOOKUP ─▶ CONNECT ─▶ SECURE ─▶ SEND ─▶ HEAD ─▶ BODY ─▶ IDLE ─┐
 *      └─ an address │                ▲                          │ next attempt
 *         refused ◀──┘                └──────────────────────────┘
 *   any state ─▶ CLOSED (deadline, fault, answer that ends the connection); freed by out_reap()
 *
 * enter() is the only place that changes the state and what the loop watches for. The attempt's
 * deadline belongs to the attempt, so that it goes on when a stale kept-alive connection is
 * replaced.
 */
#include "gateway/out.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/clock.h"
#include "gateway/net.h"
#include "gateway/stream.h"
#include "gateway/tls.h"
#include "proto/date.h"
#include "proto/http_read.h"

enum { HEAD_MAX = 16 << 10, BODY_MAX = 64 << 10, REQUEST_MAX = 4 << 20, READ_SIZE = 64 << 10 };
enum { READ_MOST = READ_SIZE - HEAD_MAX, REQUEST_KEPT = 64 << 10 };
enum { HANDSHAKES_MOST = 64, HANDSHAKES_A_TURN = 8 };
enum { IDLE_S = 30, IDLE_MAX = 64, RETRY_AFTER_MAX_S = 3600 };

#define OUT_STATES(X)                                                                              \
	X(LOOKUP, 0)                                                                               \
	X(CONNECT, EV_WRITE)                                                                       \
	X(SECURE, EV_WRITE)                                                                        \
	X(SEND, EV_READ | EV_WRITE)                                                                \
	X(HEAD, EV_READ)                                                                           \
	X(BODY, EV_READ)                                                                           \
	X(IDLE, EV_READ)                                                                           \
	X(CLOSED, 0)

#define STATE_NUMBER(name, interest) OUT_##name,
#define STATE_INTEREST(name, interest) (interest),
enum out_state { OUT_STATES(STATE_NUMBER) };
static const short interests[] = {OUT_STATES(STATE_INTEREST)};

struct out {
	enum out_state state;
	int fd;
	short watched;              /* what the loop watches for now */
	struct event *event;
	struct stream stream;       /* from SECURE on */
	bool handshake;             /* counted among those in progress */
	struct out_pool *pool;
	struct out_attempt *attempt; /* NULL while idle */
	struct lookup_wait wait;
	struct lookup_answer answer;
	size_t next_address;
	bool blocked;               /* an address was not allowed */
	bool reused;                /* it has answered before */
	bool keep;                  /* may be kept when this answer is complete */
	struct buf send;            /* what the kernel did not take yet */
	struct buf in;              /* an incomplete head, or incomplete chunk framing */
	size_t scanned, heads;      /* see http_read_response; bytes of 1xx heads */
	bool chunked;
	int64_t body_left;          /* by length; -1: to the end of the connection */
	size_t body_seen;
	struct http_chunks chunks;
	TAILQ_ENTRY(out) next;      /* in the pool while idle, in `closed` when closed */
};

TAILQ_HEAD(out_list, out);

struct out_pool {
	const struct conf_webhook *webhook;
	struct tls_peer *peer;      /* NULL: plain */
	struct out_list idle;       /* most recently used first */
	size_t idle_count;
};

static struct event_base *base;
static const struct conf *conf;
static void (*room)(void);     /* told when a handshake's place is free again */
static int handshakes;         /* in progress, of all receivers */
static int handshakes_started; /* in this turn */
static struct out_list closed = TAILQ_HEAD_INITIALIZER(closed);
static char shared[READ_SIZE]; /* what was just read; nothing stays in it */

static void on_ready(evutil_socket_t, short, void *);
static void on_found(struct lookup_wait *, const struct lookup_answer *);
static void step(struct out *, short what);

void
out_setup(struct event_base *event_base, const struct conf *configuration, void (*on_room)(void))
{
	base = event_base;
	conf = configuration;
	room = on_room;
}

/* ---- state ------------------------------------------------------------------------------- */

static void
watch(struct out *o, short interest)
{
	struct timeval idle = {IDLE_S, 0};

	if (o->watched != 0)
		event_del(o->event);
	o->watched = interest;
	if (interest == 0)
		return;
	event_assign(o->event, base, o->fd, (short)(interest | EV_PERSIST), on_ready, o);
	event_add(o->event, o->state == OUT_IDLE ? &idle : NULL);
}

static void
enter(struct out *o, enum out_state state)
{
	/* HEAD, BODY and IDLE watch for the same; only the idle time-out makes a difference. */
	if (o->watched != interests[state] || o->state == OUT_IDLE || state == OUT_IDLE) {
		o->state = state;
		watch(o, interests[state]);
	}
	o->state = state;
}

static void
end_handshake(struct out *o)
{
	if (!o->handshake)
		return;
	o->handshake = false;
	handshakes--;
	room();
}

static void
close_socket(struct out *o)
{
	watch(o, 0);
	stream_end(&o->stream);
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
}

static void
close_out(struct out *o)
{
	assert(o->state != OUT_CLOSED);
	lookup_cancel(&o->wait);
	end_handshake(o);
	close_socket(o);
	if (o->state == OUT_IDLE) {
		TAILQ_REMOVE(&o->pool->idle, o, next);
		o->pool->idle_count--;
	}
	enter(o, OUT_CLOSED);
	o->attempt = NULL;
	TAILQ_INSERT_TAIL(&closed, o, next);
}

void
out_reap(void)
{
	struct out *o;

	handshakes_started = 0;
	while ((o = TAILQ_FIRST(&closed)) != NULL) {
		TAILQ_REMOVE(&closed, o, next);
		event_free(o->event);
		buf_wipe(&o->send);
		buf_free(&o->in);
		free(o);
	}
}

static struct out *
new_out(struct out_pool *pool)
{
	struct out *o = calloc(1, sizeof *o);

	if (o == NULL)
		return NULL;
	o->event = event_new(base, -1, 0, on_ready, o);
	if (o->event == NULL) {
		free(o);
		return NULL;
	}
	o->fd = -1;
	o->pool = pool;
	o->wait.done = on_found;
	buf_init(&o->send, REQUEST_MAX);
	buf_init(&o->in, HEAD_MAX + READ_SIZE);
	return o;
}

/* ---- the end of an attempt --------------------------------------------------------------- */

static void
finish(struct out_attempt *a, enum reason reason)
{
	a->out = NULL;
	a->over = true;
	event_free(a->deadline);
	a->deadline = NULL;
	a->result.reason = reason;
	a->result.total = clock_mono() - a->started;
	a->done(a, &a->result);
}

static void fail(struct out *, enum reason);

/* The answer is complete. */
static void
succeed(struct out *o)
{
	struct out_attempt *a = o->attempt;

	if (clock_mono() - a->started > o->pool->webhook->deadline) {
		fail(o, REASON_TIMEOUT); /* read in the pass in which the deadline fell */
		return;
	}
	a->result.reused = o->reused;
	if (o->keep && o->pool->idle_count < IDLE_MAX) {
		o->attempt = NULL;
		o->reused = true;
		buf_free(&o->in);
		enter(o, OUT_IDLE);
		TAILQ_INSERT_HEAD(&o->pool->idle, o, next);
		o->pool->idle_count++;
	} else {
		close_out(o);
	}
	finish(a, reason_of_status(a->result.status));
}

static bool start_fresh(struct out_attempt *);

static void
fail(struct out *o, enum reason reason)
{
	struct out_attempt *a = o->attempt;
	bool stale = o->reused && a->result.first_byte == 0 && reason == REASON_IO_FAILED;

	a->result.reused = o->reused;
	close_out(o);
	if (stale && !a->again) {
		a->again = true;
		if (start_fresh(a))
			return;
	}
	finish(a, reason);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct out_attempt *a = arg;

	(void)fd;
	(void)what;
	fail(a->out, REASON_TIMEOUT);
}

/* ---- LOOKUP, CONNECT --------------------------------------------------------------------- */

static bool
allowed(const struct address *address)
{
	if (!address_is_special(address))
		return true;
	for (size_t i = 0; i < conf->allow_network_count; i++)
		if (cidr_has(&conf->allow_networks[i], address))
			return true;
	return false;
}

/* Starts to connect; 0, or -1 when it failed at once. */
static int
open_socket(struct out *o, const struct address *address)
{
	struct sockaddr_storage name;
	socklen_t n = net_sockaddr(address, o->pool->webhook->port, &name);
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
			enter(o, OUT_CONNECT);
			return;
		} else {
			o->blocked = false;
			close_socket(o);
		}
	}
	fail(o, o->blocked ? REASON_BLOCKED_ADDRESS : REASON_CONNECT_FAILED);
}

static void
found(struct out *o, enum lookup_result result)
{
	o->attempt->connecting = clock_mono();
	o->attempt->result.lookup = o->attempt->connecting - o->attempt->started;
	if (result == LOOKUP_FOUND)
		connect_next(o);
	else
		fail(o, REASON_LOOKUP_FAILED);
}

static void
on_found(struct lookup_wait *wait, const struct lookup_answer *answer)
{
	struct out *o = (struct out *)((char *)wait - offsetof(struct out, wait));

	if (answer != NULL)
		o->answer = *answer;
	found(o, answer != NULL ? LOOKUP_FOUND : LOOKUP_NONE);
}

static void
step_connect(struct out *o, short what)
{
	socklen_t n = sizeof(int);
	int error = 0;

	(void)what;
	getsockopt(o->fd, SOL_SOCKET, SO_ERROR, &error, &n);
	if (error != 0) {
		close_socket(o);
		o->blocked = false;
		connect_next(o);
		return;
	}
	o->attempt->result.connect = clock_mono() - o->attempt->connecting;
	if (stream_open(&o->stream, o->fd, o->pool->peer) != 0) {
		fail(o, REASON_TLS_FAILED);
		return;
	}
	enter(o, OUT_SECURE);
	step(o, EV_WRITE);
}

/* ---- SECURE ------------------------------------------------------------------------------- */

/* Watches for what the stream asked for, instead of what the state usually does. */
static void
watch_for(struct out *o, ssize_t want)
{
	short interest = want == STREAM_WANT_READ ? EV_READ : EV_WRITE;

	if (o->watched != interest)
		watch(o, interest);
}

static void
step_secure(struct out *o, short what)
{
	struct out_attempt *a = o->attempt;
	int result = stream_start(&o->stream);

	(void)what;
	if (result == STREAM_FAILED) {
		a->result.why = o->stream.why;
		fail(o, REASON_TLS_FAILED);
		return;
	}
	if (result != 0) {
		watch_for(o, result);
		return;
	}
	end_handshake(o);
	if (o->pool->peer != NULL)
		a->result.tls = clock_mono() - a->connecting - a->result.connect;
	enter(o, OUT_SEND);
	step(o, EV_WRITE);
}

/* ---- SEND -------------------------------------------------------------------------------- */

/* True when the stream took all; false with the rest in o->send, or after a failure. */
static bool
send_bytes(struct out *o, const char *p, size_t n)
{
	ssize_t sent = stream_write(&o->stream, p, n);

	if (sent == STREAM_FAILED) {
		o->attempt->result.why = o->stream.why;
		fail(o, REASON_IO_FAILED);
		return false;
	}
	if (sent < 0) {
		watch_for(o, sent);
		sent = 0;
	}
	if (p == o->send.p)
		buf_drop(&o->send, (size_t)sent);
	else
		buf_put(&o->send, p + sent, n - (size_t)sent);
	if (o->send.failed)
		fail(o, REASON_IO_FAILED);
	return o->state == OUT_SEND && o->send.n == 0;
}

/* Head and body go out together: one write, one TLS record where they fit. */
static bool
send_first(struct out *o)
{
	static struct buf request = {.ceiling = REQUEST_MAX};
	struct slice body = {NULL, 0};
	bool all = false;

	buf_clear(&request);
	if (o->attempt->fill(o->attempt, &request, &body))
		buf_put_slice(&request, body);
	else
		request.failed = true;
	if (request.failed)
		fail(o, REASON_IO_FAILED);
	else
		all = send_bytes(o, request.p, request.n);
	sodium_memzero(request.p, request.n); /* it may hold a password */
	if (request.room > REQUEST_KEPT)
		buf_free(&request);
	return all;
}

static void read_head(struct out *, char *, size_t);
static void on_end(struct out *);

/* Bytes before the request is through: an interim answer, or a final one; in the latter case the
 * connection is not kept. A TLS stream may also have had something to say to itself. */
static void
read_early(struct out *o)
{
	ssize_t n = stream_read(&o->stream, shared, READ_MOST);

	if (n == STREAM_WANT_READ || n == STREAM_WANT_WRITE)
		return;
	o->keep = false;
	enter(o, OUT_HEAD);
	if (n > 0)
		read_head(o, shared, (size_t)n);
	else
		on_end(o);
}

static void
step_send(struct out *o, short what)
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
		enter(o, OUT_HEAD);
	}
}

/* ---- HEAD, BODY -------------------------------------------------------------------------- */

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
	if (o->body_seen > BODY_MAX) {
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
		fail(o, REASON_HTTP_INVALID);
		return;
	}
	if (done && (size_t)used < n)
		o->keep = false;
	if (count_body(o, out) || done) {
		succeed(o);
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
		succeed(o);
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
	enter(o, OUT_BODY);
	read_body(o, rest, n);
}

/* Skips interim answers (1xx) and reads the final head; as http_read_response(), with data and n
 * moved behind what was read. */
static int
next_head(struct out *o, struct http_head *head, char **data, size_t *n)
{
	int used;

	for (;;) {
		used = http_read_response((struct slice){*data, *n}, HEAD_MAX - o->heads, &o->scanned,
		    head);
		if (used <= 0)
			return used;
		*data += used;
		*n -= (size_t)used;
		if (head->status >= 200)
			return used;
		o->heads += (size_t)used;
		if (head->status == 101) /* nobody asked for another protocol */
			return -502;
		if (o->heads >= HEAD_MAX)
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
		fail(o, REASON_IO_FAILED);
	else if (o->send.n > 0)
		enter(o, OUT_SEND); /* an interim answer came before the request was through */
}

static void
read_head(struct out *o, char *data, size_t n)
{
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
		fail(o, used == -431 ? REASON_RESPONSE_TOO_LARGE : REASON_HTTP_INVALID);
	} else if (used == 0) {
		keep_head(o, data, n);
	} else {
		memmove(shared, data, n); /* fits: an incomplete head is below HEAD_MAX */
		buf_clear(&o->in);
		start_body(o, &head, shared, n);
	}
}

static void
on_end(struct out *o)
{
	if (o->state == OUT_BODY && !o->chunked && o->body_left < 0)
		succeed(o);
	else
		fail(o, REASON_IO_FAILED);
}

static void
step_read(struct out *o, short what)
{
	ssize_t n = stream_read(&o->stream, shared, READ_MOST);

	(void)what;
	if (n == STREAM_WANT_READ || n == STREAM_WANT_WRITE)
		return;
	if (n < 0) {
		o->attempt->result.why = o->stream.why;
		fail(o, REASON_IO_FAILED);
	} else if (n == 0)
		on_end(o);
	else if (o->state == OUT_HEAD)
		read_head(o, shared, (size_t)n);
	else
		read_body(o, shared, (size_t)n);
}

/* ---- IDLE -------------------------------------------------------------------------------- */

/* Closed by the receiver, 30 s over, or bytes that nobody asked for; but a TLS stream may still have
 * had a session ticket to deliver. */
static void
step_idle(struct out *o, short what)
{
	if (!(what & EV_READ) || stream_read(&o->stream, shared, READ_MOST) != STREAM_WANT_READ)
		close_out(o);
}

static void
step_none(struct out *o, short what)
{
	(void)o;
	(void)what;
}

static void (*const steps[])(struct out *, short) = {[OUT_LOOKUP] = step_none,
    [OUT_CONNECT] = step_connect,
    [OUT_SECURE] = step_secure,
    [OUT_SEND] = step_send,
    [OUT_HEAD] = step_read,
    [OUT_BODY] = step_read,
    [OUT_IDLE] = step_idle,
    [OUT_CLOSED] = step_none};

static void
step(struct out *o, short what)
{
	steps[o->state](o, what);
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	step(arg, what);
}

/* ---- attempts ---------------------------------------------------------------------------- */

static bool
start_fresh(struct out_attempt *a)
{
	struct out *o = new_out(a->pool);
	enum lookup_result result;

	if (o == NULL)
		return false;
	a->out = o;
	a->sent = 0;
	o->attempt = a;
	o->state = OUT_LOOKUP;
	o->handshake = a->pool->peer != NULL;
	handshakes += o->handshake;
	handshakes_started += o->handshake;
	result = lookup_find(a->pool->webhook->host, &o->answer, &o->wait);
	if (result != LOOKUP_WAIT)
		found(o, result);
	return true;
}

static void
start_kept(struct out_attempt *a, struct out *o)
{
	TAILQ_REMOVE(&a->pool->idle, o, next);
	a->pool->idle_count--;
	a->out = o;
	o->attempt = a;
	o->scanned = o->heads = 0;
	enter(o, OUT_SEND);
	step(o, EV_WRITE);
}

bool
out_ready(const struct out_pool *pool)
{
	return pool->peer == NULL || !TAILQ_EMPTY(&pool->idle) ||
	       (handshakes < HANDSHAKES_MOST && handshakes_started < HANDSHAKES_A_TURN);
}

void
out_start(struct out_pool *pool, struct out_attempt *a)
{
	int64_t us = pool->webhook->deadline;
	struct timeval tv = {us / CLOCK_S, us % CLOCK_S};
	struct out *idle = TAILQ_FIRST(&pool->idle);

	a->pool = pool;
	a->again = a->over = false;
	a->sent = a->connecting = 0;
	a->result = (struct out_result){0};
	a->started = clock_mono();
	a->deadline = evtimer_new(base, on_deadline, a);
	if (a->deadline == NULL) {
		a->over = true;
		a->result.reason = REASON_IO_FAILED;
		a->done(a, &a->result);
		return;
	}
	event_base_update_cache_time(base);
	event_add(a->deadline, &tv);
	if (idle != NULL)
		start_kept(a, idle);
	else if (!start_fresh(a))
		finish(a, REASON_IO_FAILED);
}

void
out_cancel(struct out_attempt *a)
{
	if (a->over || a->deadline == NULL)
		return;
	event_free(a->deadline);
	a->deadline = NULL;
	a->over = true;
	close_out(a->out);
}

struct out_pool *
out_pool_new(const struct conf_webhook *webhook)
{
	struct out_pool *pool = calloc(1, sizeof *pool);

	if (pool == NULL)
		return NULL;
	pool->webhook = webhook;
	TAILQ_INIT(&pool->idle);
	if (webhook->https) {
		pool->peer = tls_peer_new(webhook);
		if (pool->peer == NULL) {
			free(pool);
			return NULL;
		}
	}
	return pool;
}

void
out_pool_free(struct out_pool *pool)
{
	if (pool == NULL)
		return;
	while (!TAILQ_EMPTY(&pool->idle))
		close_out(TAILQ_FIRST(&pool->idle));
	out_reap();
	tls_peer_free(pool->peer);
	free(pool);
}
