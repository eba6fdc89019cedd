/*
 * The series, and counting.
 *
 *   integrations[number] ─▶ received[type], applied[outcome]
 *   webhooks[number]     ─▶ deliveries[event][result], attempts[reason], histograms
 *   http[route][method][status] ─▶ histogram, made on first sight: as many as we have routes
 *
 * A turn that fails has done nothing, so what speaks of its work waits in a list of increments
 * until it is committed:
 *
 *   metrics_received(), ... ─▶ staged (counter, by) ─▶ metrics_settle(true): added
 *                                                      metrics_settle(false): forgotten
 */
#include "gateway/metrics_parts.h"

#include <assert.h>
#include <stdlib.h>

#include "gateway/route.h"

static const struct histogram_scale request_scale = {true, 14,
    {{500, "0.0005"}, {1000, "0.001"}, {2500, "0.0025"}, {5000, "0.005"}, {10000, "0.01"},
	{25000, "0.025"}, {50000, "0.05"}, {100000, "0.1"}, {250000, "0.25"}, {500000, "0.5"},
	{1000000, "1"}, {2500000, "2.5"}, {5000000, "5"}, {10000000, "10"}}};

static const struct histogram_scale attempt_scale = {true, 11,
    {{5000, "0.005"}, {10000, "0.01"}, {25000, "0.025"}, {50000, "0.05"}, {100000, "0.1"},
	{250000, "0.25"}, {500000, "0.5"}, {1000000, "1"}, {2500000, "2.5"}, {3000000, "3"},
	{5000000, "5"}}};

static const struct histogram_scale end_to_end_scale = {true, 15,
    {{5000, "0.005"}, {10000, "0.01"}, {50000, "0.05"}, {100000, "0.1"}, {500000, "0.5"},
	{1000000, "1"}, {5000000, "5"}, {10000000, "10"}, {30000000, "30"}, {60000000, "60"},
	{300000000, "300"}, {1800000000, "1800"}, {3600000000, "3600"}, {21600000000, "21600"},
	{86400000000, "86400"}}};

/* Of commits, and of turns, which are mostly their commits. */
static const struct histogram_scale turn_scale = {true, 14,
    {{100, "0.0001"}, {250, "0.00025"}, {500, "0.0005"}, {1000, "0.001"}, {2500, "0.0025"},
	{5000, "0.005"}, {10000, "0.01"}, {25000, "0.025"}, {50000, "0.05"}, {100000, "0.1"},
	{250000, "0.25"}, {500000, "0.5"}, {1000000, "1"}, {2500000, "2.5"}}};

static const struct histogram_scale alerts_scale = {false, 12,
    {{0, "0"}, {1, "1"}, {2, "2"}, {4, "4"}, {8, "8"}, {16, "16"}, {32, "32"}, {64, "64"},
	{128, "128"}, {256, "256"}, {512, "512"}, {1024, "1024"}}};

enum { METHOD_OTHER = METRICS_METHODS - 1 };

const char *const metrics_methods[METRICS_METHODS] = {"POST", "GET", "HEAD", "PUT", "PATCH",
    "DELETE", "OPTIONS", "other"};

struct metrics metrics = {.commit = {.scale = &turn_scale},
    .commit_alerts = {.scale = &alerts_scale},
    .turn = {.scale = &turn_scale}};

/* Increments that wait for this turn's commit. */
static struct {
	struct {
		uint64_t *counter, by;
	} *list;
	size_t count, room;
	uint64_t alerts; /* accepted by this turn */
} staged;

/* ---- start, stop, configuration ---------------------------------------------------------- */

void
metrics_start(int64_t wall)
{
	metrics.started = wall;
	metrics_reload(true, wall);
}

void
metrics_stop(void)
{
	for (size_t i = 0; i < sizeof metrics.http / sizeof metrics.http[0][0][0]; i++)
		free((&metrics.http[0][0][0])[i]);
	for (size_t i = 0; i < metrics.room; i++) {
		free(metrics.integrations[i]);
		free(metrics.webhooks[i]);
	}
	free(metrics.integrations);
	free(metrics.webhooks);
	free(staged.list);
	memset(&metrics, 0, sizeof metrics);
	memset(&staged, 0, sizeof staged);
	metrics.commit.scale = metrics.turn.scale = &turn_scale;
	metrics.commit_alerts.scale = &alerts_scale;
}

static bool
grow(uint32_t number)
{
	size_t room = metrics.room == 0 ? 64 : metrics.room;
	void *integrations, *webhooks;

	while (room <= number)
		room *= 2;
	if (room == metrics.room)
		return true;
	integrations = realloc(metrics.integrations, room * sizeof *metrics.integrations);
	if (integrations != NULL)
		metrics.integrations = integrations;
	webhooks = realloc(metrics.webhooks, room * sizeof *metrics.webhooks);
	if (webhooks != NULL)
		metrics.webhooks = webhooks;
	if (integrations == NULL || webhooks == NULL)
		return false;
	for (size_t i = metrics.room; i < room; i++) {
		metrics.integrations[i] = NULL;
		metrics.webhooks[i] = NULL;
	}
	metrics.room = room;
	return true;
}

static bool
add_integration(uint32_t number)
{
	if (!grow(number))
		return false;
	if (metrics.integrations[number] == NULL)
		metrics.integrations[number] = calloc(1, sizeof *metrics.integrations[number]);
	return metrics.integrations[number] != NULL;
}

static bool
add_webhook(uint32_t number)
{
	struct metrics_webhook *webhook;

	if (!grow(number))
		return false;
	if (metrics.webhooks[number] != NULL)
		return true;
	webhook = metrics.webhooks[number] = calloc(1, sizeof *webhook);
	if (webhook == NULL)
		return false;
	webhook->duration.scale = &attempt_scale;
	webhook->end_to_end.scale = &end_to_end_scale;
	return true;
}

int
metrics_configure(const struct conf *conf)
{
	assert(route_count() <= METRICS_ROUTES);
	for (size_t i = 0; i < conf->integration_count; i++)
		if (!add_integration(conf->integrations[i].id))
			return -1;
	for (size_t i = 0; i < conf->webhook_count; i++)
		if (!add_webhook(conf->webhooks[i].id))
			return -1;
	return 0;
}

void
metrics_reload(bool ok, int64_t wall)
{
	metrics.reload_ok = ok;
	if (ok)
		metrics.reloaded = wall;
}

/* ---- requests ---------------------------------------------------------------------------- */

unsigned
metrics_method(struct slice name)
{
	for (unsigned i = 0; i < METHOD_OTHER; i++)
		if (slice_is(name, slice_of(metrics_methods[i])))
			return i;
	return METHOD_OTHER;
}

unsigned
metrics_no_method(void)
{
	return METHOD_OTHER;
}

static struct histogram *
new_histogram(const struct histogram_scale *scale)
{
	struct histogram *h = calloc(1, sizeof *h);

	if (h != NULL)
		h->scale = scale;
	return h;
}

static uint64_t
positive(int64_t us)
{
	return us < 0 ? 0 : (uint64_t)us;
}

void
metrics_answer(unsigned route, unsigned method, int status, int64_t us)
{
	struct histogram **h = &metrics.http[route][method][in_status_index(status)];

	if (*h == NULL)
		*h = new_histogram(&request_scale);
	if (*h != NULL)
		histogram_add(*h, positive(us));
}

void
metrics_refused(enum metrics_refusal why)
{
	if (why != METRICS_NOT_REFUSED)
		metrics.refused[why]++;
}

/* ---- attempts, turns --------------------------------------------------------------------- */

static struct metrics_webhook *
webhook_of(uint32_t number)
{
	return number < metrics.room ? metrics.webhooks[number] : NULL;
}

void
metrics_attempt(uint32_t number, enum reason reason, int64_t us)
{
	struct metrics_webhook *webhook = webhook_of(number);

	if (webhook == NULL)
		return;
	webhook->attempts[reason]++;
	histogram_add(&webhook->duration, positive(us));
}

void
metrics_turn(int64_t us)
{
	histogram_add(&metrics.turn, positive(us));
}

void
metrics_commit(int64_t us)
{
	histogram_add(&metrics.commit, positive(us));
	histogram_add(&metrics.commit_alerts, staged.alerts);
}

void
metrics_store_error(void)
{
	metrics.store_errors++;
}

/* ---- behind the commit ------------------------------------------------------------------- */

/* Without memory the increment is lost: better than the turn. */
static void
stage(uint64_t *counter, uint64_t by)
{
	size_t room = staged.room == 0 ? 1024 : 2 * staged.room;
	void *list;

	if (staged.count == staged.room) {
		list = realloc(staged.list, room * sizeof *staged.list);
		if (list == NULL)
			return;
		staged.list = list;
		staged.room = room;
	}
	staged.list[staged.count].counter = counter;
	staged.list[staged.count++].by = by;
}

static struct metrics_integration *
integration_of(uint32_t number)
{
	return number < metrics.room ? metrics.integrations[number] : NULL;
}

void
metrics_ignored(uint32_t number)
{
	struct metrics_integration *integration = integration_of(number);

	if (integration != NULL)
		integration->ignored++;
}

void
metrics_received(uint32_t number, enum alert_type type)
{
	struct metrics_integration *integration = integration_of(number);

	staged.alerts++;
	if (integration != NULL)
		stage(&integration->received[type], 1);
}

void
metrics_applied(uint32_t number, enum engine_outcome outcome)
{
	struct metrics_integration *integration = integration_of(number);

	if (integration != NULL && outcome != OUTCOME_QUEUED)
		stage(&integration->applied[outcome], 1);
}

/* EVENT_TRIGGERED, _ACKNOWLEDGED, _RESOLVED are 1, 2, 4. */
static size_t
event_index(uint8_t type)
{
	return type >> 1;
}

void
metrics_settled(uint32_t number, const struct delivery_row *row, int64_t age)
{
	struct metrics_webhook *webhook = webhook_of(number);
	size_t event = event_index(row->event_type);

	if (webhook == NULL || event >= METRICS_EVENTS)
		return;
	if (row->state == DELIVERY_DEAD) {
		stage(&webhook->dead[event], 1);
		return;
	}
	stage(&webhook->delivered[event], 1);
	stage(histogram_range(&webhook->end_to_end, positive(age)), 1);
	stage(&webhook->end_to_end.sum, positive(age));
}

void
metrics_traces_expired(size_t count)
{
	if (count > 0)
		stage(&metrics.traces_expired, count);
}

void
metrics_settle(bool committed)
{
	for (size_t i = 0; committed && i < staged.count; i++)
		*staged.list[i].counter += staged.list[i].by;
	staged.count = 0;
	staged.alerts = 0;
}
