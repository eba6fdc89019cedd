/* What a rule does with an alert: one member of an object in its "then". */
#ifndef PROTO_ACTION_H
#define PROTO_ACTION_H

#include "proto/alert.h"
#include "proto/compiler.h"

struct action;

/* The alert while rules work on it. */
struct action_work {
	struct alert *alert;
	struct scope *scope; /* the alert as it came */
	struct json *notes;  /* added so far; NULL: none */
};

/* The members of all objects of a list, in their order. NULL after a complaint, or without
 * memory. */
struct action *action_compile(struct compiler *, const struct json *list) MUST NONNULL;

/* NULL is no action. */
void action_apply(const struct action *, struct action_work *);

#endif
