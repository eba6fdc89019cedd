/*
 * Trees that nobody sent: made in an arena, of new nodes and of parts of other trees. Without
 * memory a function returns NULL and does nothing with a NULL that it is given; one look at the
 * arena's `failed` at the end is enough.
 */
#ifndef PROTO_JSON_MAKE_H
#define PROTO_JSON_MAKE_H

#include "proto/json_read.h"

struct json *json_make(struct arena *, enum json_type) NONNULL;
/* A string; the text must outlive the tree and be well-formed UTF-8. */
struct json *json_make_text(struct arena *, struct slice) NONNULL;
struct json *json_make_bool(struct arena *, bool) NONNULL;
/* The same value once more, to stand in another tree; children are shared. */
struct json *json_make_alias(struct arena *, const struct json *);

/* Behind the others. */
void json_append(struct json *array, struct json *child);
/* In the place of the member of that name, or behind the others. The name must outlive the tree. */
void json_put(struct json *object, const char *name, struct json *value);

/* A value as compact JSON: no spaces, and what is not ASCII as it is. Ends before the first key or
 * value that would pass max bytes. */
struct slice json_compact(struct arena *, const struct json *, size_t max) NONNULL;

#endif
