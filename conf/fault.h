/* The faults of one configuration: collected in any order, told in the order of the file. */
#ifndef CONF_FAULT_H
#define CONF_FAULT_H

#include "conf/conf.h"
#include "proto/json_read.h"

enum { FAULT_MAX = 1000 }; /* more are counted, but not shown */

struct fault;

struct faults {
	struct arena *arena;
	const char *name;        /* stands for the file */
	struct slice text;       /* the file */
	const struct json *root; /* its tree; NULL while there is none */
	struct fault *list;      /* newest first */
	size_t count;
	bool refused;            /* one of them was not just a warning */
};

/* What is wrong with a value. node must be in the tree. */
void fault_add(struct faults *, const struct json *node, const char *, ...) PRINTF(3, 4);
/* What is wrong with a member's name: the place is its key's. */
void fault_add_key(struct faults *, const struct json *node, const char *, ...) PRINTF(3, 4);
/* What is wrong with a member that is not there: the place is its object's. */
void fault_add_member(struct faults *, const struct json *object, const char *member,
    const char *, ...) PRINTF(4, 5);
/* What is not JSON. */
void fault_add_at(struct faults *, size_t at, const char *, ...) PRINTF(3, 4);
/* What works, but is unwise. */
void fault_warn(struct faults *, const struct json *node, const char *, ...) PRINTF(3, 4);

/* The number of the line, from 1, in which that byte stands: for a fault's sentence. */
unsigned fault_line(const struct faults *, size_t at) NONNULL;

/* Anybody's text as a C string in the arena: escaped, cut, in quotes. */
const char *fault_quote(struct faults *, struct slice) NONNULL;

/* Calls report once per fault. */
void fault_report(struct faults *, conf_report *, void *arg);

#endif
