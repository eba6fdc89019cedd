/*
 * Families with many series: one for each kind of answer, each integration, each webhook. Those of
 * the configuration are all written, from the start and at 0; answers are as they were given.
 */
#include "gateway/metrics_parts.h"

#include <stdio.h>

#include "gateway/job.h"
#include "gateway/promtext.h"
#include "gateway/route.h"

void
metrics_put_value(struct metrics_sheet *s, uint64_t value)
{
	promtext_value(s->to, s->name, buf_slice(&s->labels), value);
}

void
metrics_put_value_of(struct metrics_sheet *s, const char *label, const char *word, uint64_t value)
{
	size_t before = s->labels.n;

	promtext_label(&s->labels, label, slice_of(word));
	metrics_put_value(s, value);
	s->labels.n = before;
}

void
metrics_put_histogram(struct metrics_sheet *s, const struct histogram *h)
{
	promtext_histogram(s->to, s->name, buf_slice(&s->labels), h);
}

/* ---- by route, method and status --------------------------------------------------------- */

size_t
metrics_count_routes(const struct metrics_walk *walk)
{
	(void)walk;
	return route_count();
}

static void
label_answer(struct metrics_sheet *s, size_t method, size_t status)
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
each_answer(struct metrics_sheet *s, void (*put)(struct metrics_sheet *, const struct histogram *))
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
put_total(struct metrics_sheet *s, const struct histogram *h)
{
	metrics_put_value(s, histogram_total(h));
}

void
metrics_write_requests(struct metrics_sheet *s)
{
	each_answer(s, put_total);
}

void
metrics_write_request_duration(struct metrics_sheet *s)
{
	each_answer(s, metrics_put_histogram);
}

/* ---- by integration ---------------------------------------------------------------------- */

size_t
metrics_count_integrations(const struct metrics_walk *walk)
{
	return walk->conf->integration_count;
}

/* The integration that is written, with its labels set. */
static const struct metrics_integration *
begin_integration(struct metrics_sheet *s)
{
	const struct conf_integration *conf = &s->walk->conf->integrations[s->item];

	promtext_label(&s->labels, "service", conf->service->facts.name);
	promtext_label(&s->labels, "integration", conf->name);
	return metrics.integrations[conf->id];
}

void
metrics_write_received(struct metrics_sheet *s)
{
	const struct metrics_integration *integration = begin_integration(s);

	for (int type = 0; type < METRICS_TYPES; type++)
		metrics_put_value_of(s, "alert_type", alert_type_name(type),
		    integration->received[type]);
}

void
metrics_write_applied(struct metrics_sheet *s)
{
	const struct metrics_integration *integration = begin_integration(s);

	for (int i = 0; i < METRICS_OUTCOMES; i++)
		metrics_put_value_of(s, "outcome", engine_outcome_word((enum engine_outcome)i),
		    integration->applied[i]);
}

void
metrics_write_ignored(struct metrics_sheet *s)
{
	metrics_put_value(s, begin_integration(s)->ignored);
}

/* ---- by webhook -------------------------------------------------------------------------- */

size_t
metrics_count_webhooks(const struct metrics_walk *walk)
{
	return walk->conf->webhook_count;
}

static uint32_t
webhook_number(struct metrics_sheet *s)
{
	const struct conf_webhook *conf = &s->walk->conf->webhooks[s->item];

	promtext_label(&s->labels, "webhook", conf->name);
	return conf->id;
}

static const struct metrics_webhook *
begin_webhook(struct metrics_sheet *s)
{
	return metrics.webhooks[webhook_number(s)];
}

void
metrics_write_deliveries(struct metrics_sheet *s)
{
	static const char *const events[METRICS_EVENTS] = {"triggered", "acknowledged", "resolved"};
	const struct metrics_webhook *webhook = begin_webhook(s);
	size_t before = s->labels.n;

	for (size_t i = 0; i < METRICS_EVENTS; i++) {
		s->labels.n = before;
		promtext_label(&s->labels, "event_type", slice_of(events[i]));
		metrics_put_value_of(s, "result", "delivered", webhook->delivered[i]);
		metrics_put_value_of(s, "result", "dead", webhook->dead[i]);
	}
}

void
metrics_write_attempts(struct metrics_sheet *s)
{
	const struct metrics_webhook *webhook = begin_webhook(s);

	for (unsigned i = REASON_OK; i < REASON_COUNT; i++)
		if (i != REASON_QUEUE_FULL) /* which there is no attempt for */
			metrics_put_value_of(s, "reason", reason_word(i), webhook->attempts[i]);
}

void
metrics_write_attempt_duration(struct metrics_sheet *s)
{
	metrics_put_histogram(s, &begin_webhook(s)->duration);
}

void
metrics_write_end_to_end(struct metrics_sheet *s)
{
	metrics_put_histogram(s, &begin_webhook(s)->end_to_end);
}

void
metrics_write_waiting(struct metrics_sheet *s)
{
	metrics_put_value(s, engine_waiting(webhook_number(s)));
}

void
metrics_write_in_flight(struct metrics_sheet *s)
{
	metrics_put_value(s, (uint64_t)job_flying(webhook_number(s)));
}

void
metrics_write_dead(struct metrics_sheet *s)
{
	uint32_t number = webhook_number(s);

	if (s->walk->txn != NULL)
		metrics_put_value(s, dead_count(s->walk->txn, number));
}

void
metrics_write_breaker(struct metrics_sheet *s)
{
	metrics_put_value(s, job_breaker_open(webhook_number(s)));
}

void
metrics_write_paused(struct metrics_sheet *s)
{
	metrics_put_value(s, engine_held(webhook_number(s)));
}
