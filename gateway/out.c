/*
 * The connection to a receiver, as a table of states with one handler each:
 *
 *   LOOKUP ─▶ CONNECT ─▶ SECURE ─▶ SEND ─▶ HEAD ─▶ BODY ─▶ IDLE ─┐
 *      └─ an address │                ▲                          │ next attempt
 *         refused ◀──┘                └──────────────────────────┘
 *   any state ─▶ CLOSED (deadline, fault, answer that ends the connection); freed by out_reap()
 *
 * out_enter() and out_begin_send() are the only places that change the state and what the loop
 * watches for. The attempt's deadline belongs to the attempt, so that it goes on when a stale
 * kept-alive connection is replaced.
 */
#include "gateway/out_parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/clock.h"
#include "gateway/tls.h"

enum { IDLE_S = 30, IDLE_MAX = 64 };
enum { HANDSHAKES_MOST = 64, HANDSHAKES_A_POOL = 8, HANDSHAKES_A_TURN = 8 };

#define STATE_INTEREST(name, interest) (interest),
static const short interests[] = {OUT_STATES(STATE_INTEREST)};

struct out_loop out_loop;

static void on_ready(evutil_socket_t, short, void *);
static bool start_fresh(struct out_attempt *);

void
out_setup(struct event_base *base, void (*room)(void))
{
	out_loop.base = base;
	out_loop.room = room;
	TAILQ_INIT(&out_loop.closed);
	TAILQ_INIT(&out_loop.retired);
}

void
out_configure(const struct conf *conf)
{
	out_loop.conf = conf;
}

/* ---- state ------------------------------------------------------------------------------- */

/* The kernel is told only where the interest is another one. */
static void
watch(struct out *o, short interest)
{
	struct timeval idle = {IDLE_S, 0};

	if (o->watched != interest && o->watched != 0)
		event_del(o->event);
	if (o->watched != interest && interest != 0)
		event_assign(o->event, out_loop.base, o->fd, (short)(interest | EV_PERSIST),
		    on_ready, o);
	o->watched = interest;
	if (interest == 0)
		return;
	event_remove_timer(o->event);
	event_add(o->event, o->state == OUT_IDLE ? &idle : NULL);
}

void
out_watch_for(struct out *o, ssize_t want)
{
	short interest = want == STREAM_WANT_READ ? EV_READ : EV_WRITE;

	if (o->watched != interest)
		watch(o, interest);
}

void
out_enter(struct out *o, enum out_state state)
{
	/* HEAD, BODY and IDLE watch for the same; only the idle time-out makes a difference. */
	if (o->watched != interests[state] || o->state == OUT_IDLE || state == OUT_IDLE) {
		o->state = state;
		watch(o, interests[state]);
	}
	o->state = state;
}

void
out_begin_send(struct out *o)
{
	o->state = OUT_SEND;
	watch(o, EV_READ);
	out_step(o, EV_WRITE);
}

void
out_end_handshake(struct out *o)
{
	if (!o->handshake)
		return;
	o->handshake = false;
	o->pool->handshakes--;
	out_loop.handshakes--;
	out_loop.room();
}

void
out_close_socket(struct out *o)
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
	out_end_handshake(o);
	out_close_socket(o);
	if (o->state == OUT_IDLE) {
		TAILQ_REMOVE(&o->pool->idle, o, next);
		o->pool->idle_count--;
	}
	out_enter(o, OUT_CLOSED);
	o->attempt = NULL;
	TAILQ_INSERT_TAIL(&out_loop.closed, o, next);
}

static void
reap_pools(void)
{
	struct out_pool *pool, *next;

	for (pool = TAILQ_FIRST(&out_loop.retired); pool != NULL; pool = next) {
		next = TAILQ_NEXT(pool, next);
		if (pool->attempts > 0)
			continue;
		TAILQ_REMOVE(&out_loop.retired, pool, next);
		tls_peer_free(pool->peer);
		free(pool);
	}
}

void
out_reap(void)
{
	struct out *o;

	if (out_loop.handshakes_started >= HANDSHAKES_A_TURN)
		out_loop.room(); /* the next turn has room for those that had to wait */
	out_loop.handshakes_started = 0;
	while ((o = TAILQ_FIRST(&out_loop.closed)) != NULL) {
		TAILQ_REMOVE(&out_loop.closed, o, next);
		event_free(o->event);
		buf_wipe(&o->send);
		buf_free(&o->in);
		free(o);
	}
	reap_pools();
}

static struct out *
new_out(struct out_pool *pool)
{
	struct out *o = calloc(1, sizeof *o);

	if (o == NULL)
		return NULL;
	o->event = event_new(out_loop.base, -1, 0, on_ready, o);
	if (o->event == NULL) {
		free(o);
		return NULL;
	}
	o->fd = -1;
	o->pool = pool;
	o->wait.done = out_on_found;
	buf_init_secret(&o->send, OUT_REQUEST_MAX);
	buf_init(&o->in, OUT_HEAD_MAX + OUT_READ_MOST);
	return o;
}

/* ---- the end of an attempt --------------------------------------------------------------- */

static void
finish(struct out_attempt *a, enum reason reason)
{
	assert(!a->over); /* an attempt ends once */
	a->out = NULL;
	a->over = true;
	a->pool->attempts--;
	if (a->deadline != NULL)
		event_free(a->deadline);
	a->deadline = NULL;
	a->result.reason = reason;
	a->result.total = clock_mono() - a->started;
	a->done(a, &a->result);
}

/* The answer is complete. */
void
out_succeed(struct out *o)
{
	struct out_attempt *a = o->attempt;

	if (clock_mono() - a->started > a->webhook->deadline) {
		out_fail(o, REASON_TIMEOUT); /* read in the pass in which the deadline fell */
		return;
	}
	a->result.reused = o->reused;
	if (o->keep && !o->pool->retired && o->pool->idle_count < IDLE_MAX) {
		o->attempt = NULL;
		o->reused = true;
		buf_free(&o->in);
		out_enter(o, OUT_IDLE);
		TAILQ_INSERT_HEAD(&o->pool->idle, o, next);
		o->pool->idle_count++;
	} else {
		close_out(o);
	}
	finish(a, reason_of_status(a->result.status));
}

void
out_fail(struct out *o, enum reason reason)
{
	struct out_attempt *a = o->attempt;
	bool stale = o->reused && a->result.first_byte == 0 && reason == REASON_IO_FAILED;

	assert(a != NULL && a->out == o);
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
	out_fail(a->out, REASON_TIMEOUT);
}

/* ---- IDLE -------------------------------------------------------------------------------- */

/* Closed by the receiver, 30 s over, or bytes that nobody asked for; but a TLS stream may still
 * have had a session ticket to deliver. */
static void
step_idle(struct out *o, short what)
{
	ssize_t n = STREAM_FAILED;

	if (what & EV_READ)
		n = stream_read(&o->stream, out_loop.shared, OUT_READ_MOST);
	if (n != STREAM_WANT_READ)
		close_out(o);
}

static void
step_none(struct out *o, short what)
{
	(void)o;
	(void)what;
}

static void (*const steps[])(struct out *, short) = {[OUT_LOOKUP] = step_none,
    [OUT_CONNECT] = out_step_connect,
    [OUT_SECURE] = out_step_secure,
    [OUT_SEND] = out_step_send,
    [OUT_HEAD] = out_step_read,
    [OUT_BODY] = out_step_read,
    [OUT_IDLE] = step_idle,
    [OUT_CLOSED] = step_none};

void
out_step(struct out *o, short what)
{
	steps[o->state](o, what);
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	out_step(arg, what);
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
	o->pool->handshakes += o->handshake;
	out_loop.handshakes += o->handshake;
	out_loop.handshakes_started += o->handshake;
	result = lookup_find(slice_of(a->pool->host), &o->answer, &o->wait);
	if (result != LOOKUP_WAIT)
		out_found(o, result);
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
	out_begin_send(o);
}

/* A receiver of whose handshakes none is in progress may always have one: those that are slow at it
 * can fill all places, but keep nobody out. */
bool
out_ready(const struct out_pool *pool)
{
	if (pool->peer == NULL || !TAILQ_EMPTY(&pool->idle))
		return true;
	if (out_loop.handshakes_started >= HANDSHAKES_A_TURN)
		return false;
	return pool->handshakes == 0 || (pool->handshakes < HANDSHAKES_A_POOL &&
					    out_loop.handshakes < HANDSHAKES_MOST);
}

void
out_start(struct out_pool *pool, struct out_attempt *a)
{
	int64_t us = a->webhook->deadline;
	struct timeval tv = {us / CLOCK_S, us % CLOCK_S};
	struct out *idle = TAILQ_FIRST(&pool->idle);

	a->pool = pool;
	a->again = a->over = false;
	a->sent = a->connecting = 0;
	a->result = (struct out_result){0};
	a->started = clock_mono();
	a->deadline = evtimer_new(out_loop.base, on_deadline, a);
	pool->attempts++;
	event_base_update_cache_time(out_loop.base);
	if (a->deadline == NULL || event_add(a->deadline, &tv) != 0)
		finish(a, REASON_IO_FAILED);
	else if (idle != NULL)
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
	a->pool->attempts--;
	close_out(a->out);
}

struct out_pool *
out_pool_new(const struct conf_webhook *webhook)
{
	struct out_pool *pool = calloc(1, sizeof *pool);

	if (pool == NULL)
		return NULL;
	snprintf(pool->host, sizeof pool->host, "%.*s", (int)webhook->host.n, webhook->host.p);
	pool->port = webhook->port;
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

bool
out_pool_fits(const struct out_pool *pool, const struct conf_webhook *webhook)
{
	return pool->port == webhook->port && slice_is(slice_of(pool->host), webhook->host) &&
	       (pool->peer != NULL) == webhook->https &&
	       (pool->peer == NULL || tls_peer_fits(pool->peer, webhook));
}

void
out_pool_retire(struct out_pool *pool)
{
	if (pool == NULL)
		return;
	while (!TAILQ_EMPTY(&pool->idle))
		close_out(TAILQ_FIRST(&pool->idle));
	pool->retired = true;
	TAILQ_INSERT_TAIL(&out_loop.retired, pool, next);
}
