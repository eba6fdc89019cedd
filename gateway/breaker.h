/*
 * The breaker of one webhook (CONTRACT §8): it keeps a receiver that is down from being tried by
 * everything that waits for it.
 *
 *             5 failures in a row             the probe fails: later, up to 5 min
 *   CLOSED ───────────────────────▶ OPEN ──┐◀──────────┐
 *      ▲                             │     └───────────┘
 *      └─────────────────────────────┘
 *         a complete answer below 500, or an operator
 *
 * Plain values: no clock, no timer. Times are microseconds of the steady clock.
 */
#ifndef GATEWAY_BREAKER_H
#define GATEWAY_BREAKER_H

#include "proto/base.h"

enum { BREAKER_FAILURES = 5 };

struct breaker {
	bool open;
	bool probing;     /* the one probe is on its way */
	int failures;     /* in a row */
	int64_t probe_at; /* open: when the next probe may go */
	int64_t interval; /* open: between probes */
};

/* What an attempt's end says of the receiver. */
enum breaker_sign {
	BREAKER_ALIVE,  /* a complete answer below 500 other than 408, 425, 429 */
	BREAKER_UNSURE, /* 408, 425 */
	BREAKER_DOWN,   /* network, time-out, 5xx, 429 */
};

enum breaker_change { BREAKER_SAME, BREAKER_OPENED, BREAKER_CLOSED };

enum breaker_change breaker_report(struct breaker *, enum breaker_sign, bool was_probe, int64_t now)
    NONNULL;
/* An operator says go; true if it was open. */
bool breaker_reset(struct breaker *) NONNULL;
/* True if a probe may go now; it is then on its way. */
bool breaker_probe(struct breaker *, int64_t now) NONNULL;
/* There was nothing to probe with: asks again in a second. */
void breaker_unprobe(struct breaker *, int64_t now) NONNULL;

#endif
