/*
 * JSON in: yajl's callbacks build a tree in an arena.
 *
 * What yajl leaves open is decided here (CONTRACT §3): a limit on depth; bytes that are not UTF-8
 * refused; a leading byte order mark skipped; a lone surrogate escape read as U+FFFD; numbers kept
 * as their own text, whatever their size; of duplicate keys the last value counts, in the place of
 * the first (as Python's dict has it); white space is space, tab, CR and LF only. U+0000 is
 * a character like any other.
 */
#ifndef PROTO_JSON_READ_H
#define PROTO_JSON_READ_H

#include "proto/arena.h"

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	bool truth;        /* JSON_BOOL */
	uint32_t at;       /* offset of its first byte in the source */
	uint32_t key_at;   /* offset of its key, where it is a member of an object */
	uint32_t count;    /* JSON_ARRAY, JSON_OBJECT: children */
	struct slice key;  /* its name, where it is a member of an object */
	struct slice text; /* JSON_STRING: decoded, well-formed UTF-8; JSON_NUMBER: as written */
	struct json *first; /* children in source order */
	struct json *next;  /* sibling */
};

struct json_error {
	size_t at;      /* offset in the source */
	char what[120]; /* a sentence without a full stop: "nested deeper than 32" */
};

enum {
	JSON_COMMENTS = 1,        /* allow line and block comments (configuration) */
	JSON_KEEP_DUPLICATES = 2, /* leave repeated keys in the tree (configuration reports them) */
};

/* Of texts by strangers. Values cost time, whatever their size: one as short as "1," takes as long
 * as one of fifty bytes, so that a limit on bytes alone is none on time. */
struct json_limits {
	int depth;
	uint32_t values; /* scalars and containers, all of them */
};

/*
 * Parses text[0..n). The bytes may be changed in place (surrogate escapes); strings of the tree
 * point into text or the arena, so both must outlive the tree. NULL with *error filled when it is
 * not one JSON value, or deeper than depth (a top-level object has depth 1), or too large for the
 * arena.
 */
struct json *json_read(struct arena *, char *text, size_t n, int flags, int depth,
    struct json_error *error) MUST NONNULL;

/* The same for a text by a stranger. */
struct json *json_read_body(struct arena *, char *text, size_t n, struct json_limits,
    struct json_error *error) MUST NONNULL;

/* The member of that name, the last one if there are several; NULL if there is none, or object is
 * NULL or not an object. */
const struct json *json_get_slice(const struct json *object, struct slice key) MUST;

static inline const struct json *
json_get(const struct json *object, const char *key)
{
	return json_get_slice(object, slice_of(key));
}

/* Text of a string, number or boolean ("true", "false"); false for anything else. */
bool json_scalar(const struct json *, struct slice *text) MUST;

#endif
