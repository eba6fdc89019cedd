/* The transitions of the breaker. */
#include "gateway/breaker.h"

enum { SECOND = 1000000, FIRST_PROBE_S = 30, LONGEST_S = 300 };

static const int64_t first_probe = (int64_t)FIRST_PROBE_S * SECOND;
static const int64_t longest = (int64_t)LONGEST_S * SECOND;

static enum breaker_change
trip(struct breaker *b, int64_t now)
{
	if (++b->failures < BREAKER_FAILURES)
		return BREAKER_SAME;
	b->open = true;
	b->interval = first_probe;
	b->probe_at = now + b->interval;
	return BREAKER_OPENED;
}

static void
put_off(struct breaker *b, int64_t now)
{
	b->probing = false;
	b->interval = 2 * b->interval < longest ? 2 * b->interval : longest;
	b->probe_at = now + b->interval;
}

enum breaker_change
breaker_report(struct breaker *b, enum breaker_sign sign, bool was_probe, int64_t now)
{
	if (sign == BREAKER_ALIVE)
		return breaker_reset(b) ? BREAKER_CLOSED : BREAKER_SAME;
	if (b->open && was_probe)
		put_off(b, now);
	if (b->open || sign == BREAKER_UNSURE)
		return BREAKER_SAME;
	return trip(b, now);
}

bool
breaker_reset(struct breaker *b)
{
	bool was_open = b->open;

	*b = (struct breaker){0};
	return was_open;
}

bool
breaker_probe(struct breaker *b, int64_t now)
{
	if (!b->open || b->probing || now < b->probe_at)
		return false;
	b->probing = true;
	return true;
}

void
breaker_unprobe(struct breaker *b, int64_t now)
{
	b->probing = false;
	b->probe_at = now + SECOND;
}
