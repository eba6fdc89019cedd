/*
 * JSON out, byte for byte as Python's json.dumps prints by default: ", " and ": ", everything
 * outside printable ASCII as lower-case \uXXXX (astral characters as surrogate pairs, DEL as
 * \u007f), the short escapes \b \t \n \f \r, floats in Python's shortest form.
 * Receivers written to the vendor's sample parse, dump and compare (CONTRACT §8).
 *
 * Commas are the writer's business: call the functions in document order.
 *
 *     json_open(w, '{'); json_key(w, "n"); json_int(w, 7); json_close(w, '}');
 */
#ifndef PROTO_JSON_WRITE_H
#define PROTO_JSON_WRITE_H

#include "proto/buf.h"
#include "proto/json_read.h"

struct json_writer {
	struct buf *buf; /* not owned; its `failed` tells whether all went in */
	bool more;       /* a comma is due before the next value or key */
	bool compact;    /* for people: "," and ":", and what is not ASCII as it is */
};

void json_open(struct json_writer *, char bracket) NONNULL;  /* '{' or '[' */
void json_close(struct json_writer *, char bracket) NONNULL; /* '}' or ']' */
/* A name of our own: printed as it is, nothing in it may need an escape. */
static inline void json_key(struct json_writer *, const char *);
void json_key_slice(struct json_writer *, struct slice) NONNULL;

/* Text must be well-formed UTF-8. */
void json_string(struct json_writer *, struct slice) NONNULL;
static inline void json_text(struct json_writer *, const char *);
/* Text of ours in which nothing needs an escape. */
void json_plain(struct json_writer *, struct slice) NONNULL;
void json_int(struct json_writer *, int64_t) NONNULL;
void json_uint(struct json_writer *, uint64_t) NONNULL;
void json_double(struct json_writer *, double) NONNULL; /* finite, or Python's NaN, Infinity */
void json_bool(struct json_writer *, bool) NONNULL;
void json_null(struct json_writer *) NONNULL;
void json_tree(struct json_writer *, const struct json *) NONNULL; /* numbers as written */
void json_raw(struct json_writer *, struct slice) NONNULL; /* one value, already in this format */

static inline void
json_key(struct json_writer *w, const char *key)
{
	buf_put(w->buf, ", \"" + (w->more ? 0 : 2), w->more ? 3 : 1);
	buf_puts(w->buf, key);
	buf_put(w->buf, "\": ", 3);
	w->more = false;
}

static inline void
json_text(struct json_writer *w, const char *text)
{
	json_string(w, slice_of(text));
}

#endif
