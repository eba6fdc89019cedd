/*
 * What the files of metrics share among themselves; nobody else includes this.
 *
 *   metrics.c        the series, and counting
 *   metrics_write.c  the table of families, the walk over it, and families of one series
 *   metrics_series.c families of many
 */
#ifndef GATEWAY_METRICS_PARTS_H
#define GATEWAY_METRICS_PARTS_H

#include "gateway/histogram.h"
#include "gateway/in.h"
#include "gateway/metrics.h"

enum {
	METRICS_ROUTES = 64,
	METRICS_TYPES = ALERT_RESOLVED + 1,
	METRICS_OUTCOMES = OUTCOME_QUEUED,
	METRICS_EVENTS = 3, /* triggered, acknowledged, resolved */
	METRICS_METHODS = 8,
};

struct metrics_integration {
	uint64_t received[METRICS_TYPES];
	uint64_t applied[METRICS_OUTCOMES];
	uint64_t ignored;
};

struct metrics_webhook {
	uint64_t delivered[METRICS_EVENTS], dead[METRICS_EVENTS];
	uint64_t attempts[REASON_COUNT];
	struct histogram duration, end_to_end;
};

struct metrics {
	int64_t started;       /* wall */
	int64_t reloaded;      /* wall: when a configuration was last taken over */
	bool reload_ok;        /* the last attempt to do so */
	struct histogram *http[METRICS_ROUTES][METRICS_METHODS][IN_STATUSES]; /* NULL: none yet */
	uint64_t refused[METRICS_NOT_REFUSED];
	struct metrics_integration **integrations; /* by number; NULL: never configured */
	struct metrics_webhook **webhooks;
	size_t room;           /* of both */
	uint64_t traces_expired;
	uint64_t store_errors;
	struct histogram commit, commit_alerts, turn;
};

extern struct metrics metrics;

/* The name of a method, by its number. */
extern const char *const metrics_methods[METRICS_METHODS];

/* What is written at the moment: one item of one family. */
struct metrics_sheet {
	const struct metrics_walk *walk;
	struct buf *to;
	const char *name; /* of the family */
	size_t item;
	struct buf labels;
};

/* A sample under the sheet's labels; in the second one with one more. */
void metrics_put_value(struct metrics_sheet *, uint64_t) NONNULL;
void metrics_put_value_of(struct metrics_sheet *, const char *label, const char *word,
    uint64_t) NONNULL;
void metrics_put_histogram(struct metrics_sheet *, const struct histogram *) NONNULL;

typedef void metrics_item(struct metrics_sheet *);
typedef size_t metrics_items(const struct metrics_walk *);

metrics_items metrics_count_routes, metrics_count_integrations, metrics_count_webhooks;
metrics_item metrics_write_requests, metrics_write_request_duration;
metrics_item metrics_write_received, metrics_write_applied, metrics_write_ignored;
metrics_item metrics_write_deliveries, metrics_write_attempts, metrics_write_attempt_duration;
metrics_item metrics_write_end_to_end, metrics_write_waiting, metrics_write_in_flight;
metrics_item metrics_write_dead, metrics_write_breaker, metrics_write_paused;

#endif
