/*
 * The HTTP server as a whole: its start, its way down, its stop. in_parts.h says where the rest is.
 */
#include "gateway/in_parts.h"

#include <stdlib.h>

enum { TICK_US = 100000, ANSWER_ROOM = 8 << 10 };

struct in_server in;

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
	TAILQ_INIT(&in.large);
	TAILQ_INIT(&in.closed);
	for (size_t s = 0; s < IN_STATES; s++)
		TAILQ_INIT(&in.lists[s]);
	buf_init(&in.body, IN_REPLY_MAX - 1024);
	buf_init(&in.wire, IN_REPLY_MAX);
	buf_init(&in.parked, IN_PARKED_ALL);
	/* So that a refusal never wants for memory. */
	if (buf_room(&in.body, ANSWER_ROOM) == NULL || buf_room(&in.wire, ANSWER_ROOM) == NULL)
		return -1;
	in.tick = event_new(base, -1, EV_PERSIST, in_on_tick, NULL);
	if (in.tick == NULL)
		return -1;
	return event_add(in.tick, &tv);
}

void
in_close_quiet(const struct in_listener *listener)
{
	struct in_conn *c, *next;

	for (c = LIST_FIRST(&in.all); c != NULL; c = next) {
		next = LIST_NEXT(c, all);
		if (c->listener == listener && in_is_quiet(c))
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
		if (!in_is_quiet(c))
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
	buf_free(&in.body);
	buf_free(&in.wire);
	buf_free(&in.parked);
	free(in.trusted);
}

size_t
in_count(void)
{
	return in.count;
}
