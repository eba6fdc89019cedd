/*
 * A growing run of bytes with a compulsory ceiling. The first put that would pass the ceiling, or
 * that finds no memory, sets `failed`, which sticks: later puts do nothing, and one look at the end
 * is enough. What was put before stays readable.
 *
 * A buffer takes its memory from malloc(), or from an arena, whose end is then its end too.
 */
#ifndef PROTO_BUF_H
#define PROTO_BUF_H

#include "proto/arena.h"

struct buf {
	char *p;        /* n bytes in use, NULL while room is 0 */
	size_t n;
	size_t room;    /* bytes allocated */
	size_t ceiling; /* never more than this in use */
	bool failed;
	bool secret;    /* growing leaves no copy behind */
	struct arena *arena; /* where the memory comes from; NULL: malloc() */
};

void buf_init(struct buf *, size_t ceiling) NONNULL;
/* The same for secrets, of which growing leaves no copy in memory; it ends with buf_wipe(). */
void buf_init_secret(struct buf *, size_t ceiling) NONNULL;
/* Its initialiser for what is to be had in any case: in an array of the caller's. Never freed. */
#define BUF_IN(array) {.p = (array), .room = sizeof(array), .ceiling = sizeof(array) - 1}
/* The same with memory of the arena, and its ceiling. Never freed: what is in it stays as long as
 * the arena's contents. */
void buf_init_arena(struct buf *, struct arena *) NONNULL;
void buf_free(struct buf *) NONNULL;  /* gives the memory back; usable again, the same kind */
void buf_wipe(struct buf *) NONNULL;  /* buf_free for secrets: zeroes first */
void buf_clear(struct buf *) NONNULL; /* n = 0 and not failed; keeps the memory */

static inline void buf_put(struct buf *, const void *, size_t);
static inline void buf_puts(struct buf *, const char *);
static inline void buf_putc(struct buf *, char);
static inline void buf_put_slice(struct buf *, struct slice);
bool buf_put_all(struct buf *, const struct buf *) MUST NONNULL; /* or nothing: false, not failed */
void buf_put_number(struct buf *, uint64_t) NONNULL; /* in decimal */
void buf_printf(struct buf *, const char *, ...) PRINTF(2, 3);

/* Room for n more bytes, to be filled by the caller and then counted with buf_add(); NULL and
 * `failed` if there can be none. */
char *buf_room(struct buf *, size_t n) MUST NONNULL;
void buf_add(struct buf *, size_t n) NONNULL;

/* Removes the first n bytes (n <= b->n); leaves only those. */
void buf_drop(struct buf *, size_t n) NONNULL;
void buf_cut(struct buf *, size_t n) NONNULL;

/* What buf_put() does when the bytes do not fit as it is. */
void buf_put_grow(struct buf *, const void *, size_t);

/* Room is at most the ceiling and one byte, so what fits the room is below the ceiling. */
static inline void
buf_put(struct buf *b, const void *bytes, size_t n)
{
	if (b->failed || n >= b->room - b->n) {
		buf_put_grow(b, bytes, n);
	} else if (n > 0) {
		memcpy(b->p + b->n, bytes, n);
		b->n += n;
	}
}

static inline void
buf_puts(struct buf *b, const char *text)
{
	buf_put(b, text, strlen(text));
}

static inline void
buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

static inline void
buf_put_slice(struct buf *b, struct slice s)
{
	buf_put(b, s.p, s.n);
}

static inline struct slice
buf_slice(const struct buf *b)
{
	return (struct slice){b->p, b->n};
}

#endif
