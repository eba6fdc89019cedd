/*
 *             signal               "drain" is over, or               nothing is under way,
 *                                  nobody can come any more          or 3.2 s are over
 *   SERVING ─────────▶ DRAINING ──────────────────────▶ TURNING_AWAY ─────────▶ OVER
 *                      all is served,                   requests get 503,        ▲
 *                      ready says 503                   no attempt starts        │
 *                          └──────────────── another signal ────────────────────┘
 *
 * Attempts in flight end within their deadline of 3 s. What has not ended by then is left to the
 * next start: it is stored.
 */
#include "gateway/drain.h"

#include <signal.h>

#include "gateway/clock.h"
#include "gateway/in.h"
#include "gateway/job.h"
#include "gateway/log.h"
#include "gateway/notify.h"
#include "gateway/route.h"

/* The first is for what was accepted at the last moment and is not read yet. */
enum { LEAST_US = 200000, MOST_US = 3200000 };

static struct {
	enum { SERVING, DRAINING, TURNING_AWAY, OVER } step;
	int64_t until; /* mono: when DRAINING ends */
	bool hurried;
	struct event *terminate, *interrupt;
} drain;

static void
begin(int signal_number)
{
	int64_t us = route_conf()->drain;

	drain.step = DRAINING;
	drain.until = clock_mono() + us;
	log_begin(LOG_LEVEL_INFO, "server.draining",
	    "signal %d: not ready any more, stopping in %lld.%lld s", signal_number,
	    (long long)(us / CLOCK_S), (long long)(us % CLOCK_S / (CLOCK_S / 10)));
	log_end();
	notify_stopping("draining");
	in_drain();
}

static void
on_signal(evutil_socket_t signal_number, short what, void *arg)
{
	(void)what;
	(void)arg;
	if (drain.step == SERVING) {
		begin((int)signal_number);
		return;
	}
	drain.hurried |= drain.step != OVER;
	drain.step = OVER;
}

int
drain_start(struct event_base *base)
{
	drain.terminate = evsignal_new(base, SIGTERM, on_signal, NULL);
	drain.interrupt = evsignal_new(base, SIGINT, on_signal, NULL);
	if (drain.terminate == NULL || drain.interrupt == NULL)
		return -1;
	return event_add(drain.terminate, NULL) | event_add(drain.interrupt, NULL);
}

void
drain_stop(void)
{
	event_free(drain.terminate);
	event_free(drain.interrupt);
}

bool
drain_begun(void)
{
	return drain.step != SERVING;
}

bool
drain_hurried(void)
{
	return drain.hurried;
}

static void
turn_away(int64_t now)
{
	drain.step = TURNING_AWAY;
	drain.until = now;
	in_turn_away();
	job_drain();
}

bool
drain_over(void)
{
	int64_t now;

	if (drain.step == SERVING)
		return false;
	now = clock_mono();
	if (drain.step == DRAINING && (now >= drain.until || in_deserted()))
		turn_away(now);
	if (drain.step == TURNING_AWAY && now >= drain.until + LEAST_US &&
	    ((job_in_flight() == 0 && in_quiet()) || now >= drain.until + MOST_US))
		drain.step = OVER;
	return drain.step == OVER;
}
