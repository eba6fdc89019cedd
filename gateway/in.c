/*
 * A connection from outside, once it is open (in_open.c):
 *
 *           bytes            head read           body read
 *   IDLE ───────────▶ HEAD ───────────▶ BODY ───────────▶ (handler) ─┬─▶ answered: IDLE, HEAD
 *     ▲                                                              ├─▶ PARKED until the commit
 *     │                                                              └─▶ PARKED until in_answer()
 *     └─────────────── ANSWER ◀── the kernel does not take all of it ────┘
 *
 *   fault, time-out, "close" ─▶ LINGER ─▶ CLOSED
 *
 * ANSWER: no request is read until the answer is out. LINGER: the answer is sent, what still comes
 * is read and dropped.
 *
 * Bytes are read into one buffer shared by all connections and parsed in place; only what is
 * incomplete, or waits behind a parked request, is copied to the connection. Interest in reading is
 * never switched off for a request, only while the connection's own buffer is full: no system call
 * but read and write per request.
 *
 * Each of the timed states has one list in order of deadlines, as all its deadlines are equally far
 * away; one timer looks at their heads.
 */
#include "gateway/in_parts.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/clock.h"
#include "gateway/descriptors.h"
#include "gateway/turn.h"

enum { TICK_US = 100000, LINGER_US = 1000000, LINGER_BYTES = 1 << 20, ANSWER_ROOM = 8 << 10 };

struct in_server in;

static void on_readable(evutil_socket_t, short, void *);
static void on_writable(evutil_socket_t, short, void *);

/* ---- state, time ------------------------------------------------------------------------- */

static int64_t
time_of(enum in_state s)
{
	switch (s) {
	case IN_IDLE:
	case IN_ANSWER: /* since the client last took some of it */
		return in.limits.idle_time;
	case IN_PROXY:
	case IN_SECURE:
	case IN_HEAD:
		return in.limits.header_time;
	case IN_BODY:
		return in.limits.body_time;
	case IN_LINGER:
		return LINGER_US;
	default:
		return 0;
	}
}

static void
arm(struct in_conn *c)
{
	if (time_of(c->state) == 0)
		return;
	c->since = clock_mono();
	c->deadline = c->since + time_of(c->state);
	TAILQ_INSERT_TAIL(&in.lists[c->state], c, timed);
}

static void
disarm(struct in_conn *c)
{
	if (time_of(c->state) != 0)
		TAILQ_REMOVE(&in.lists[c->state], c, timed);
}

/* The only place that changes the state; arms the state's deadline. Staying keeps the deadline. */
void
in_enter(struct in_conn *c, enum in_state s)
{
	assert(c->state != IN_CLOSED); /* the end */
	if (s == c->state)
		return;
	disarm(c);
	in.secure_count -= c->state == IN_SECURE;
	in.secure_count += s == IN_SECURE;
	c->state = s;
	arm(c);
}

void
in_rearm(struct in_conn *c)
{
	disarm(c);
	arm(c);
}

void
in_watch(struct event *event, bool on)
{
	if (!on)
		event_del(event);
	else if (event_add(event, NULL) != 0)
		in.unwatched = true; /* no memory: the next tick tries again */
}

void
in_read_on(struct in_conn *c, bool reading)
{
	if (c->reading == reading)
		return;
	c->reading = reading;
	in_watch(&c->read, reading);
}

void
in_write_on(struct in_conn *c, bool writing)
{
	if (c->writing == writing)
		return;
	c->writing = writing;
	in_watch(&c->write, writing);
}

void
in_watch_again(void)
{
	in.unwatched = true;
}

static void
rewatch(struct event *event, bool on)
{
	if (on) {
		event_del(event); /* libevent may only believe that the kernel knows of it */
		in_watch(event, true);
	}
}

static void
rewatch_all(void)
{
	struct in_conn *c;

	in.unwatched = false;
	for (size_t i = 0; i < in.listener_count; i++)
		rewatch(in.listeners[i]->event, in.accepting);
	LIST_FOREACH (c, &in.all, all) {
		rewatch(&c->read, c->reading);
		rewatch(&c->write, c->writing);
	}
}

void
in_close(struct in_conn *c)
{
	if (c->state == IN_CLOSED)
		return;
	in_enter(c, IN_CLOSED);
	in_read_on(c, false);
	in_write_on(c, false);
	stream_end(&c->stream);
	close(c->fd);
	if (c->more)
		TAILQ_REMOVE(&in.onward, c, on);
	LIST_REMOVE(c, all);
	TAILQ_INSERT_TAIL(&in.closed, c, on);
	in.count--;
	if (c->gone != NULL)
		c->gone(c->gone_arg);
	c->gone = NULL;
}

void
in_reap(void)
{
	struct in_conn *c;

	in.secure_us = 0;
	if (!TAILQ_EMPTY(&in.closed))
		in_accept_again();
	while ((c = TAILQ_FIRST(&in.closed)) != NULL) {
		TAILQ_REMOVE(&in.closed, c, on);
		buf_free(&c->in);
		buf_free(&c->out);
		in_let_go(c->listener);
		free(c);
	}
}

/* Bytes wait in `in` and no socket will say so: go on with them in the next pass. */
void
in_go_on_later(struct in_conn *c)
{
	if (c->more)
		return;
	c->more = true;
	TAILQ_INSERT_TAIL(&in.onward, c, on);
	event_active(in.onward_event, 0, 0);
}

void
in_resume(struct in_conn *c)
{
	if (c->in.n > 0) {
		in_enter(c, IN_IDLE);
		in_enter(c, IN_HEAD); /* its deadline starts anew */
		in_go_on_later(c);
	} else if (c->eof || c->listener->gone) {
		in_close(c);
	} else {
		in_enter(c, IN_IDLE);
		in_read_on(c, true);
	}
}

/* Reading is off while a whole request, and more, waits to be gone on with. */
static void
read_if_room(struct in_conn *c)
{
	in_read_on(c, c->in.n < in.limits.header + in.limits.body);
}

static void
on_onward(evutil_socket_t fd, short what, void *arg)
{
	struct in_conn *last = TAILQ_LAST(&in.onward, in_list), *c = NULL;

	(void)fd;
	(void)what;
	(void)arg;
	/* Those that come onto the list meanwhile have their turn in the next pass. */
	while (c != last && !turn_full() && (c = TAILQ_FIRST(&in.onward)) != NULL) {
		TAILQ_REMOVE(&in.onward, c, on);
		c->more = false;
		in_take_kept(c);
		if (c->state != IN_CLOSED && !c->eof)
			read_if_room(c);
	}
	if (!TAILQ_EMPTY(&in.onward))
		event_active(in.onward_event, 0, 0);
}

/* ---- bytes ------------------------------------------------------------------------------- */

static void
on_end(struct in_conn *c)
{
	c->eof = true;
	in_read_on(c, false);
	/* A client may half-close behind its last request and still wait for the answer. */
	if (c->state != IN_PARKED && c->out.n == 0 && !c->more)
		in_close(c);
}

static bool
is_opening(const struct in_conn *c)
{
	return c->state == IN_PROXY || c->state == IN_SECURE;
}

static void
drop_bytes(struct in_conn *c, size_t n)
{
	c->dropped += n;
	if (c->dropped > LINGER_BYTES)
		in_close(c);
}

/* Bytes behind a request that is not answered yet: kept, up to a request's size. */
static void
store_bytes(struct in_conn *c, size_t n)
{
	buf_put(&c->in, in.shared, n);
	if (c->in.failed)
		in_close(c);
	else
		read_if_room(c);
}

static void
on_bytes(struct in_conn *c, size_t n)
{
	if (c->state == IN_LINGER || (c->state == IN_ANSWER && c->close)) {
		drop_bytes(c, n);
	} else if (c->state == IN_PARKED || c->out.n > 0 || c->more) {
		store_bytes(c, n);
	} else if (c->in.n == 0) {
		in_enter(c, IN_HEAD);
		in_take_shared(c, n);
	} else {
		buf_put(&c->in, in.shared, n);
		if (c->in.failed)
			in_close(c);
		else
			in_take_kept(c);
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct in_conn *c = arg;
	ssize_t n;

	(void)fd;
	(void)what;
	if (is_opening(c)) {
		in_open(c);
		return;
	}
	n = stream_read(&c->stream, in.shared, sizeof in.shared);
	if (n > 0)
		on_bytes(c, (size_t)n);
	else if (n == 0)
		on_end(c);
	else if (n == STREAM_WANT_WRITE)
		in_write_on(c, true);
	else if (n == STREAM_FAILED)
		in_close(c);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct in_conn *c = arg;

	if (is_opening(c)) {
		in_open(c);
	} else if (c->out.n > 0) {
		in_flush(c);
	} else {
		in_write_on(c, false); /* the stream wanted it, to go on with reading */
		on_readable(fd, what, c);
	}
}

/* ---- deadlines --------------------------------------------------------------------------- */

static void
expire(struct in_conn *c)
{
	if (is_opening(c))
		in_dismiss(c, METRICS_HEADER_TIME, "it took too long");
	else if (c->state == IN_HEAD && c->in.n > 0)
		in_refuse(c, 408, "The header block took too long.");
	else if (c->state == IN_BODY)
		in_refuse(c, 408, "The body took too long.");
	else
		in_close(c);
}

/* Between two requests, or before the first. */
static bool
is_quiet(const struct in_conn *c)
{
	return is_opening(c) ||
	       ((c->state == IN_IDLE || c->state == IN_HEAD) && c->in.n == 0 && c->out.n == 0);
}

/* Ends those that nobody is at, while the next process waits for the end of this one. */
static void
close_forgotten(int64_t now)
{
	struct in_conn *c, *next;

	for (c = LIST_FIRST(&in.all); c != NULL; c = next) {
		next = LIST_NEXT(c, all);
		if (is_quiet(c) && now - c->since >= IN_GIVES_WAY)
			in_close(c);
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	int64_t now = clock_mono();
	struct in_conn *c;

	(void)fd;
	(void)what;
	(void)arg;
	in_accept_again();
	if (in.unwatched)
		rewatch_all();
	if (in.draining && in.listener_count == 0)
		close_forgotten(now);
	for (size_t s = 0; s < IN_STATES; s++)
		while ((c = TAILQ_FIRST(&in.lists[s])) != NULL && c->deadline <= now)
			expire(c);
}

/* ---- start, stop ------------------------------------------------------------------------- */

/* What a connection may keep until it is a request, and some more that was read with it. */
static size_t
kept_most(void)
{
	return in.limits.header + in.limits.body + 2 * (size_t)IN_SHARED_SIZE;
}

void
in_add(int fd, const struct address *peer, struct in_listener *listener)
{
	struct in_conn *c = calloc(1, sizeof *c);
	int on = 1;

	if (c == NULL) {
		in_tell_refused("no memory");
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	c->fd = fd;
	c->state = IN_PARKED; /* no list */
	c->peer = c->client = *peer;
	c->listener = listener;
	listener->users++;
	buf_init(&c->in, kept_most());
	buf_init(&c->out, IN_REPLY_MAX);
	event_assign(&c->read, in.base, fd, EV_READ | EV_PERSIST, on_readable, c);
	event_assign(&c->write, in.base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	LIST_INSERT_HEAD(&in.all, c, all);
	in.count++;
	in_read_on(c, true);
	if (listener->proxy_protocol)
		in_enter(c, IN_PROXY);
	else
		in_begin(c);
}

void
in_set_bare(in_bare *bare)
{
	in.bare = bare;
}

int
in_start(struct event_base *base, in_handler *handler)
{
	struct timeval tv = {0, TICK_US};

	memset(&in, 0, sizeof in);
	in.base = base;
	in.handler = handler;
	in.accepting = true;
	LIST_INIT(&in.all);
	TAILQ_INIT(&in.onward);
	TAILQ_INIT(&in.closed);
	for (size_t s = 0; s < IN_STATES; s++)
		TAILQ_INIT(&in.lists[s]);
	buf_init(&in.body, IN_REPLY_MAX - 1024);
	buf_init(&in.wire, IN_REPLY_MAX);
	/* So that a refusal never wants for memory. */
	if (buf_room(&in.body, ANSWER_ROOM) == NULL || buf_room(&in.wire, ANSWER_ROOM) == NULL)
		return -1;
	in.tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);
	in.onward_event = event_new(base, -1, 0, on_onward, NULL);
	if (in.tick == NULL || in.onward_event == NULL)
		return -1;
	return event_add(in.tick, &tv);
}

/* A state's deadlines all move alike, so that its list stays in their order. */
static void
move_deadlines(enum in_state s, int64_t by)
{
	struct in_conn *c;

	TAILQ_FOREACH (c, &in.lists[s], timed)
		c->deadline += by;
}

void
in_set_limits(const struct conf *conf)
{
	int64_t before[IN_STATES];
	struct in_conn *c;

	for (size_t s = 0; s < IN_STATES; s++)
		before[s] = time_of((enum in_state)s);
	in.limits = (struct in_limits){.header = (size_t)conf->limits.header,
	    .body = (size_t)conf->limits.body,
	    .header_time = conf->limits.header_time,
	    .body_time = conf->limits.body_time,
	    .idle_time = conf->limits.idle_time,
	    .connections = descriptors_for_clients(conf)};
	for (size_t s = 0; s < IN_STATES; s++)
		move_deadlines((enum in_state)s, time_of((enum in_state)s) - before[s]);
	LIST_FOREACH (c, &in.all, all)
		c->in.ceiling = kept_most();
}

void
in_close_quiet(const struct in_listener *listener)
{
	struct in_conn *c, *next;

	for (c = LIST_FIRST(&in.all); c != NULL; c = next) {
		next = LIST_NEXT(c, all);
		if (c->listener == listener && is_quiet(c))
			in_close(c);
	}
}

void
in_drain(void)
{
	in.draining = true;
	in_close_listeners(false);
}

void
in_turn_away(void)
{
	in_accept_all();
	in_close_listeners(true);
	in.turning_away = true;
}

bool
in_deserted(void)
{
	return in.listener_count == 0 && in.count == 0;
}

bool
in_quiet(void)
{
	struct in_conn *c;

	LIST_FOREACH (c, &in.all, all)
		if (!is_quiet(c))
			return false;
	return true;
}

void
in_stop(void)
{
	in_close_listeners(true);
	while (!LIST_EMPTY(&in.all))
		in_close(LIST_FIRST(&in.all));
	in_reap();
	event_free(in.tick);
	event_free(in.onward_event);
	buf_free(&in.body);
	buf_free(&in.wire);
	free(in.trusted);
}

size_t
in_count(void)
{
	return in.count;
}
