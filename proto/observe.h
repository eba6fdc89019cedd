/*
 * What mapping and rules tell of their work to somebody who wants to see it. They are the same
 * functions with and without.
 */
#ifndef PROTO_OBSERVE_H
#define PROTO_OBSERVE_H

#include "proto/base.h"

/* A block or a rule is told behind the tests of its condition and before the values that it sets.
 * Tests that need no look, because others have decided, are not told. */
enum observation_kind {
	OBSERVED_TEST,  /* name: path, op, wanted, found, held */
	OBSERVED_BLOCK, /* number, held */
	OBSERVED_RULE,  /* number, name: its description, held */
	OBSERVED_VALUE, /* name: field or action, before, found: what it is now */
};

/* Slices live as long as the scope's arena and the configuration. */
struct observation {
	enum observation_kind kind;
	size_t number;       /* from 1 */
	bool held;
	bool exists;         /* OBSERVED_TEST: the path leads to something */
	struct slice name;
	struct slice op;
	struct slice wanted; /* as compact JSON */
	struct slice before;
	struct slice found;
};

struct observer {
	void (*see)(void *arg, const struct observation *);
	void *arg;
};

#endif
