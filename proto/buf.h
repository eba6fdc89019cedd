/*
 * A growing run of bytes with a compulsory ceiling. The first put that would pass the ceiling, or
 * that finds no memory, sets `failed`, which sticks: later puts do nothing, and one look at the end
 * is enough. What was put before stays readable.
 */
#ifndef PROTO_BUF_H
#define PROTO_BUF_H

#include "proto/base.h"

struct buf {
	char *p;        /* n bytes in use, NULL while room is 0 */
	size_t n;
	size_t room;    /* bytes allocated */
	size_t ceiling; /* never more than this in use */
	bool failed;
};

void buf_init(struct buf *, size_t ceiling) NONNULL;
void buf_free(struct buf *) NONNULL;  /* gives the memory back; usable again, ceiling kept */
void buf_wipe(struct buf *) NONNULL;  /* buf_free for secrets: zeroes first */
void buf_clear(struct buf *) NONNULL; /* n = 0 and not failed; keeps the memory */

void buf_put(struct buf *, const void *, size_t);
void buf_puts(struct buf *, const char *) NONNULL;
void buf_putc(struct buf *, char) NONNULL;
void buf_put_slice(struct buf *, struct slice);
void buf_printf(struct buf *, const char *, ...) PRINTF(2, 3);

/* Room for n more bytes, to be filled by the caller and then counted with buf_add(); NULL and
 * `failed` if there can be none. */
char *buf_room(struct buf *, size_t n) MUST NONNULL;
void buf_add(struct buf *, size_t n) NONNULL;

/* Removes the first n bytes (n <= b->n). */
void buf_drop(struct buf *, size_t n) NONNULL;

static inline struct slice
buf_slice(const struct buf *b)
{
	return (struct slice){b->p, b->n};
}

#endif
