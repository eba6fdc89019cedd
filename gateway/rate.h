/*
 * How many requests an integration takes: a token bucket each (CONTRACT §3, §10).
 *
 * A bucket holds at most `burst` tokens, starts full, and gains per_minute of them in a minute, bit
 * by bit; a request takes one. It belongs to the integration's number, so that it stays as full as
 * it was when the configuration changes.
 */
#ifndef GATEWAY_RATE_H
#define GATEWAY_RATE_H

#include "proto/base.h"

/*
 * Takes a token. 0: it was there; else the time (us, at least 1) until there is one, and none was
 * taken. per_minute: above 0; burst: 0 stands for per_minute; now: the steady clock. Without memory
 * for a bucket there is no limit.
 */
int64_t rate_take(uint32_t integration, int64_t per_minute, int64_t burst, int64_t now) MUST;

void rate_stop(void);

#endif
