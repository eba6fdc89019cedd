/*
 * Comparisons, of which conditions are made (CONTRACT §7): {"op": OP, "value": V, "ignore_case":
 * bool}, and the value that a path leads to.
 */
#ifndef PROTO_COMPARISON_H
#define PROTO_COMPARISON_H

#include "proto/compiler.h"

struct comparison;

/* What is compared: node, NULL if there is none, and its text. */
struct compared {
	const struct json *node;
	struct slice text;
	struct arena *arena; /* for what lasts no longer than this */
};

/* Of a node that has an "op"; field: what will be compared, NULL if it may be anything. NULL after
 * a complaint, or without memory. */
struct comparison *comparison_compile(struct compiler *, const struct json *node,
    const struct compiler_field *field) MUST;

bool comparison_holds(const struct comparison *, const struct compared *) MUST NONNULL;

/* The operator's name, and the value in the configuration as JSON, cut, or empty. */
void comparison_show(const struct comparison *, struct slice *op, struct slice *wanted) NONNULL;

#endif
