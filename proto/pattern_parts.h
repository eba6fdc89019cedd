/*
 * What the files of patterns share: pattern_read.c makes a tree, pattern.c lays it out as steps,
 * each of which names the next, and pattern_find.c follows them.
 *
 *     (a|bc)+$      0 CHAR a ─────┐
 *                   1 CHAR b ─ 2 CHAR c ─┤
 *                   3 SPLIT to 0 or 1 ◀──┼── start
 *                   4 SPLIT to 3 or 5 ◀──┘
 *                   5 END ─ 6 MATCH
 */
#ifndef PROTO_PATTERN_PARTS_H
#define PROTO_PATTERN_PARTS_H

#include "proto/pattern.h"

/* The first three take a character. */
enum step_kind { STEP_CHAR, STEP_ANY, STEP_SET, STEP_SPLIT, STEP_BEGIN, STEP_END, STEP_MATCH };

struct char_range {
	struct char_range *next;
	uint32_t low, high;
};

struct char_set {
	bool negated;
	uint64_t ascii[2];         /* bits of U+0000 to U+007F, as they are after negation */
	struct char_range *ranges; /* those that reach beyond, before negation */
};

struct pattern_step {
	enum step_kind kind;
	uint16_t next;
	uint16_t other; /* STEP_SPLIT */
	uint32_t character;
	const struct char_set *set;
};

struct pattern {
	const struct pattern_step *steps;
	uint16_t count;
	uint16_t start;
	bool ignore_case;
	uint8_t first[256]; /* bytes that a match behind the text's start can begin with */
};

bool char_set_has(const struct char_set *, uint32_t c) NONNULL;

enum node_kind { NODE_EMPTY, NODE_STEP, NODE_SEQUENCE, NODE_CHOICE, NODE_REPEAT };

struct pattern_node {
	enum node_kind kind;
	struct pattern_step step;   /* NODE_STEP */
	struct pattern_node *left, *right;  /* NODE_REPEAT has no right */
	int least, most;            /* NODE_REPEAT; most -1: without end */
};

struct pattern_reader {
	struct arena *arena;
	struct slice text;
	size_t at;
	int depth; /* of groups */
	bool ignore_case;
	const char *why;
};

/* The tree of r->text; NULL with r->why set. */
struct pattern_node *pattern_read(struct pattern_reader *) MUST NONNULL;

/* Sets r->why, unless it is set; always NULL. */
void *pattern_fail(struct pattern_reader *, const char *why) NONNULL;
/* Zeroed memory, or NULL and a fault. */
void *pattern_take(struct pattern_reader *, size_t n) MUST NONNULL;

#endif
