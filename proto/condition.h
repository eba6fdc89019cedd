/*
 * Conditions on a JSON value (CONTRACT §7): {"all": [...]}, {"any": [...]}, {"none": [...]},
 * {"not": C}, {"field": PATH, "op": OP, "value": V, "ignore_case": bool}.
 *
 * Values compare as text. A path that leads nowhere is as good as empty text, but it is less, more
 * and between nothing; `exists` alone tells the two apart. not_equals, not_contains, not_matches,
 * not_in and is_not_empty hold exactly when the other one does not.
 */
#ifndef PROTO_CONDITION_H
#define PROTO_CONDITION_H

#include "proto/compiler.h"

struct condition;

/* NULL after a complaint, or without memory. */
struct condition *condition_compile(struct compiler *, const struct json *) MUST NONNULL;

/* Looks at no more than it takes to decide. */
bool condition_holds(const struct condition *, struct scope *) MUST NONNULL;

#endif
