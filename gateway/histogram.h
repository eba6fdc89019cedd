/* How many values were at most how large: what Prometheus calls a histogram. Plain values. */
#ifndef GATEWAY_HISTOGRAM_H
#define GATEWAY_HISTOGRAM_H

#include "proto/base.h"

enum { HISTOGRAM_MOST = 16 };

struct histogram_scale {
	bool seconds; /* values are us, and printed as seconds */
	size_t count;
	struct {
		uint64_t most;
		const char *le; /* the same as it is printed */
	} bounds[HISTOGRAM_MOST];
};

struct histogram {
	const struct histogram_scale *scale;
	uint64_t sum;
	uint64_t counts[HISTOGRAM_MOST + 1]; /* values in each range; the last: above all bounds */
};

/* The range that the value falls into. */
static inline uint64_t *
histogram_range(struct histogram *h, uint64_t value)
{
	size_t i = 0;

	while (i < h->scale->count && value > h->scale->bounds[i].most)
		i++;
	return &h->counts[i];
}

static inline void
histogram_add(struct histogram *h, uint64_t value)
{
	++*histogram_range(h, value);
	h->sum += value;
}

/* Values so far. */
static inline uint64_t
histogram_total(const struct histogram *h)
{
	uint64_t total = 0;

	for (size_t i = 0; i <= h->scale->count; i++)
		total += h->counts[i];
	return total;
}

#endif
