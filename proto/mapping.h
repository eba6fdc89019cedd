/*
 * Custom mapping (CONTRACT §7): blocks that say how a body of another format becomes a body of the
 * generic one.
 *
 *     [{"when": CONDITION, "set": {"message": V, ...}}, ...]
 *
 * Blocks run from top to bottom, a later one overriding. V is a template, or {"from": T, "map":
 * {text: T, ...}, "default": T}; for urls and tags also a list. What yields no value sets nothing,
 * so that what an earlier block set, or the body's own field of that name, stays.
 */
#ifndef PROTO_MAPPING_H
#define PROTO_MAPPING_H

#include "proto/compiler.h"

struct mapping;

/* NULL after a complaint, without memory, and for an empty list, which is no mapping. */
struct mapping *mapping_compile(struct compiler *, const struct json *) MUST NONNULL;

/* A generic body (for alert_read) of known fields, and scope->here as its payload. Check the
 * arena's `failed`. */
struct json *mapping_apply(const struct mapping *, struct scope *) MUST NONNULL;

#endif
