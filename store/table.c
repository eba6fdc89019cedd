/*
 * The raw tables: named databases of LMDB, keys and values as bytes, every failure into the
 * transaction's sticky error. The typed row functions are written on top of these and see no LMDB.
 *
 *	traces.c, alerts.c, ...  struct trace_row     what a row means
 *	record.c                 bytes of a value     how it is laid out
 *	table.c                  MDB_val, cursors     where it lies
 *
 * Walks use one cursor per table and transaction, opened when first needed: "the place". A get or
 * put does not move it, so a visitor may read any table; it may not walk the table that it visits.
 * Puts have cursors of their own, since most keys go to where the one before went, and from there
 * LMDB need not search the tree again.
 */
#include "store/txn.h"

#define TABLE_NAME(constant, noun) #noun,
const char *const table_names[TABLE_COUNT] = {TABLES(TABLE_NAME)};

static MDB_val
val(struct slice s)
{
	return (MDB_val){s.n, (void *)s.p};
}

static struct slice
slice(const MDB_val *v)
{
	return (struct slice){v->mv_data, v->mv_size};
}

/* True for a row; that there is none is no failure, everything else is. */
static bool
found(struct txn *txn, int rc)
{
	if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND)
		txn_error(txn, rc);
	return rc == MDB_SUCCESS;
}

bool
table_get(struct txn *txn, enum table table, struct slice key, struct slice *value)
{
	MDB_val k = val(key), v;

	if (txn->error != STORE_OK)
		return false;
	if (!found(txn, mdb_get(txn->mdb, txn->store->tables[table], &k, &v)))
		return false;
	*value = slice(&v);
	return true;
}

/* Opens the cursor where there is none yet. */
static int
open_cursor(struct txn *txn, enum table table, MDB_cursor **cursor)
{
	if (*cursor != NULL)
		return MDB_SUCCESS;
	return mdb_cursor_open(txn->mdb, txn->store->tables[table], cursor);
}

/* A cursor takes memory, which only the second put of a transaction is worth. */
static int
put_anywhere(struct txn *txn, enum table table, MDB_val *key, MDB_val *value)
{
	int rc;

	if (!txn->put_before[table]) {
		txn->put_before[table] = true;
		return mdb_put(txn->mdb, txn->store->tables[table], key, value, 0);
	}
	rc = open_cursor(txn, table, &txn->puts[table]);
	return rc != MDB_SUCCESS ? rc : mdb_cursor_put(txn->puts[table], key, value, 0);
}

static void
put(struct txn *txn, enum table table, struct slice key, struct slice value)
{
	MDB_val k = val(key), v = val(value);

	if (txn->error != STORE_OK)
		return;
	int rc = put_anywhere(txn, table, &k, &v);
	if (rc != MDB_SUCCESS)
		txn_error(txn, rc);
	else
		txn->rows_put++;
}

/* After a deletion pages may be merged: the next put searches the tree anew. */
static void
forget_put(struct txn *txn, enum table table)
{
	if (txn->puts[table] != NULL)
		mdb_cursor_close(txn->puts[table]);
	txn->puts[table] = NULL;
}

void
table_put(struct txn *txn, enum table table, struct slice key, const struct buf *value)
{
	if (txn_check(txn, !value->failed))
		put(txn, table, key, buf_slice(value));
}

void
table_put_bare(struct txn *txn, enum table table, struct slice key)
{
	static const char version = TXN_BARE_VERSION;

	put(txn, table, key, (struct slice){&version, 1});
}

bool
table_del(struct txn *txn, enum table table, struct slice key)
{
	MDB_val k = val(key);

	if (txn->error != STORE_OK)
		return false;
	forget_put(txn, table);
	return found(txn, mdb_del(txn->mdb, txn->store->tables[table], &k, NULL));
}

uint64_t
table_count(struct txn *txn, enum table table)
{
	MDB_stat stat;

	if (txn->error != STORE_OK)
		return 0;
	if (!found(txn, mdb_stat(txn->mdb, txn->store->tables[table], &stat)))
		return 0;
	return stat.ms_entries;
}

/* The table's cursor for walks; NULL in a failed transaction. */
static MDB_cursor *
place(struct txn *txn, enum table table)
{
	int rc;

	if (txn->error != STORE_OK)
		return NULL;
	rc = open_cursor(txn, table, &txn->cursors[table]);
	if (rc != MDB_SUCCESS)
		txn_error(txn, rc);
	return txn->cursors[table];
}

static bool
move(struct txn *txn, enum table table, MDB_cursor_op op, struct slice key, struct table_row *row)
{
	MDB_val k = val(key), v;
	MDB_cursor *cursor;

	/* Most walks of a turn are over nothing, which is not worth a cursor. */
	if (txn->cursors[table] == NULL && table_count(txn, table) == 0)
		return false;
	cursor = place(txn, table);
	if (cursor == NULL)
		return false;
	if (!found(txn, mdb_cursor_get(cursor, &k, &v, op)))
		return false;
	*row = (struct table_row){slice(&k), slice(&v)};
	return true;
}

static const struct slice no_key = {NULL, 0};

bool
table_first(struct txn *txn, enum table table, struct table_row *row)
{
	return move(txn, table, MDB_FIRST, no_key, row);
}

bool
table_next(struct txn *txn, enum table table, struct table_row *row)
{
	return move(txn, table, MDB_NEXT, no_key, row);
}

/* The first row at or behind key. */
bool
table_from(struct txn *txn, enum table table, struct slice key, struct table_row *row)
{
	return move(txn, table, MDB_SET_RANGE, key, row);
}

/* The first row behind key. */
bool
table_behind(struct txn *txn, enum table table, struct slice key, struct table_row *row)
{
	if (!table_from(txn, table, key, row))
		return false;
	return !slice_is(row->key, key) || table_next(txn, table, row);
}

/* The last row at or before key. */
bool
table_up_to(struct txn *txn, enum table table, struct slice key, struct table_row *row)
{
	if (!table_from(txn, table, key, row))
		return move(txn, table, MDB_LAST, no_key, row);
	return slice_is(row->key, key) || move(txn, table, MDB_PREV, no_key, row);
}

void
table_del_here(struct txn *txn, enum table table)
{
	MDB_cursor *cursor = place(txn, table);

	if (cursor == NULL)
		return;
	forget_put(txn, table);
	int rc = mdb_cursor_del(cursor, 0);
	if (rc != MDB_SUCCESS)
		txn_error(txn, rc);
}

/* Whether the row's id is older; a key that is too short to hold one fails the transaction. */
static bool
issued_before(struct txn *txn, const struct table_row *row, uint64_t before_ms)
{
	struct field_reader key = field_read(row->key);
	struct uuid id = field_id(&key);

	return txn_check(txn, !key.bad) && uuid_v7_ms(&id) < before_ms;
}

size_t
table_expire(struct txn *txn, enum table table, uint64_t before_ms, size_t max)
{
	struct table_row row;
	size_t removed = 0;

	if (max == 0 || !table_first(txn, table, &row))
		return 0;
	while (issued_before(txn, &row, before_ms)) {
		table_del_here(txn, table);
		removed++;
		if (removed == max || !table_next(txn, table, &row))
			break;
	}
	return removed;
}

void
store_count(struct txn *txn, store_visit *visit, void *arg)
{
	for (int i = 0; i < TABLE_COUNT; i++)
		visit(arg, table_names[i], table_count(txn, (enum table)i));
}

void
store_each(struct txn *txn, row_visit *visit, void *arg)
{
	struct table_row row;
	bool more;

	for (enum table table = 0; table < TABLE_COUNT; table++) {
		more = table_first(txn, table, &row);
		for (; more; more = table_next(txn, table, &row))
			if (!visit(arg, table_names[table], row.key, row.value))
				return;
	}
}
