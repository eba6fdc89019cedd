/*
 * A growing run of bytes with a compulsory ceiling.
 *
 *     p                  p + n                 p + room
 *     | bytes in use     | free           | 1 |
 *
 * Room doubles, so n puts cost O(n). One byte more than the bytes in use is always allocated: it
 * takes the NUL that vsnprintf() writes, and lets an empty buffer have an address. Every way to
 * add bytes goes through reserve(), the only place where the ceiling and the memory are judged.
 */
#include "proto/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROOM_MIN = 256 };

void
buf_init(struct buf *b, size_t ceiling)
{
	/* The byte behind the last one has to be countable too. */
	*b = (struct buf){.ceiling = ceiling < SIZE_MAX ? ceiling : SIZE_MAX - 1};
}

void
buf_init_secret(struct buf *b, size_t ceiling)
{
	buf_init(b, ceiling);
	b->secret = true;
}

void
buf_init_arena(struct buf *b, struct arena *arena)
{
	buf_init(b, arena->ceiling);
	b->arena = arena;
}

void
buf_free(struct buf *b)
{
	if (b->arena == NULL)
		free(b->p);
	b->p = NULL;
	b->n = b->room = 0;
	b->failed = false;
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->room);
	buf_free(b);
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

static size_t
next_room(const struct buf *b, size_t least)
{
	size_t most = b->ceiling + 1;
	size_t room = b->room > most / 2 ? most : b->room * 2;

	if (room < ROOM_MIN)
		room = ROOM_MIN < most ? ROOM_MIN : most;
	return room < least ? least : room;
}

/* realloc() frees what it copied as it is. */
static char *
move_secret(struct buf *b, size_t room)
{
	char *p = malloc(room);

	if (p == NULL || b->p == NULL)
		return p;
	memcpy(p, b->p, b->n);
	explicit_bzero(b->p, b->room);
	free(b->p);
	return p;
}

static char *
grow(struct buf *b, size_t room)
{
	if (b->arena != NULL)
		return arena_grow(b->arena, b->p, b->room, room);
	return b->secret ? move_secret(b, room) : realloc(b->p, room);
}

/* Makes sure that n bytes and the spare one fit behind those in use. */
static bool
reserve(struct buf *b, size_t n)
{
	size_t room;
	char *p;

	if (b->failed)
		return false;
	if (b->n > b->ceiling || n > b->ceiling - b->n) { /* a ceiling may have been lowered */
		b->failed = true;
		return false;
	}
	if (b->n + n < b->room)
		return true;
	room = next_room(b, b->n + n + 1);
	p = grow(b, room);
	if (p == NULL) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->room = room;
	return true;
}

char *
buf_room(struct buf *b, size_t n)
{
	return reserve(b, n) ? b->p + b->n : NULL;
}

void
buf_add(struct buf *b, size_t n)
{
	b->n += n;
}

void
buf_put_grow(struct buf *b, const void *bytes, size_t n)
{
	if (n == 0 || !reserve(b, n))
		return;
	memcpy(b->p + b->n, bytes, n);
	b->n += n;
}

bool
buf_put_all(struct buf *b, const struct buf *from)
{
	size_t before = b->n;

	if (b->failed)
		return false;
	buf_put(b, from->p, from->n);
	if (!b->failed)
		return true;
	b->n = before;
	b->failed = false;
	return false;
}

void
buf_put_number(struct buf *b, uint64_t v)
{
	char text[20];
	size_t at = sizeof text;

	do
		text[--at] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	buf_put(b, text + at, sizeof text - at);
}

static int print(struct buf *, const char *, va_list) PRINTF(2, 0);

/* What vsnprintf() would have written; it writes at most the bytes that are free now. */
static int
print(struct buf *b, const char *format, va_list args)
{
	va_list copy;
	int n;

	va_copy(copy, args);
	n = vsnprintf(b->p + b->n, b->room - b->n, format, copy);
	va_end(copy);
	return n;
}

void
buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int n;

	if (!reserve(b, 0))
		return;
	va_start(args, format);
	n = print(b, format, args);
	if (n < 0)
		b->failed = true;
	else if ((size_t)n >= b->room - b->n && reserve(b, (size_t)n))
		print(b, format, args);
	va_end(args);
	if (!b->failed)
		b->n += (size_t)n;
}

void
buf_drop(struct buf *b, size_t n)
{
	b->n -= n;
	if (n > 0 && b->n > 0)
		memmove(b->p, b->p + n, b->n);
}

void
buf_cut(struct buf *b, size_t n)
{
	assert(n <= b->n);
	b->n = n;
}
