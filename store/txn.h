/*
 * Inside of the store: its structures, and the raw tables that the typed row functions stand on.
 * Nothing outside store/ includes this.
 *
 * A read and a write transaction live in struct store, so that beginning one takes no memory.
 * LMDB's handle of the read one is kept, reset, between its uses.
 */
#ifndef STORE_TXN_H
#define STORE_TXN_H

#include <lmdb.h>

#include "store/key.h"
#include "store/record.h"

#define TABLES(X)                                                                                  \
	X(META, meta)                                                                              \
	X(NAMES, names)                                                                            \
	X(TRACES, traces)                                                                          \
	X(PENDING, pending)                                                                        \
	X(ALERTS, alerts)                                                                          \
	X(INCIDENTS, incidents)                                                                    \
	X(OPEN, open)                                                                              \
	X(EVENTS, events)                                                                          \
	X(DELIVERIES, deliveries)                                                                  \
	X(LANES, lanes)                                                                            \
	X(DUE, due)                                                                                \
	X(DEAD, dead)                                                                              \
	X(DEAD_COUNTS, dead_counts)                                                                \
	X(ATTEMPTS, attempts)                                                                      \
	X(NOTES, notes)                                                                            \
	X(TIMERS, timers)                                                                          \
	X(CLOSED, closed)                                                                          \
	X(SIMILAR, similar)

#define TABLE_ENUM(constant, noun) TABLE_##constant,
enum table { TABLES(TABLE_ENUM) TABLE_COUNT };
#undef TABLE_ENUM

enum {
	TXN_VALUE_MAX = 16 << 20, /* bytes of one value; a larger one is STORE_FAULT */
	TXN_BARE_VERSION = 1,     /* of values without a layout of their own in record.c */
};

struct txn {
	struct store *store;
	MDB_txn *mdb;
	bool open;
	bool writes;
	int error;       /* STORE_OK, or the first failure, which sticks */
	size_t rows_put;
	/* Opened on first use, closed with the transaction: */
	MDB_cursor *cursors[TABLE_COUNT]; /* walks */
	MDB_cursor *puts[TABLE_COUNT];    /* where the last put went; NULL after a deletion */
	bool put_before[TABLE_COUNT];     /* the next put opens that cursor */
};

/* A walk over LMDB's free list, spread over many calls of store_size(). */
struct free_walk {
	size_t next;    /* key to go on from: a transaction's number */
	uint64_t sum;   /* pages seen by this walk */
	uint64_t pages; /* what the last whole walk found */
};

struct store {
	MDB_env *env;
	int dir;  /* descriptors; -1 in a reader */
	int lock;
	MDB_dbi tables[TABLE_COUNT];
	struct txn read, write;
	struct buf scratch; /* the value being encoded */
	struct free_walk free_walk;
	struct uuid similar_at; /* where similar_expire() goes on */
};

/* Sets the sticky error to the class of LMDB's result or errno value rc. */
void txn_error(struct txn *, int rc) NONNULL;
/* Returns good; false also fails the transaction: a row is not what it must be. */
bool txn_check(struct txn *, bool good) NONNULL;
/* The store's scratch buffer, emptied: for one value, until the next put. */
struct buf *txn_value(struct txn *) MUST NONNULL;

extern const char *const table_names[TABLE_COUNT];

struct table_row {
	struct slice key, value;
};

bool table_get(struct txn *, enum table, struct slice key, struct slice *value) MUST NONNULL;
void table_put(struct txn *, enum table, struct slice key, const struct buf *value) NONNULL;
/* A value that is a version byte only: the key says it all. */
void table_put_bare(struct txn *, enum table, struct slice key) NONNULL;
bool table_del(struct txn *, enum table, struct slice key) NONNULL; /* false: there was none */
uint64_t table_count(struct txn *, enum table) NONNULL;

/* Each table has one place per transaction, which these move. False: there is no such row. */
bool table_first(struct txn *, enum table, struct table_row *) MUST NONNULL;
bool table_next(struct txn *, enum table, struct table_row *) MUST NONNULL;
bool table_from(struct txn *, enum table, struct slice key, struct table_row *) MUST NONNULL;
bool table_behind(struct txn *, enum table, struct slice key, struct table_row *) MUST NONNULL;
bool table_up_to(struct txn *, enum table, struct slice key, struct table_row *) MUST NONNULL;
/* Deletes the row at the place; table_next() then gives the one behind it. */
void table_del_here(struct txn *, enum table) NONNULL;

/* Removes rows whose keys start with an id issued before before_ms, at most max, oldest first. */
size_t table_expire(struct txn *, enum table, uint64_t before_ms, size_t max) NONNULL;

static inline bool
table_prefixed(const struct table_row *row, struct slice prefix)
{
	return row->key.n >= prefix.n && memcmp(row->key.p, prefix.p, prefix.n) == 0;
}

#endif
