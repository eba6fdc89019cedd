/*
 * (milliseconds, counter) is one 60-bit number that only grows: the larger of the clock and the
 * last one plus one. A clock that stands still or steps back just runs the counter on into the next
 * millisecond. Random bytes come from a pool, as a system call for each id would cost more than the
 * rest of it.
 */
#include "gateway/ids.h"

#include <assert.h>
#include <sodium.h>

#include "gateway/clock.h"

enum { COUNTER_BITS = 12, POOL = 4096 };

static uint64_t last_tick; /* ms << 12 | counter */
static struct uuid last_id;
static uint8_t node_number;
static uint8_t pool[POOL];
static size_t pool_left;

static uint64_t
tick_of(const struct uuid *id)
{
	return uuid_v7_ms(id) << COUNTER_BITS | (uint64_t)(id->b[6] & 0x0f) << 8 | id->b[7];
}

void
ids_start(const struct uuid *last, int node)
{
	last_id = *last;
	last_tick = tick_of(last);
	node_number = (uint8_t)node;
}

/* One seed from the kernel, stretched: libsodium would ask it for 256 bytes at a time. */
static void
fill_pool(void)
{
	uint8_t seed[randombytes_SEEDBYTES];

	randombytes_buf(seed, sizeof seed);
	randombytes_buf_deterministic(pool, sizeof pool, seed);
	sodium_memzero(seed, sizeof seed);
	pool_left = sizeof pool;
}

void
ids_repeat(uint32_t number)
{
	uint8_t seed[randombytes_SEEDBYTES] = {0};

	memcpy(seed, &number, sizeof number);
	randombytes_buf_deterministic(pool, sizeof pool, seed);
	pool_left = sizeof pool;
}

void
ids_random(void *out, size_t n)
{
	if (n > POOL) {
		randombytes_buf(out, n);
		return;
	}
	if (n > pool_left)
		fill_pool();
	pool_left -= n;
	memcpy(out, pool + pool_left, n);
	sodium_memzero(pool + pool_left, n);
}

static struct uuid
id_at(uint64_t tick)
{
	uint8_t random[8];

	ids_random(random, sizeof random);
	return uuid_v7(tick >> COUNTER_BITS, tick & ((1u << COUNTER_BITS) - 1), random,
	    node_number);
}

struct uuid
ids_reserve(uint32_t n, int64_t steady)
{
	uint64_t now = (uint64_t)(steady / CLOCK_MS) << COUNTER_BITS;
	uint64_t tick = now > last_tick ? now : last_tick + 1;
	struct uuid first = id_at(tick);

	assert(n >= 1 && n <= 1u << COUNTER_BITS);
	last_tick = tick + n - 1;
	last_id = uuid_v7_after(&first, n - 1);
	return first;
}

struct uuid
ids_next(int64_t steady)
{
	return ids_reserve(1, steady);
}

struct uuid
ids_last(void)
{
	return last_id;
}

struct uuid
ids_random_uuid(void)
{
	struct uuid id;

	ids_random(id.b, sizeof id.b);
	id.b[6] = (uint8_t)(0x40 | (id.b[6] & 0x0f));
	id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
	return id;
}

int
ids_jitter(void)
{
	uint32_t random;

	ids_random(&random, sizeof random);
	return (int)((uint64_t)random * 401 >> 32) - 200;
}
