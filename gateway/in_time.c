/*
 * States of connections and how long they may last. Each of the timed states has one list in order
 * of deadlines, as all its deadlines are equally far away; one timer looks at their heads.
 */
#include "gateway/in_parts.h"

#include <assert.h>

#include "gateway/clock.h"
#include "gateway/descriptors.h"
#include "gateway/log.h"

enum { LINGER_US = 1000000, ANSWERS_MOST = 128 };

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

/* An answer that is not read is memory: where there are many, the one of which nothing was taken
 * for longest ends, if that is a second. */
static void
end_unread(void)
{
	struct in_conn *c = TAILQ_FIRST(&in.lists[IN_ANSWER]);

	if (clock_mono() - c->since < IN_GIVES_WAY)
		return;
	log_begin(LOG_LEVEL_WARNING, "server.warning",
	    "a connection is closed: too many do not read their answers");
	log_address("client.ip", &c->client);
	log_end();
	in_close(c);
}

void
in_enter(struct in_conn *c, enum in_state s)
{
	assert(c->state != IN_CLOSED); /* the end */
	if (s != c->state)
		in_enter_anew(c, s);
}

void
in_enter_anew(struct in_conn *c, enum in_state s)
{
	disarm(c);
	if (s == IN_ANSWER && c->state != s && in.counts[s] >= ANSWERS_MOST)
		end_unread(); /* one more; not one that goes on being read */
	in.counts[c->state]--;
	in.counts[s]++;
	c->state = s;
	arm(c);
}

bool
in_is_quiet(const struct in_conn *c)
{
	return in_is_opening(c) || (c->state == IN_IDLE && c->in.n == 0 && c->out.n == 0);
}

static void
expire(struct in_conn *c)
{
	if (c->waits != NULL)
		in_enter_anew(c, c->state); /* for its turn: it is we who take long */
	else if (in_is_opening(c))
		in_dismiss(c, METRICS_HEADER_TIME, "it took too long");
	else if (c->state == IN_HEAD)
		in_refuse(c, 408, "The header block took too long.");
	else if (c->state == IN_BODY)
		in_refuse(c, 408, "The body took too long.");
	else
		in_close(c);
}

/* Ends those that nobody is at, while the next process waits for the end of this one. */
static void
close_forgotten(int64_t now)
{
	struct in_conn *c, *next;

	for (c = LIST_FIRST(&in.all); c != NULL; c = next) {
		next = LIST_NEXT(c, all);
		if (in_is_quiet(c) && now - c->since >= IN_GIVES_WAY)
			in_close(c);
	}
}

void
in_on_tick(evutil_socket_t fd, short what, void *arg)
{
	int64_t now = clock_mono();
	struct in_conn *c;

	(void)fd;
	(void)what;
	(void)arg;
	in_accept_again();
	if (in.unwatched)
		in_rewatch();
	if (in.draining && in.listener_count == 0)
		close_forgotten(now);
	for (size_t s = 0; s < IN_STATES; s++)
		while ((c = TAILQ_FIRST(&in.lists[s])) != NULL && c->deadline <= now)
			expire(c);
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
		if (c->in.n == 0 || c->in.ceiling < in_kept_most())
			c->in.ceiling = in_kept_most(); /* it sinks when what is there is used */
}
