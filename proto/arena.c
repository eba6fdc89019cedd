/*
 * Memory for one request: a list of blocks, each filled from its start.
 *
 *     blocks -> [newest, being filled] -> [full] -> ... -> [first, kept across resets]
 *
 * A piece that does not fit starts a new block; the rest of the old one stays unused, which is
 * about half of the memory at worst. Blocks are BLOCK bytes unless one piece alone needs more. The
 * ceiling counts bytes handed out, rounded up for alignment.
 */
#include "proto/arena.h"

#include <sodium.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK = 8192, ALIGN = alignof(max_align_t) };

struct arena_block {
	struct arena_block *next;
	size_t room; /* bytes behind this header */
	size_t used;
	alignas(max_align_t) char bytes[];
};

void
arena_init(struct arena *a, size_t ceiling)
{
	*a = (struct arena){.ceiling = ceiling};
}

/* Frees blocks from the newest on; the first block is left if it is of the usual size. */
void
arena_reset(struct arena *a)
{
	struct arena_block *block;

	while ((block = a->blocks) != NULL) {
		if (block->next == NULL && block->room == BLOCK) {
			block->used = 0;
			break;
		}
		a->blocks = block->next;
		free(block);
	}
	a->used = 0;
	a->failed = a->denied = false;
}

void
arena_free(struct arena *a)
{
	struct arena_block *block;

	while ((block = a->blocks) != NULL) {
		a->blocks = block->next;
		free(block);
	}
	arena_init(a, a->ceiling);
}

void
arena_wipe(struct arena *a)
{
	for (struct arena_block *block = a->blocks; block != NULL; block = block->next)
		sodium_memzero(block->bytes, block->used);
	arena_free(a);
}

static struct arena_block *
add_block(struct arena *a, size_t n)
{
	size_t room = n > BLOCK ? n : BLOCK;
	struct arena_block *block = malloc(sizeof *block + room);

	if (block == NULL)
		return NULL;
	*block = (struct arena_block){.next = a->blocks, .room = room};
	a->blocks = block;
	return block;
}

static size_t
round_up(size_t n)
{
	return (n + ALIGN - 1) / ALIGN * ALIGN;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *block = a->blocks;
	size_t free_bytes = a->ceiling - a->used;
	char *p;

	/* Looked at before rounding, which must not wrap around. */
	if (a->failed || n > free_bytes || n > SIZE_MAX / 2)
		goto fail;
	n = round_up(n);
	if (n > free_bytes)
		goto fail;
	if (block == NULL || n > block->room - block->used)
		block = add_block(a, n);
	a->denied = block == NULL;
	if (a->denied)
		goto fail;
	p = block->bytes + block->used;
	block->used += n;
	a->used += n;
	return p;
fail:
	a->failed = true;
	return NULL;
}

void *
arena_zalloc(struct arena *a, size_t n)
{
	void *p = arena_alloc(a, n);

	return p == NULL ? NULL : memset(p, 0, n);
}

/* True when p's piece of n bytes could be made longer where it is. */
static bool
extend(struct arena *a, const char *p, size_t n, size_t more)
{
	struct arena_block *block = a->blocks;

	if (block == NULL || p == NULL || p + round_up(n) != block->bytes + block->used)
		return false;
	n = round_up(n);
	more = round_up(more);
	if (a->failed || more - n > block->room - block->used || more - n > a->ceiling - a->used)
		return false;
	block->used += more - n;
	a->used += more - n;
	return true;
}

void *
arena_grow(struct arena *a, void *p, size_t n, size_t more)
{
	void *grown;

	if (more < SIZE_MAX / 2 && extend(a, p, n, more))
		return p;
	grown = arena_alloc(a, more);
	if (grown != NULL && n > 0)
		memcpy(grown, p, n);
	return grown;
}

struct slice
arena_copy(struct arena *a, struct slice s)
{
	char *p = arena_alloc(a, s.n);

	if (p == NULL)
		return (struct slice){NULL, 0};
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return (struct slice){p, s.n};
}

struct slice
arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	char *p = NULL;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		a->failed = true;
	else
		p = arena_alloc(a, (size_t)n + 1);
	if (p == NULL)
		return (struct slice){NULL, 0};
	va_start(args, format);
	vsnprintf(p, (size_t)n + 1, format, args);
	va_end(args);
	return (struct slice){p, (size_t)n};
}
