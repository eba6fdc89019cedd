/*
 * Who waits for whom. So that nobody waits long for others, a pass of the loop takes
 *
 *     from each socket with bytes    one request; what is behind it goes onto the list `onward`
 *     from `onward`                  some requests of each connection, for a quarter of a
 *                                    millisecond, not counting those that wait for the commit
 *     from `large`                   requests with a large body, wherever they came from, for a
 *                                    millisecond, or as many bytes as one may have
 *
 * and both lists are queues. A pass whose commit others wait for takes large ones only when none
 * was taken for some time: otherwise they have the passes in between, and the commits.
 */
#include "gateway/in_parts.h"

#include "gateway/clock.h"
#include "gateway/turn.h"

enum { ONWARD_US = 250 };
enum { LARGE_US = 1000, LARGE_BYTES = 512 << 10, LARGE_REST_US = 10000 };

void
in_wait(struct in_conn *c, struct in_list *list)
{
	if (c->waits != NULL)
		return;
	c->waits = list;
	TAILQ_INSERT_TAIL(list, c, on);
}

static bool
somebody_waits(void)
{
	return !TAILQ_EMPTY(&in.onward) || !TAILQ_EMPTY(&in.large);
}

static void
go_on(struct in_conn *c, void (*take)(struct in_conn *))
{
	TAILQ_REMOVE(c->waits, c, on);
	c->waits = NULL;
	take(c);
	if (c->state != IN_CLOSED && !c->eof)
		in_read_if_room(c);
}

/* Those that come onto the list meanwhile have their turn in the next pass. What waits for the
 * commit costs no time here: it is as good as what came by a socket, up to a full turn. */
static void
take_onward(int64_t now)
{
	struct in_conn *last = TAILQ_LAST(&in.onward, in_list), *c = NULL;
	int64_t until = now + ONWARD_US, before;

	while (now < until && c != last && (c = TAILQ_FIRST(&in.onward)) != NULL) {
		go_on(c, in_take_kept);
		before = now;
		now = clock_mono();
		if (c->uncommitted && !turn_full())
			until += now - before;
	}
}

/* One, and more while there is time. */
static void
take_large(int64_t now)
{
	int64_t until = now + LARGE_US;
	size_t bytes = 0;
	struct in_conn *c;

	while (now < until && bytes < LARGE_BYTES && (c = TAILQ_FIRST(&in.large)) != NULL) {
		bytes += c->body_n;
		go_on(c, in_take_whole);
		in.large_at = now = clock_mono();
	}
}

static void
take_waiting(void)
{
	int64_t now = clock_mono();

	take_onward(now);
	if (!turn_awaited() || now - in.large_at >= LARGE_REST_US)
		take_large(clock_mono());
}

void
in_pass(void)
{
	event_base_loop(in.base, EVLOOP_ONCE | (somebody_waits() ? EVLOOP_NONBLOCK : 0));
	if (somebody_waits())
		take_waiting();
}
