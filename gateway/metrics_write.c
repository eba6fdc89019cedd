/*
 * Every metric is a row of one table: name, type, help, and where its value comes from. A family is
 * written item by item (one webhook, one integration, one route), so that a walk over thousands of
 * series can stop anywhere and go on later; an item's lines come together.
 */
#include "gateway/metrics_parts.h"

#include "gateway/log.h"
#include "gateway/open.h"
#include "gateway/promtext.h"
#include "gateway/server.h"

enum { LABELS_MAX = 4096 };

/* ---- single values ----------------------------------------------------------------------- */

static void
write_build(struct metrics_sheet *s)
{
	metrics_put_value_of(s, "version", TOCSIN_VERSION, 1);
}

static void
write_start(struct metrics_sheet *s)
{
	promtext_seconds(s->to, s->name, buf_slice(&s->labels), (uint64_t)metrics.started);
}

static void
write_reload_ok(struct metrics_sheet *s)
{
	metrics_put_value(s, metrics.reload_ok);
}

static void
write_reload_time(struct metrics_sheet *s)
{
	promtext_seconds(s->to, s->name, buf_slice(&s->labels), (uint64_t)metrics.reloaded);
}

static void
write_ready(struct metrics_sheet *s)
{
	metrics_put_value(s, server_unready() == NULL);
}

static void
write_connections(struct metrics_sheet *s)
{
	metrics_put_value(s, in_count());
}

static void
write_refused(struct metrics_sheet *s)
{
#define REFUSAL_WORD(name, word) [METRICS_##name] = (word),
	static const char *const words[] = {METRICS_REFUSALS(REFUSAL_WORD)};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		metrics_put_value_of(s, "reason", words[i], metrics.refused[i]);
}

static void
write_open(struct metrics_sheet *s)
{
	metrics_put_value_of(s, "status", "triggered", open_total_of(INCIDENT_TRIGGERED));
	metrics_put_value_of(s, "status", "acknowledged", open_total_of(INCIDENT_ACKNOWLEDGED));
}

static void
write_applying_paused(struct metrics_sheet *s)
{
	metrics_put_value(s, engine_paused());
}

static void
write_queued(struct metrics_sheet *s)
{
	if (s->walk->txn != NULL)
		metrics_put_value(s, pending_count(s->walk->txn));
}

static void
write_traces(struct metrics_sheet *s)
{
	if (s->walk->txn != NULL)
		metrics_put_value(s, traces_count(s->walk->txn));
}

static void
write_traces_expired(struct metrics_sheet *s)
{
	metrics_put_value(s, metrics.traces_expired);
}

static void
write_commit(struct metrics_sheet *s)
{
	metrics_put_histogram(s, &metrics.commit);
}

static void
write_commit_alerts(struct metrics_sheet *s)
{
	metrics_put_histogram(s, &metrics.commit_alerts);
}

static void
write_used(struct metrics_sheet *s)
{
	if (s->walk->txn != NULL)
		metrics_put_value(s, store_size(s->walk->txn, 0).used);
}

static void
write_limit(struct metrics_sheet *s)
{
	if (s->walk->txn != NULL)
		metrics_put_value(s, store_size(s->walk->txn, 0).limit);
}

static void
write_store_errors(struct metrics_sheet *s)
{
	metrics_put_value(s, metrics.store_errors);
}

static void
write_turn(struct metrics_sheet *s)
{
	metrics_put_histogram(s, &metrics.turn);
}

static void
write_dropped(struct metrics_sheet *s)
{
	metrics_put_value(s, log_dropped());
}

/* ---- the table --------------------------------------------------------------------------- */

#define ONE            NULL
#define BY_ROUTE       metrics_count_routes
#define BY_INTEGRATION metrics_count_integrations
#define BY_WEBHOOK     metrics_count_webhooks

static const struct family {
	const char *name, *type, *help;
	metrics_item *write;
	metrics_items *count; /* of items; NULL: one */
} families[] = {
    {"build_info", "gauge", "Always 1; the version is a label.", write_build, ONE},
    {"start_time_seconds", "gauge", "When this process started, since 1970.", write_start, ONE},
    {"config_last_reload_successful", "gauge",
	"Whether the configuration was taken over when it was last read.", write_reload_ok, ONE},
    {"config_last_reload_timestamp_seconds", "gauge",
	"When a configuration was last taken over, since 1970.", write_reload_time, ONE},
    {"ready", "gauge", "What /-/ready answers: 1 is ready.", write_ready, ONE},
    {"http_requests_total", "counter",
	"Requests answered. Route none: no such address, or not a request.",
	metrics_write_requests, BY_ROUTE},
    {"http_request_duration_seconds", "histogram",
	"From a complete request to its answer, commit included.",
	metrics_write_request_duration, BY_ROUTE},
    {"http_connections", "gauge", "Connections open to the listeners.", write_connections, ONE},
    {"http_rejected_total", "counter",
	"Requests refused, and times accepting stopped at limits.connections.",
	write_refused, ONE},
    {"alerts_received_total", "counter", "Alerts accepted and stored, by type as accepted.",
	metrics_write_received, BY_INTEGRATION},
    {"alerts_applied_total", "counter", "What became of alerts.",
	metrics_write_applied, BY_INTEGRATION},
    {"alerts_ignored_total", "counter", "Requests accepted that ask for nothing.",
	metrics_write_ignored, BY_INTEGRATION},
    {"applying_paused", "gauge", "1 while alerts are accepted and not applied, by an operator.",
	write_applying_paused, ONE},
    {"alerts_queued", "gauge", "Alerts accepted and not applied yet.", write_queued, ONE},
    {"incidents_open", "gauge", "Incidents that are not resolved.", write_open, ONE},
    {"traces", "gauge", "Traces of alerts that are stored.", write_traces, ONE},
    {"traces_expired_total", "counter", "Traces that have expired.", write_traces_expired, ONE},
    {"deliveries_total", "counter", "Deliveries that came to their end.",
	metrics_write_deliveries, BY_WEBHOOK},
    {"delivery_attempts_total", "counter", "Attempts, by how they ended.",
	metrics_write_attempts, BY_WEBHOOK},
    {"delivery_attempt_duration_seconds", "histogram",
	"Attempts, from the look-up to the end of the answer.",
	metrics_write_attempt_duration, BY_WEBHOOK},
    {"delivery_end_to_end_seconds", "histogram",
	"From an incident's event to its delivery, waits and retries included.",
	metrics_write_end_to_end, BY_WEBHOOK},
    {"deliveries_waiting", "gauge", "Deliveries not made yet, those in flight included.",
	metrics_write_waiting, BY_WEBHOOK},
    {"deliveries_in_flight", "gauge", "Attempts under way.", metrics_write_in_flight, BY_WEBHOOK},
    {"dead_letters", "gauge", "Deliveries given up, which can be replayed.",
	metrics_write_dead, BY_WEBHOOK},
    {"breaker_open", "gauge", "1 while the receiver is taken to be down.",
	metrics_write_breaker, BY_WEBHOOK},
    {"webhook_paused", "gauge", "1 while deliveries are held, by an operator or a 410.",
	metrics_write_paused, BY_WEBHOOK},
    {"store_commit_duration_seconds", "histogram", "Commits, flushes included.", write_commit, ONE},
    {"store_commit_alerts", "histogram", "Alerts that shared a commit.", write_commit_alerts, ONE},
    {"store_used_bytes", "gauge", "Room taken by the state.", write_used, ONE},
    {"store_limit_bytes", "gauge", "Room there is for the state: limits.store.", write_limit, ONE},
    {"store_errors_total", "counter", "Turns that could not be stored.", write_store_errors, ONE},
    {"loop_turn_duration_seconds", "histogram",
	"Turns of the loop: their work, the commit, the answers.", write_turn, ONE},
    {"log_lines_dropped_total", "counter", "Log lines dropped, as their reader was too slow.",
	write_dropped, ONE},
};

static void
write_item(const struct metrics_walk *walk, struct metrics_sheet *s)
{
	const struct family *family = &families[walk->family];

	s->name = family->name;
	s->item = walk->item;
	buf_clear(&s->labels);
	if (walk->item == 0)
		promtext_family(s->to, family->name, family->type, family->help);
	if (family->count == NULL || walk->item < family->count(walk))
		family->write(s);
}

static void
go_on(struct metrics_walk *walk)
{
	const struct family *family = &families[walk->family];

	walk->item++;
	if (walk->item < (family->count == NULL ? 1 : family->count(walk)))
		return;
	walk->family++;
	walk->item = 0;
}

bool
metrics_write(struct metrics_walk *walk, struct buf *to, size_t enough)
{
	struct metrics_sheet sheet = {.walk = walk, .to = to};
	size_t until = to->n + enough;

	buf_init(&sheet.labels, LABELS_MAX);
	while (walk->family < COUNT_OF(families) && to->n < until && !to->failed) {
		write_item(walk, &sheet);
		go_on(walk);
	}
	buf_free(&sheet.labels);
	return walk->family < COUNT_OF(families);
}
