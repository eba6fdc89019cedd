/*
 * Transactions: begin, the sticky error, commit, and what a failure means.
 *
 *	store_write ──> puts, gets ──────> store_commit ──> STORE_OK: on stable storage
 *	                  │ first failure        │
 *	                  v                      v
 *	               sticky error ────────> aborted: nothing of it exists
 *	                                         or STORE_BROKEN: nobody knows, the process exits
 *
 * In its default mode LMDB writes the data pages, flushes, and then writes the meta page that makes
 * them count. Until that last write a failure leaves the former state. If the last write itself
 * fails, LMDB refuses all later write transactions, and that is how is_panicked() tells.
 */
#include <errno.h>
#include <sys/statvfs.h>

#include "store/txn.h"

int (*store_commit_fault)(void);

static int
error_class(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return STORE_OK;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case EROFS:
		return STORE_FULL;
	case EIO:
	case MDB_PANIC:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
		return STORE_BROKEN;
	default:
		return STORE_FAULT;
	}
}

void
txn_error(struct txn *txn, int rc)
{
	if (txn->error == STORE_OK)
		txn->error = error_class(rc);
}

bool
txn_check(struct txn *txn, bool good)
{
	if (!good)
		store_fail(txn);
	return good;
}

struct buf *
txn_value(struct txn *txn)
{
	buf_clear(&txn->store->scratch);
	return &txn->store->scratch;
}

static struct txn *
begun(struct txn *txn, struct store *store, bool writes)
{
	MDB_txn *mdb = txn->mdb;

	*txn = (struct txn){.store = store, .mdb = mdb, .open = true, .writes = writes};
	return txn;
}

struct txn *
store_write(struct store *store)
{
	struct txn *txn = &store->write;

	assert(!txn->open);
	if (mdb_txn_begin(store->env, NULL, 0, &txn->mdb) != MDB_SUCCESS)
		return NULL;
	return begun(txn, store, true);
}

struct txn *
store_read(struct store *store)
{
	struct txn *txn = &store->read;
	int rc;

	assert(!txn->open);
	if (txn->mdb == NULL)
		rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn->mdb);
	else
		rc = mdb_txn_renew(txn->mdb);
	return rc == MDB_SUCCESS ? begun(txn, store, false) : NULL;
}

/* Cursors of a read transaction outlive it and are ours to close; those of a write transaction are
 * closed by LMDB with it. */
static void
close_cursors(struct txn *txn)
{
	for (size_t i = 0; i < TABLE_COUNT; i++)
		if (txn->cursors[i] != NULL)
			mdb_cursor_close(txn->cursors[i]);
}

void
store_abort(struct txn *txn)
{
	if (txn == NULL)
		return;
	assert(txn->open);
	if (txn->writes) {
		mdb_txn_abort(txn->mdb);
	} else {
		close_cursors(txn);
		mdb_txn_reset(txn->mdb);
	}
	txn->open = false;
}

/* LMDB wrote its meta page and does not know with what result. */
static bool
is_panicked(struct store *store)
{
	MDB_txn *probe;
	int rc = mdb_txn_begin(store->env, NULL, 0, &probe);

	if (rc == MDB_SUCCESS)
		mdb_txn_abort(probe);
	return rc == MDB_PANIC;
}

/* LMDB reports a write that the disk took a part of as EIO, which is how a full disk begins. */
static bool
is_disk_full(struct store *store)
{
	enum { ROOM_FOR_A_COMMIT = 4 << 20 };
	struct statvfs fs;
	mdb_filehandle_t fd;

	if (mdb_env_get_fd(store->env, &fd) != MDB_SUCCESS || fstatvfs(fd, &fs) != 0)
		return false;
	return (uint64_t)fs.f_bavail * fs.f_frsize < ROOM_FOR_A_COMMIT;
}

static int
commit_class(struct store *store, int rc)
{
	if (rc == MDB_SUCCESS)
		return STORE_OK;
	if (is_panicked(store))
		return STORE_BROKEN;
	if (error_class(rc) == STORE_FULL || (rc == EIO && is_disk_full(store)))
		return STORE_FULL;
	return rc == ENOMEM ? STORE_FAULT : STORE_BROKEN;
}

int
store_commit(struct txn *txn)
{
	int error = txn->error;

	assert(txn->open);
	if (error == STORE_OK && txn->writes && store_commit_fault != NULL)
		error = store_commit_fault();
	if (error != STORE_OK || !txn->writes) {
		store_abort(txn);
		return error;
	}
	txn->open = false;
	return commit_class(txn->store, mdb_txn_commit(txn->mdb));
}

bool
store_failed(const struct txn *txn)
{
	return txn->error != STORE_OK;
}

void
store_fail(struct txn *txn)
{
	if (txn->error == STORE_OK)
		txn->error = STORE_FAULT;
}

size_t
store_rows_put(const struct txn *txn)
{
	return txn->rows_put;
}

const char *
store_error_text(int error)
{
	switch (error) {
	case STORE_OK:
		return "ok";
	case STORE_FULL:
		return "the store or its disk has no room, or cannot be written";
	case STORE_BROKEN:
		return "the store cannot be written (I/O error)";
	default:
		return "memory is short, or a row cannot be read";
	}
}
