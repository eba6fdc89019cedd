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
 */
#include "gateway/in_parts.h"

#include <stdlib.h>
#include <unistd.h>

#include "gateway/log.h"
#include "gateway/turn.h"

enum { LINGER_BYTES = 1 << 20 };

/* ---- what is watched --------------------------------------------------------------------- */

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

void
in_rewatch(void)
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

/* ---- the end, and going on --------------------------------------------------------------- */

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
	if (c->waits != NULL)
		TAILQ_REMOVE(c->waits, c, on);
	LIST_REMOVE(c, all);
	TAILQ_INSERT_TAIL(&in.closed, c, on);
	in.count--;
	if (c->gone != NULL)
		c->gone(c->gone_arg);
	c->gone = NULL;
}

/* A client that goes away is not worth a line. */
void
in_lose(struct in_conn *c, bool lacking)
{
	if (lacking) {
		log_begin(LOG_LEVEL_WARNING, "server.warning", "a connection is closed: no memory");
		log_address("client.ip", &c->client);
		log_end();
	}
	in_close(c);
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
		in.counts[IN_CLOSED]--;
		buf_free(&c->in);
		buf_free(&c->out);
		in_let_go(c->listener);
		free(c);
	}
}

void
in_resume(struct in_conn *c)
{
	if (c->in.n > 0) {
		in_enter_anew(c, IN_HEAD);
		in_wait(c, &in.onward);
	} else if (c->eof || c->listener->gone) {
		in_close(c);
	} else {
		in_enter(c, IN_IDLE);
		in_read_on(c, true);
	}
}

void
in_read_if_room(struct in_conn *c)
{
	size_t most = in.limits.header + IN_SHARED_SIZE;

	if (c->state == IN_BODY) /* which must become whole, also by a limit that was higher */
		most = c->in.ceiling - IN_SHARED_SIZE;
	in_read_on(c, c->in.n < most);
}

/* ---- bytes ------------------------------------------------------------------------------- */

static void
on_end(struct in_conn *c)
{
	c->eof = true;
	in_read_on(c, false);
	/* A client may half-close behind its last request and still wait for the answer. */
	if (c->state != IN_PARKED && c->out.n == 0 && c->waits == NULL)
		in_close(c);
}

static void
drop_bytes(struct in_conn *c, size_t n)
{
	c->dropped += n;
	if (c->dropped > LINGER_BYTES)
		in_close(c);
}

/* Bytes behind a request that is not answered yet. */
static void
store_bytes(struct in_conn *c, size_t n)
{
	buf_put(&c->in, in.shared, n);
	if (c->in.failed)
		in_lose(c, true);
	else
		in_read_if_room(c);
}

static void
on_bytes(struct in_conn *c, size_t n)
{
	if (c->state == IN_LINGER || (c->state == IN_ANSWER && c->close)) {
		drop_bytes(c, n);
	} else if (c->state == IN_PARKED || c->out.n > 0 || c->waits != NULL) {
		store_bytes(c, n);
	} else if (c->in.n == 0) {
		in_take_shared(c, n);
	} else {
		buf_put(&c->in, in.shared, n);
		if (c->in.failed)
			in_refuse(c, 503, in_no_memory);
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
	if (in_is_opening(c)) {
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
		in_lose(c, c->stream.lacking);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct in_conn *c = arg;

	if (in_is_opening(c)) {
		in_open(c);
	} else if (c->out.n > 0 && !c->uncommitted) {
		in_flush(c);
	} else {
		in_write_on(c, false); /* the stream wanted it, to go on with reading */
		on_readable(fd, what, c);
	}
}

/* ---- the beginning ----------------------------------------------------------------------- */

void
in_add(int fd, const struct address *peer, struct in_listener *listener)
{
	struct in_conn *c = calloc(1, sizeof *c);

	if (c == NULL) {
		in_tell_refused("no memory");
		close(fd);
		return;
	}
	c->fd = fd;
	c->state = IN_PARKED; /* no list */
	in.counts[c->state]++;
	c->peer = c->client = *peer;
	c->listener = listener;
	listener->users++;
	buf_init(&c->in, in_kept_most());
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
