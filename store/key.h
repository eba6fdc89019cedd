/*
 * Keys as bytes: parts in order, integers big-endian, so that rows lie in the order of their
 * numbers, times and ids. A time has its sign bit turned over, which puts negative ones first.
 * Keys are read back with field.h and key_time().
 */
#ifndef STORE_KEY_H
#define STORE_KEY_H

#include <assert.h>

#include "store/field.h"

enum { KEY_MAX = 32 }; /* of all tables but names, which makes its own */

struct key {
	uint8_t b[KEY_MAX];
	size_t n;
};

static inline void
key_add(struct key *key, const void *p, size_t n)
{
	assert(n <= KEY_MAX - key->n);
	memcpy(key->b + key->n, p, n);
	key->n += n;
}

static inline void
key_add_u32(struct key *key, uint32_t v)
{
	uint8_t b[4];

	put_u32(b, v);
	key_add(key, b, sizeof b);
}

static inline void
key_add_u64(struct key *key, uint64_t v)
{
	uint8_t b[8];

	put_u64(b, v);
	key_add(key, b, sizeof b);
}

static inline void
key_add_time(struct key *key, int64_t time)
{
	key_add_u64(key, (uint64_t)time ^ (uint64_t)1 << 63);
}

static inline void
key_add_id(struct key *key, const struct uuid *id)
{
	key_add(key, id->b, sizeof id->b);
}

static inline int64_t
key_time(struct field_reader *reader)
{
	return (int64_t)(field_u64(reader) ^ (uint64_t)1 << 63);
}

static inline struct slice
key_slice(const struct key *key)
{
	return (struct slice){(const char *)key->b, key->n};
}

/* The keys that many tables share. */
static inline struct key
key_id(const struct uuid *id)
{
	struct key key = {.n = 0};

	key_add_id(&key, id);
	return key;
}

static inline struct key
key_number(uint64_t number)
{
	struct key key = {.n = 0};

	key_add_u64(&key, number);
	return key;
}

#endif
