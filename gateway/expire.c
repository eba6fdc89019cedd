/*
 * Every table grows at its right edge and is swept from its left one. Each turn that writes pays a
 * little: two rows for each one it put, so that the sweep keeps up with any load, and a few more,
 * so that it ends when the load does.
 */
#include "gateway/expire.h"

#include <assert.h>

#include "gateway/clock.h"
#include "gateway/metrics.h"

#define SIMILAR_US (INT64_C(86400) * CLOCK_S)

enum { LEAST_ROWS = 64, STEP_ROWS = 32, MAX_US = 2000, REST_US = 60000000 };

/* A trace counts from the moment its answer was sent, which is later than its id by a commit. */
enum { TRACE_GRACE_MS = 2000 };

static struct {
	int64_t trace, incident; /* retention, us */
	struct uuid deliveries;  /* where the walk over events stands; zero: not under way */
	int64_t rest_until;      /* steady: no new walk before */
	bool backlog;
} state;

static size_t
step_traces(struct txn *txn, size_t max)
{
	size_t removed = traces_expire(txn, expire_trace_horizon(), max);

	metrics_traces_expired(removed);
	return removed;
}

static size_t
step_alerts(struct txn *txn, size_t max)
{
	return alerts_expire(txn, expire_incident_horizon(), max);
}

/* Undelivered events stay, however old; a walk that has passed them rests before the next one. */
static bool
resting(void)
{
	return uuid_is_zero(&state.deliveries) && clock_steady() < state.rest_until;
}

static size_t
step_deliveries(struct txn *txn, size_t max)
{
	size_t removed;

	if (resting())
		return 0;
	removed = deliveries_expire(txn, expire_incident_horizon(), &state.deliveries, max);
	if (uuid_is_zero(&state.deliveries))
		state.rest_until = clock_steady() + REST_US;
	return removed;
}

static size_t
step_incidents(struct txn *txn, size_t max)
{
	return closed_expire(txn, (int64_t)expire_incident_horizon() * CLOCK_MS, max);
}

/* Rules ask for the last day. Walked two rows for each one put, so that a round is over before the
 * table has doubled. */
static void
step_similar(struct txn *txn, size_t max)
{
	similar_expire(txn, clock_steady() - SIMILAR_US, max);
}

static size_t (*const steps[])(struct txn *, size_t) = {step_traces, step_alerts, step_deliveries,
    step_incidents};

void
expire_configure(const struct conf *conf)
{
	state.trace = conf->retention.trace;
	state.incident = conf->retention.incident;
}

static uint64_t
horizon_ms(int64_t age)
{
	int64_t at = clock_steady() - age;

	assert(age > 0); /* configured: else everything would be old */
	return at <= 0 ? 0 : (uint64_t)(at / CLOCK_MS);
}

uint64_t
expire_trace_horizon(void)
{
	uint64_t ms = horizon_ms(state.trace);

	return ms < TRACE_GRACE_MS ? 0 : ms - TRACE_GRACE_MS;
}

uint64_t
expire_incident_horizon(void)
{
	return horizon_ms(state.incident);
}

bool
expire_wanted(struct txn *txn)
{
	return txn != NULL && store_has_old(txn, expire_trace_horizon(), expire_incident_horizon(),
				  !resting());
}

void
expire_step(struct txn *txn)
{
	size_t left = LEAST_ROWS + 2 * store_rows_put(txn), max, removed;
	int64_t until = clock_mono() + MAX_US;

	state.backlog = false;
	step_similar(txn, left);
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		do {
			max = left < STEP_ROWS ? left : STEP_ROWS;
			if (max == 0 || clock_mono() > until) {
				state.backlog = true;
				return;
			}
			removed = steps[i](txn, max);
			left -= removed < left ? removed : left;
		} while (removed >= max);
}

bool
expire_backlog(void)
{
	return state.backlog;
}
