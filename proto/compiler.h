/*
 * What the parts of a mapping and of rules need while they are made from a configuration, and what
 * they share: everything that is wrong is told, with its place, and nothing stops at the first
 * fault.
 */
#ifndef PROTO_COMPILER_H
#define PROTO_COMPILER_H

#include "proto/path.h"

/* A first step that is known where paths start at something known, and what is special about
 * comparing with it. */
struct compiler_field {
	const char *name;
	bool deep;  /* paths lead on */
	bool clock; /* `between` may pass midnight */
	/* What is wrong with a value that it is compared with, or NULL. */
	const char *(*refuse)(struct slice value);
};

/* What is wrong with a node's value, its key, or a member that it lacks. */
struct complaint {
	const struct json *node;
	bool key;
	const char *member; /* or NULL */
	const char *what;   /* a sentence without its subject: "must be a text" */
};

struct compiler {
	struct arena *arena; /* what is made stays here */
	void (*complain)(void *arg, const struct complaint *);
	bool (*is_user)(void *arg, struct slice username);
	void *arg;
	const struct compiler_field *fields; /* up to one without a name; NULL: any */
	uint32_t used;  /* which of them paths did start with: 1 << row */
	size_t faults;
};

void compiler_complain(struct compiler *, const struct json *node, const char *, ...)
    PRINTF(3, 4);
void compiler_complain_key(struct compiler *, const struct json *member, const char *, ...)
    PRINTF(3, 4);

/* The member of that name; NULL, after a complaint, if there is none. */
const struct json *compiler_need(struct compiler *, const struct json *object, const char *name)
    MUST NONNULL;

/* False, after a complaint, when it is not of that type. */
bool compiler_is(struct compiler *, const struct json *, enum json_type) MUST NONNULL;
/* A list with at least one element. */
bool compiler_is_list(struct compiler *, const struct json *) MUST NONNULL;
/* Complains of repeated members, and of those that are not in the list of names, which ends with
 * NULL; no list: any. */
void compiler_know(struct compiler *, const struct json *object, const char *const *names);
/* The text of a string, number or boolean, copied. */
bool compiler_text(struct compiler *, const struct json *, struct slice *) MUST NONNULL;

/* node is where the text stands, for complaints. *field, if asked for, is the row of its first
 * step, or NULL. */
bool compiler_path(struct compiler *, const struct json *node, struct slice text, struct path *,
    const struct compiler_field **field) MUST;

#endif
