/*
 * Texts with values in them (CONTRACT §7): "Disk {{ labels.device }} on {{ host }}". A path that
 * leads nowhere is empty text. What is made of objects and arrays, and every text that is put
 * together, has TEMPLATE_MOST bytes at most and is cut there.
 */
#ifndef PROTO_TEMPLATE_H
#define PROTO_TEMPLATE_H

#include "proto/compiler.h"

enum { TEMPLATE_MOST = PATH_TEXT_MOST };

struct template_part;

struct template {
	struct template_part *parts;
	size_t count;
};

/* From a text that is not blank, or a number or boolean that stands for its text. False after a
 * complaint. */
bool template_compile(struct compiler *, const struct json *, struct template *) MUST NONNULL;

/* The text of a template without paths; false for others. */
bool template_literal(const struct template *, struct slice *) MUST NONNULL;

/* False when it is no value: blank, or all of its paths lead nowhere. */
bool template_render(const struct template *, struct scope *, struct slice *) MUST NONNULL;

/* What the path of a template leads to that is one path and nothing else; NULL otherwise. */
const struct json *template_node(const struct template *, struct scope *) MUST NONNULL;

#endif
