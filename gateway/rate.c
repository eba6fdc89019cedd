/*
 * Exact in whole numbers: a token is 60 000 000 parts, and per_minute parts come in each
 * microsecond.
 *
 *     parts
 *     burst ┤╲    ╱▔▔╲            never more than that
 *           │ ╲  ╱    ╲  ╱
 *     1     ┤  ╲╱      ╲╱         a request takes one token where there is one
 *           └───────────────▶ now
 */
#include "gateway/rate.h"

#include <stdlib.h>

enum { TOKEN = 60000000, ROOM_LEAST = 64 };

struct bucket {
	int64_t parts;
	int64_t at; /* when it had them; 0: never looked at, so it is full */
};

static struct {
	struct bucket *buckets; /* by number */
	size_t room;
} rate;

static struct bucket *
find(uint32_t integration)
{
	size_t room = rate.room == 0 ? ROOM_LEAST : rate.room;
	struct bucket *buckets;

	if (integration < rate.room)
		return &rate.buckets[integration];
	while (room <= integration)
		room *= 2;
	buckets = realloc(rate.buckets, room * sizeof *buckets);
	if (buckets == NULL)
		return NULL;
	memset(buckets + rate.room, 0, (room - rate.room) * sizeof *buckets);
	rate.buckets = buckets;
	rate.room = room;
	return &rate.buckets[integration];
}

/* What came since. A bucket that would be full by now is not counted up, which could overflow; a
 * burst that has become smaller takes the rest away. */
static void
fill(struct bucket *bucket, int64_t per_minute, int64_t most, int64_t now)
{
	int64_t passed = now - bucket->at, lack = most - bucket->parts;

	if (bucket->at == 0 || lack <= 0 || passed > lack / per_minute)
		bucket->parts = most;
	else if (passed > 0)
		bucket->parts += passed * per_minute;
	bucket->at = now;
}

int64_t
rate_take(uint32_t integration, int64_t per_minute, int64_t burst, int64_t now)
{
	struct bucket *bucket = find(integration);

	if (bucket == NULL)
		return 0;
	fill(bucket, per_minute, (burst == 0 ? per_minute : burst) * TOKEN, now);
	if (bucket->parts < TOKEN)
		return (TOKEN - bucket->parts + per_minute - 1) / per_minute;
	bucket->parts -= TOKEN;
	return 0;
}

void
rate_stop(void)
{
	free(rate.buckets);
	memset(&rate, 0, sizeof rate);
}
