/*
 * A path into a JSON value (CONTRACT §7), read once, followed often.
 *
 *     labels.severity       members by name
 *     alerts.0  alerts[0]   elements by number, from 0
 *     a["key.with.dots"]    a name in quotes may have any character; \" and \\ stand for " and \
 *     root.receiver         from the whole body, where that was split
 *     Message.json().Name   into a text that is JSON itself
 */
#ifndef PROTO_PATH_H
#define PROTO_PATH_H

#include "proto/json_read.h"
#include "proto/observe.h"

/* Where paths start, and what following them needs. */
struct scope {
	const struct json *here;
	const struct json *root; /* what a first step `root` means; NULL: a member like any other */
	struct arena *arena;     /* for what lives as long as `here` is the same */
	struct arena *lasting;   /* for what lives as long as root */
	struct json_limits limits; /* of JSON within texts */
	/* Texts read as JSON so far, in here and in root; NULL where that is another one. */
	struct path_text *texts, *root_texts;
	struct path_found *found; /* where paths into root led; likewise */
	const struct observer *observer; /* or NULL */
};

struct path_step;

struct path {
	struct path_step *steps;
	size_t count;      /* 1 or more */
	struct slice text; /* as written */
};

/* What is copied comes from the arena. False with *why set to what is wrong with the text. */
bool path_compile(struct arena *, struct slice text, struct path *, const char **why) MUST NONNULL;

/* The name of the first step, as it stands between dots; empty if that is written otherwise. */
struct slice path_first(const struct path *) NONNULL;

/* NULL if there is nothing. The scope remembers paths into root by their place. */
const struct json *path_find(const struct path *, struct scope *) MUST NONNULL;

enum { PATH_TEXT_MOST = 65536 };

/* What is found as text: of a text itself; of numbers as written; of objects and arrays compact
 * JSON, PATH_TEXT_MOST bytes at most. Empty for NULL and null. */
struct slice path_text(const struct json *, struct scope *);

#endif
