/*
 * Every metric is a row of one table: name, type, help, and where its value comes from. A family is
 * written item by item (one webhook, one integration, one route), so that a walk over thousands of
 * series can stop anywhere and go on later; an item's lines come together.
 */
#include "gateway/metrics_parts.h"

#include <stdio.h>

#include "gateway/job.h"
#include "gateway/log.h"
#include "gateway/open.h"
#include "gateway/promtext.h"
#include "gateway/route.h"
#include "gateway/server.h"

enum { LABELS_MAX = 4096 };

/* What is written at the moment: one item of one family. */
struct sheet {
	const struct metrics_walk *walk;
	struct buf *to;
	const char *name; /* of the family */
	size_t item;
	struct buf labels;
};

static const struct slice none = {NULL, 0};

static void
put_value(struct sheet *s, uint64_t value)
{
	promtext_value(s->to, s->name, buf_slice(&s->labels), value);
}

/* With one more label, for this value only. */
static void
put_value_of(struct sheet *s, const char *label, const char *word, uint64_t value)
{
	size_t before = s->labels.n;

	promtext_label(&s->labels, label, slice_of(word));
	put_value(s, value);
	s->labels.n = before;
}

static void
put_histogram(struct sheet *s, const struct histogram *h)
{
	promtext_histogram(s->to, s->name, buf_slice(&s->labels), h);
}

/* ---- single values ----------------------------------------------------------------------- */

static void
write_build(struct sheet *s)
{
	put_value_of(s, "version", TOCSIN_VERSION, 1);
}

static void
write_start(struct sheet *s)
{
	promtext_seconds(s->to, s->name, none, (uint64_t)metrics.started);
}

static void
write_reload_ok(struct sheet *s)
{
	put_value(s, metrics.reload_ok);
}

static void
write_reload_time(struct sheet *s)
{
	promtext_seconds(s->to, s->name, none, (uint64_t)metrics.reloaded);
}

static void
write_ready(struct sheet *s)
{
	put_value(s, server_unready() == NULL);
}

static void
write_connections(struct sheet *s)
{
	put_value(s, in_count());
}

static void
write_refused(struct sheet *s)
{
#define REFUSAL_WORD(name, word) [METRICS_##name] = (word),
	static const char *const words[] = {METRICS_REFUSALS(REFUSAL_WORD)};

	for (size_t i = 0; i < COUNT_OF(words); i++)
		put_value_of(s, "reason", words[i], metrics.refused[i]);
}

static void
write_open(struct sheet *s)
{
	put_value_of(s, "status", "triggered", open_total_of(INCIDENT_TRIGGERED));
	put_value_of(s, "status", "acknowledged", open_total_of(INCIDENT_ACKNOWLEDGED));
}

static void
write_traces(struct sheet *s)
{
	if (s->walk->txn != NULL)
		put_value(s, traces_count(s->walk->txn));
}

static void
write_traces_expired(struct sheet *s)
{
	put_value(s, metrics.traces_expired);
}

static void
write_commit(struct sheet *s)
{
	put_histogram(s, &metrics.commit);
}

static void
write_commit_alerts(struct sheet *s)
{
	put_histogram(s, &metrics.commit_alerts);
}

static void
write_used(struct sheet *s)
{
	if (s->walk->txn != NULL)
		put_value(s, store_size(s->walk->txn, 0).used);
}

static void
write_limit(struct sheet *s)
{
	if (s->walk->txn != NULL)
		put_value(s, store_size(s->walk->txn, 0).limit);
}

static void
write_store_errors(struct sheet *s)
{
	put_value(s, metrics.store_errors);
}

static void
write_turn(struct sheet *s)
{
	put_histogram(s, &metrics.turn);
}

static void
write_dropped(struct sheet *s)
{
	put_value(s, log_dropped());
}

/* ---- by route, method and status --------------------------------------------------------- */

static size_t
count_routes(const struct metrics_walk *walk)
{
	(void)walk;
	return route_count();
}

static void
label_answer(struct sheet *s, size_t method, size_t status)
{
	char route[128], code[16];

	snprintf(route, sizeof route, "%s%s", s->item == 0 ? "" : "/",
	    route_path((unsigned)s->item));
	snprintf(code, sizeof code, "%d", in_status_at(status));
	buf_clear(&s->labels);
	promtext_label(&s->labels, "route", slice_of(route));
	promtext_label(&s->labels, "method", slice_of(metrics_methods[method]));
	promtext_label(&s->labels, "code", slice_of(code));
}

static void
each_answer(struct sheet *s, void (*put)(struct sheet *, const struct histogram *))
{
	for (size_t method = 0; method < METRICS_METHODS; method++)
		for (size_t status = 0; status < IN_STATUSES; status++) {
			const struct histogram *h = metrics.http[s->item][method][status];

			if (h == NULL)
				continue;
			label_answer(s, method, status);
			put(s, h);
		}
}

static void
put_total(struct sheet *s, const struct histogram *h)
{
	put_value(s, histogram_total(h));
}

static void
write_requests(struct sheet *s)
{
	each_answer(s, put_total);
}

static void
write_request_duration(struct sheet *s)
{
	each_answer(s, put_histogram);
}

/* ---- by integration ---------------------------------------------------------------------- */

static size_t
count_integrations(const struct metrics_walk *walk)
{
	return walk->conf->integration_count;
}

/* The integration that is written, with its labels set. */
static const struct metrics_integration *
begin_integration(struct sheet *s)
{
	const struct conf_integration *conf = &s->walk->conf->integrations[s->item];

	promtext_label(&s->labels, "service", conf->service->facts.name);
	promtext_label(&s->labels, "integration", conf->name);
	return metrics.integrations[conf->id];
}

static void
write_received(struct sheet *s)
{
	const struct metrics_integration *integration = begin_integration(s);

	for (int type = 0; type < METRICS_TYPES; type++)
		put_value_of(s, "alert_type", alert_type_name(type), integration->received[type]);
}

static void
write_applied(struct sheet *s)
{
	const struct metrics_integration *integration = begin_integration(s);

	for (int outcome = 0; outcome < METRICS_OUTCOMES; outcome++)
		put_value_of(s, "outcome", engine_outcome_word((enum engine_outcome)outcome),
		    integration->applied[outcome]);
}

static void
write_ignored(struct sheet *s)
{
	const struct metrics_integration *integration = begin_integration(s);

	put_value(s, integration->ignored);
}

/* ---- by webhook -------------------------------------------------------------------------- */

static size_t
count_webhooks(const struct metrics_walk *walk)
{
	return walk->conf->webhook_count;
}

static uint32_t
webhook_number(struct sheet *s)
{
	const struct conf_webhook *conf = &s->walk->conf->webhooks[s->item];

	promtext_label(&s->labels, "webhook", conf->name);
	return conf->id;
}

static const struct metrics_webhook *
begin_webhook(struct sheet *s)
{
	return metrics.webhooks[webhook_number(s)];
}

static void
write_deliveries(struct sheet *s)
{
	static const char *const events[METRICS_EVENTS] = {"triggered", "acknowledged", "resolved"};
	const struct metrics_webhook *webhook = begin_webhook(s);
	size_t before = s->labels.n;

	for (size_t i = 0; i < METRICS_EVENTS; i++) {
		s->labels.n = before;
		promtext_label(&s->labels, "event_type", slice_of(events[i]));
		put_value_of(s, "result", "delivered", webhook->delivered[i]);
		put_value_of(s, "result", "dead", webhook->dead[i]);
	}
}

static void
write_attempts(struct sheet *s)
{
	const struct metrics_webhook *webhook = begin_webhook(s);

	for (unsigned i = REASON_OK; i < REASON_COUNT; i++)
		if (i != REASON_QUEUE_FULL) /* which there is no attempt for */
			put_value_of(s, "reason", reason_word(i), webhook->attempts[i]);
}

static void
write_attempt_duration(struct sheet *s)
{
	put_histogram(s, &begin_webhook(s)->duration);
}

static void
write_end_to_end(struct sheet *s)
{
	put_histogram(s, &begin_webhook(s)->end_to_end);
}

static void
write_waiting(struct sheet *s)
{
	put_value(s, engine_waiting(webhook_number(s)));
}

static void
write_in_flight(struct sheet *s)
{
	put_value(s, (uint64_t)job_flying(webhook_number(s)));
}

static void
write_dead(struct sheet *s)
{
	uint32_t number = webhook_number(s);

	if (s->walk->txn != NULL)
		put_value(s, dead_count(s->walk->txn, number));
}

static void
write_breaker(struct sheet *s)
{
	put_value(s, job_breaker_open(webhook_number(s)));
}

static void
write_paused(struct sheet *s)
{
	put_value(s, engine_held(webhook_number(s)));
}

/* ---- the table --------------------------------------------------------------------------- */

static const struct family {
	const char *name, *type, *help;
	void (*write)(struct sheet *);
	size_t (*count)(const struct metrics_walk *); /* of items; NULL: one */
} families[] = {
    {"build_info", "gauge", "Always 1; the version is a label.", write_build, NULL},
    {"start_time_seconds", "gauge", "When this process started, since 1970.", write_start, NULL},
    {"config_last_reload_successful", "gauge",
	"Whether the configuration was taken over when it was last read.", write_reload_ok, NULL},
    {"config_last_reload_timestamp_seconds", "gauge",
	"When a configuration was last taken over, since 1970.", write_reload_time, NULL},
    {"ready", "gauge", "What /-/ready answers: 1 is ready.", write_ready, NULL},
    {"http_requests_total", "counter",
	"Requests answered. Route none: no such address, or not a request.", write_requests,
	count_routes},
    {"http_request_duration_seconds", "histogram",
	"From a complete request to its answer, commit included.", write_request_duration,
	count_routes},
    {"http_connections", "gauge", "Connections open to the listeners.", write_connections, NULL},
    {"http_rejected_total", "counter",
	"Requests refused, and times accepting stopped at limits.connections.", write_refused,
	NULL},
    {"alerts_received_total", "counter", "Alerts accepted and stored, by type as accepted.",
	write_received, count_integrations},
    {"alerts_applied_total", "counter", "What became of alerts.", write_applied,
	count_integrations},
    {"alerts_ignored_total", "counter", "Requests accepted that ask for nothing.", write_ignored,
	count_integrations},
    {"incidents_open", "gauge", "Incidents that are not resolved.", write_open, NULL},
    {"traces", "gauge", "Traces of alerts that are stored.", write_traces, NULL},
    {"traces_expired_total", "counter", "Traces that have expired.", write_traces_expired, NULL},
    {"deliveries_total", "counter", "Deliveries that came to their end.", write_deliveries,
	count_webhooks},
    {"delivery_attempts_total", "counter", "Attempts, by how they ended.", write_attempts,
	count_webhooks},
    {"delivery_attempt_duration_seconds", "histogram",
	"Attempts, from the look-up to the end of the answer.", write_attempt_duration,
	count_webhooks},
    {"delivery_end_to_end_seconds", "histogram",
	"From an incident's event to its delivery, waits and retries included.", write_end_to_end,
	count_webhooks},
    {"deliveries_waiting", "gauge", "Deliveries not made yet, those in flight included.",
	write_waiting, count_webhooks},
    {"deliveries_in_flight", "gauge", "Attempts under way.", write_in_flight, count_webhooks},
    {"dead_letters", "gauge", "Deliveries given up, which can be replayed.", write_dead,
	count_webhooks},
    {"breaker_open", "gauge", "1 while the receiver is taken to be down.", write_breaker,
	count_webhooks},
    {"webhook_paused", "gauge", "1 while deliveries are held, by an operator or a 410.",
	write_paused, count_webhooks},
    {"store_commit_duration_seconds", "histogram", "Commits, flushes included.", write_commit,
	NULL},
    {"store_commit_alerts", "histogram", "Alerts that shared a commit.", write_commit_alerts,
	NULL},
    {"store_used_bytes", "gauge", "Room taken by the state.", write_used, NULL},
    {"store_limit_bytes", "gauge", "Room there is for the state: limits.store.", write_limit,
	NULL},
    {"store_errors_total", "counter", "Turns that could not be stored.", write_store_errors,
	NULL},
    {"loop_turn_duration_seconds", "histogram",
	"Turns of the loop: their work, the commit, the answers.", write_turn, NULL},
    {"log_lines_dropped_total", "counter", "Log lines dropped, as their reader was too slow.",
	write_dropped, NULL},
};

static void
write_item(const struct metrics_walk *walk, struct sheet *s)
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
	struct sheet sheet = {.walk = walk, .to = to};
	size_t until = to->n + enough;

	buf_init(&sheet.labels, LABELS_MAX);
	while (walk->family < COUNT_OF(families) && to->n < until && !to->failed) {
		write_item(walk, &sheet);
		go_on(walk);
	}
	buf_free(&sheet.labels);
	return walk->family < COUNT_OF(families);
}
