/*
 * How much room is in use: pages up to the last one, less those on LMDB's free list.
 *
 * The free list is a table of its own (database 0): number of a transaction -> list of the pages it
 * freed, its length first. It may have many rows after a mass of deletes, so a walk over it is
 * spread over calls, each of which counts a few rows on and remembers where it stopped; a finished
 * walk replaces the result of the one before. store_open() makes a whole walk, so the result is
 * never a guess. While a walk is under way rows come and go, so it is an estimate that the next
 * walk corrects.
 *
 * LMDB lets only read transactions look at that table; a write transaction gets the last result.
 */
#include "store/txn.h"

static uint64_t
number_at(const void *p)
{
	size_t n;

	memcpy(&n, p, sizeof n);
	return n;
}

static void
finish(struct free_walk *walk)
{
	*walk = (struct free_walk){.pages = walk->sum};
}

/* Counts at most `steps` rows on; returns LMDB's result, MDB_NOTFOUND at the end. */
static int
count_on(MDB_cursor *cursor, struct free_walk *walk, size_t steps)
{
	MDB_val key = {sizeof walk->next, &walk->next}, pages;
	int rc = mdb_cursor_get(cursor, &key, &pages, MDB_SET_RANGE);

	for (; rc == MDB_SUCCESS && steps > 0; steps--) {
		walk->sum += number_at(pages.mv_data);
		walk->next = number_at(key.mv_data) + 1;
		rc = mdb_cursor_get(cursor, &key, &pages, MDB_NEXT);
	}
	return rc;
}

static void
walk_on(struct txn *txn, size_t steps)
{
	const MDB_dbi free_list = 0;
	struct free_walk *walk = &txn->store->free_walk;
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn->mdb, free_list, &cursor);

	if (rc == MDB_SUCCESS) {
		rc = count_on(cursor, walk, steps);
		mdb_cursor_close(cursor);
	}
	if (rc == MDB_NOTFOUND)
		finish(walk);
	else if (rc != MDB_SUCCESS)
		txn_error(txn, rc);
}

struct store_size
store_size(struct txn *txn, size_t steps)
{
	struct store *store = txn->store;
	MDB_envinfo info;
	MDB_stat stat;

	if (!txn->writes && txn->error == STORE_OK)
		walk_on(txn, steps);
	mdb_env_info(store->env, &info);
	mdb_env_stat(store->env, &stat);
	uint64_t pages = info.me_last_pgno + 1;
	uint64_t unused = store->free_walk.pages < pages ? store->free_walk.pages : pages;
	return (struct store_size){
	    .limit = info.me_mapsize,
	    .used = (pages - unused) * stat.ms_psize,
	};
}
