/* What a mapping sets a field to: how it is written, and what it makes of a scope. */
#ifndef PROTO_VALUE_H
#define PROTO_VALUE_H

#include "proto/compiler.h"

enum value_shape {
	VALUE_TEXT,
	VALUE_LIST,  /* of texts */
	VALUE_LINKS, /* of texts, or of {"link_url": T, "link_text": T} */
};

struct value;

/* refuse, which may be NULL, judges texts that have no paths: what is wrong with them, or NULL.
 * NULL after a complaint, or without memory. */
struct value *value_compile(struct compiler *, const struct json *, enum value_shape,
    const char *(*refuse)(struct slice)) MUST;

/* NULL: no value. */
struct json *value_make(const struct value *, struct scope *) MUST NONNULL;

#endif
