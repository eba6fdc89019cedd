/*
 * Ids as they are issued: UUID version 7 on the steady clock, each larger than the one before,
 * across restarts too. And the only source of random bytes.
 */
#ifndef GATEWAY_IDS_H
#define GATEWAY_IDS_H

#include "proto/uuid.h"

/* Ids issued from now on are larger than last and carry node (0 to 255). */
void ids_start(const struct uuid *last, int node) NONNULL;

/* With the time of the steady clock. */
struct uuid ids_next(int64_t steady);
/* The first of n ids in a row (n <= 4096); uuid_v7_after() makes the others. */
struct uuid ids_reserve(uint32_t n, int64_t steady);
struct uuid ids_last(void);

void ids_random(void *, size_t) NONNULL;
/* A random UUID, version 4. */
struct uuid ids_random_uuid(void);
/* Evenly from -200 to 200: a deviation of up to 20 %, in thousandths. */
int ids_jitter(void);
/* Tests: the random bytes that come next follow from the number. */
void ids_repeat(uint32_t number);

#endif
