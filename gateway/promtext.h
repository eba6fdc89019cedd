/*
 * Prometheus' text format, version 0.0.4, one sample at a time. Every name gets the prefix
 * "tocsin_" here and nowhere else.
 *
 *     promtext_family(b, "ready", "gauge", "1 while requests are welcome.");
 *     promtext_value(b, "ready", labels, 1);
 *
 * labels is what promtext_label() has written, one after the other, or an empty slice.
 */
#ifndef GATEWAY_PROMTEXT_H
#define GATEWAY_PROMTEXT_H

#include "gateway/histogram.h"
#include "proto/buf.h"

/* help: one line, without a backslash. */
void promtext_family(struct buf *, const char *name, const char *type, const char *help) NONNULL;
/* Any value: it is escaped. */
void promtext_label(struct buf *labels, const char *name, struct slice value) NONNULL;

void promtext_value(struct buf *, const char *name, struct slice labels, uint64_t) NONNULL;
void promtext_seconds(struct buf *, const char *name, struct slice labels, uint64_t us) NONNULL;
/* _bucket, _sum, _count. */
void promtext_histogram(struct buf *, const char *name, struct slice labels,
    const struct histogram *) NONNULL;

#endif
