/*
 * Memory for one request: taken piece by piece, given back all at once. Over the ceiling, or
 * without memory, arena_alloc() returns NULL and `failed` sticks until the next reset.
 * The first block is kept across resets, larger ones are freed, so that a rare large request does
 * not stay in memory.
 */
#ifndef PROTO_ARENA_H
#define PROTO_ARENA_H

#include "proto/base.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first; the last one is kept across resets */
	size_t used;                /* bytes handed out since the last reset */
	size_t ceiling;
	bool failed;
	bool denied;                /* failed: not by the ceiling, there was no memory */
};

void arena_init(struct arena *, size_t ceiling) NONNULL;
void arena_reset(struct arena *) NONNULL;
void arena_free(struct arena *) NONNULL;
void arena_wipe(struct arena *) NONNULL; /* the same for what nobody shall find in memory */

/* n bytes, aligned for any object, not zeroed. */
void *arena_alloc(struct arena *, size_t n) MUST NONNULL;
void *arena_zalloc(struct arena *, size_t n) MUST NONNULL;

/* The n bytes at p, which arena_alloc() gave or p is NULL, as the start of `more` bytes: in place
 * where p was the last piece and its block has room. */
void *arena_grow(struct arena *, void *p, size_t n, size_t more) MUST;

/* Copies that live as long as the arena's contents; {NULL, 0} with `failed` set if there is no
 * room. */
struct slice arena_copy(struct arena *, struct slice) NONNULL;
struct slice arena_printf(struct arena *, const char *, ...) PRINTF(2, 3);

#endif
