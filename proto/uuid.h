/*
 * 128-bit ids and their three texts.
 *
 * Version 7 (RFC 9562) as issued here: 48 bits of milliseconds, version, a 12-bit counter, variant,
 * random bits, and the node number in byte 9, which is the last two hex digits of the fourth group
 * (CONTRACT §1.7). Sorted as bytes they are in the order of issue.
 *
 * The vendor prints incident and alert ids as 22 characters in base 57.
 */
#ifndef PROTO_UUID_H
#define PROTO_UUID_H

#include "proto/base.h"

struct uuid {
	uint8_t b[16];
};

enum { UUID_TEXT = 37, UUID_HEX = 33, ID22_TEXT = 23 }; /* sizes with the NUL */

/* "cadfe35f-e3b1-4175-b118-a595bff9a214" */
void uuid_text(const struct uuid *, char out[UUID_TEXT]) NONNULL;
/* "cadfe35fe3b14175b118a595bff9a214" */
void uuid_hex(const struct uuid *, char out[UUID_HEX]) NONNULL;
/* Either of the two, hex digits in any case, nothing around it. */
bool uuid_parse(struct slice, struct uuid *) MUST NONNULL;

/* 22 characters of "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", most significant
 * first, padded with '2'. Parsing refuses what is above 2^128 - 1. */
void id22_text(const struct uuid *, char out[ID22_TEXT]) NONNULL;
bool id22_parse(struct slice, struct uuid *) MUST NONNULL;

/* ms < 2^48; counter < 4096; random: 8 bytes, of which 6 + 48 bits are used. */
struct uuid uuid_v7(uint64_t ms, uint32_t counter, const uint8_t random[8], uint8_t node) NONNULL;
uint64_t uuid_v7_ms(const struct uuid *) NONNULL;
/* The id n steps on: the counter, and behind its end the milliseconds, counted up; the rest as it
 * is. */
struct uuid uuid_v7_after(const struct uuid *, uint32_t n) NONNULL;

/* Moves an id by one in the order of uuid_compare(), around its ends. */
void uuid_next(struct uuid *) NONNULL;
void uuid_previous(struct uuid *) NONNULL;

static inline int
uuid_compare(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof a->b);
}

static inline bool
uuid_is_zero(const struct uuid *id)
{
	static const struct uuid zero;

	return uuid_compare(id, &zero) == 0;
}

#endif
