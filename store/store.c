/*
 * Opening and closing: the directory, its lock, its files, the tables.
 *
 *	dir/owner.lock  held with flock by the one process that writes; its process id
 *	dir/data.mdb    the state; while it is being made, data.new
 *	dir/lock.mdb    LMDB's own: who reads which snapshot
 *
 * All are made here with mode 0600 before LMDB opens them, so that no umask counts. LMDB does not
 * notice when one process opens the same file twice, and then loses its locks; flock does, because
 * it belongs to the open file and not to the process. A new file is durable only once its
 * directory was flushed, which LMDB leaves to us.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/txn.h"

enum { WHY_SIZE = 256, SCHEMA_VERSION = 1 };

static bool PRINTF(2, 3)
refuse(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, WHY_SIZE, format, args);
	va_end(args);
	return false;
}

static bool
make_dir(struct store *store, const char *dir, char *why)
{
	bool made = mkdir(dir, 0700) == 0;

	if (!made && errno != EEXIST)
		return refuse(why, "cannot create directory %s: %s", dir, strerror(errno));
	if (made && chmod(dir, 0700) != 0)
		return refuse(why, "cannot set the mode of %s: %s", dir, strerror(errno));
	store->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->dir < 0)
		return refuse(why, "cannot open directory %s: %s", dir, strerror(errno));
	return true;
}

/* Opens a file of the directory for writing; one that is new gets mode 0600. -1 with errno set. */
static int
open_file(struct store *store, const char *name)
{
	int fd = openat(store->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno == EEXIST ? openat(store->dir, name, O_RDWR | O_CLOEXEC) : -1;
	if (fchmod(fd, 0600) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Whoever holds the lock has left its process id in the file; without it the lock is as good. */
static void
sign_lock(const struct store *store)
{
	char text[32];
	int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());

	if (ftruncate(store->lock, 0) != 0 || pwrite(store->lock, text, (size_t)n, 0) != n)
		return;
}

static bool
refuse_taken(const struct store *store, const char *dir, char *why)
{
	char text[32] = "";
	long pid = 0;

	if (pread(store->lock, text, sizeof text - 1, 0) > 0)
		pid = strtol(text, NULL, 10);
	if (pid <= 0)
		return refuse(why, "directory %s is in use by another process", dir);
	return refuse(why, "directory %s is in use by another process, %ld", dir, pid);
}

static bool
take_lock(struct store *store, const char *dir, char *why)
{
	store->lock = open_file(store, "owner.lock");
	if (store->lock < 0)
		return refuse(why, "directory %s cannot be written: %s", dir, strerror(errno));
	if (flock(store->lock, LOCK_EX | LOCK_NB) == 0) {
		sign_lock(store);
		return true;
	}
	if (errno == EWOULDBLOCK)
		return refuse_taken(store, dir, why);
	return refuse(why, "cannot lock %s/owner.lock: %s", dir, strerror(errno));
}

static bool
make_file(struct store *store, const char *dir, const char *name, char *why)
{
	int fd = open_file(store, name);

	if (fd < 0)
		return refuse(why, "cannot write %s/%s: %s", dir, name, strerror(errno));
	close(fd);
	return true;
}

/* Has LMDB write its first pages to the file of that path, and flushes them. */
static int
write_first_pages(const char *path)
{
	MDB_env *env;
	int rc = mdb_env_create(&env);

	if (rc != MDB_SUCCESS)
		return rc;
	rc = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0600);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_sync(env, 1);
	mdb_env_close(env);
	return rc;
}

/* LMDB refuses a file whose first pages are not whole, as a power failure may leave it: a new one
 * gets its name when they are. */
static bool
make_data(struct store *store, const char *dir, char *why)
{
	static const char name[] = "data.mdb", fresh[] = "data.new";
	char path[4096];
	int rc;

	if (faccessat(store->dir, name, F_OK, 0) == 0)
		return make_file(store, dir, name, why);
	if (snprintf(path, sizeof path, "%s/%s", dir, fresh) >= (int)sizeof path)
		return refuse(why, "the path of directory %s is too long", dir);
	unlinkat(store->dir, fresh, 0); /* left over from a start that was cut short */
	if (!make_file(store, dir, fresh, why))
		return false;
	rc = write_first_pages(path);
	if (rc == MDB_SUCCESS && renameat(store->dir, fresh, store->dir, name) != 0)
		rc = errno;
	if (rc != MDB_SUCCESS)
		return refuse(why, "cannot create %s/%s: %s", dir, name, mdb_strerror(rc));
	return true;
}

/* Only behind the lock: closing any descriptor of lock.mdb drops the locks LMDB has on it. */
static bool
make_files(struct store *store, const char *dir, char *why)
{
	return make_data(store, dir, why) && make_file(store, dir, "lock.mdb", why);
}

/* A parent that we may not read was not made by us, nor was the directory in it. */
static bool
sync_dirs(struct store *store, const char *dir, char *why)
{
	if (fsync(store->dir) != 0)
		return refuse(why, "cannot flush directory %s: %s", dir, strerror(errno));
	int parent = openat(store->dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0 && errno == EACCES)
		return true;
	if (parent < 0 || fsync(parent) != 0) {
		refuse(why, "cannot flush the directory above %s: %s", dir, strerror(errno));
		if (parent >= 0)
			close(parent);
		return false;
	}
	close(parent);
	return true;
}

/* map_size 0: what the file says. */
static bool
open_env(struct store *store, const char *dir, uint64_t map_size, unsigned flags, char *why)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	int stale;
	int rc = mdb_env_create(&store->env);

	if (rc == MDB_SUCCESS)
		rc = mdb_env_set_maxdbs(store->env, TABLE_COUNT);
	if (rc == MDB_SUCCESS && map_size != 0)
		rc = mdb_env_set_mapsize(store->env, map_size / page * page);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_open(store->env, dir, flags | MDB_NOTLS | MDB_NORDAHEAD, 0600);
	if (rc == MDB_SUCCESS)
		rc = mdb_reader_check(store->env, &stale);
	if (rc != MDB_SUCCESS)
		return refuse(why, "cannot open the store in %s: %s", dir, mdb_strerror(rc));
	return true;
}

static const struct slice schema_key = {"schema", 6};

static bool
put_schema(struct txn *txn)
{
	struct buf *value = txn_value(txn);

	field_put_u8(value, SCHEMA_VERSION);
	field_put_u32(value, STORE_SCHEMA);
	table_put(txn, TABLE_META, schema_key, value);
	return true;
}

/* A store without a schema was just created, perhaps by a start that was cut short. */
static bool
check_schema(struct txn *txn, const char *dir, char *why)
{
	struct slice value;

	if (!table_get(txn, TABLE_META, schema_key, &value)) {
		if (txn->writes)
			return put_schema(txn);
		return refuse(why, "the store in %s is empty", dir);
	}
	struct field_reader r = field_read(value);
	uint8_t version = field_u8(&r);
	uint32_t schema = field_u32(&r);
	if (version != SCHEMA_VERSION || !field_end(&r))
		return refuse(why, "the store in %s was written by another program", dir);
	if (schema != STORE_SCHEMA)
		return refuse(why, "the store in %s has schema %u, this version reads schema %d",
		    dir, (unsigned)schema, STORE_SCHEMA);
	return true;
}

static bool
open_table(struct txn *txn, enum table table, const char *dir, char *why)
{
	unsigned flags = txn->writes ? MDB_CREATE : 0;
	int rc = mdb_dbi_open(txn->mdb, table_names[table], flags, &txn->store->tables[table]);

	if (rc != MDB_SUCCESS)
		return refuse(why, "cannot open table %s in %s: %s", table_names[table], dir,
		    mdb_strerror(rc));
	return true;
}

/* The schema first: nothing is created in a store that some other version wrote. */
static bool
fill_tables(struct txn *txn, const char *dir, char *why)
{
	if (!open_table(txn, TABLE_META, dir, why) || !check_schema(txn, dir, why))
		return false;
	for (enum table table = TABLE_META + 1; table < TABLE_COUNT; table++)
		if (!open_table(txn, table, dir, why))
			return false;
	return true;
}

/* The handles stay only if this transaction is committed, a reader's too. */
static bool
open_tables(struct store *store, bool writes, const char *dir, char *why)
{
	struct txn txn = {.store = store, .open = true, .writes = writes};
	int rc = mdb_txn_begin(store->env, NULL, writes ? 0 : MDB_RDONLY, &txn.mdb);

	if (rc != MDB_SUCCESS)
		return refuse(why, "cannot read the store in %s: %s", dir, mdb_strerror(rc));
	bool good = fill_tables(&txn, dir, why);
	if (txn.error != STORE_OK)
		good = refuse(why, "cannot use %s: %s", dir, store_error_text(txn.error));
	if (!good) {
		mdb_txn_abort(txn.mdb);
		return false;
	}
	rc = mdb_txn_commit(txn.mdb);
	if (rc != MDB_SUCCESS)
		return refuse(why, "cannot write the store in %s: %s", dir, mdb_strerror(rc));
	return true;
}

static bool
count_free(struct store *store, const char *dir, char *why)
{
	struct txn *txn = store_read(store);

	if (txn == NULL)
		return refuse(why, "cannot read the store in %s", dir);
	store_size(txn, SIZE_MAX);
	if (store_commit(txn) != STORE_OK)
		return refuse(why, "cannot read the free list of the store in %s", dir);
	return true;
}

static struct store *
new_store(char *why)
{
	struct store *store = calloc(1, sizeof *store);

	if (store == NULL) {
		refuse(why, "no memory");
		return NULL;
	}
	store->dir = -1;
	store->lock = -1;
	buf_init(&store->scratch, TXN_VALUE_MAX);
	return store;
}

static struct store *
kept(struct store *store, bool good)
{
	if (good)
		return store;
	store_close(store);
	return NULL;
}

struct store *
store_open(const char *dir, uint64_t map_size, char why[256])
{
	struct store *store = new_store(why);

	if (store == NULL)
		return NULL;
	return kept(store, make_dir(store, dir, why) && take_lock(store, dir, why) &&
	    make_files(store, dir, why) && open_env(store, dir, map_size, 0, why) &&
	    open_tables(store, true, dir, why) && sync_dirs(store, dir, why) &&
	    count_free(store, dir, why));
}

/* LMDB would leave a lock file in any directory that it is shown. */
static bool
has_store(const char *dir, char *why)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/data.mdb", dir);
	return access(path, F_OK) == 0 ||
	       refuse(why, "there is no store in %s: %s", dir, strerror(errno));
}

struct store *
store_open_reader(const char *dir, char why[256])
{
	struct store *store = new_store(why);

	if (store == NULL)
		return NULL;
	return kept(store, has_store(dir, why) && open_env(store, dir, 0, MDB_RDONLY, why) &&
	    open_tables(store, false, dir, why) && count_free(store, dir, why));
}

/* The row functions reach a copy by the tables' handles, like any other store. */
struct store *
store_open_copy(const char *path, char why[256])
{
	struct store *store = new_store(why);

	if (store == NULL)
		return NULL;
	return kept(store,
	    open_env(store, path, 0, MDB_RDONLY | MDB_NOSUBDIR | MDB_NOLOCK, why) &&
		open_tables(store, false, path, why));
}

bool
store_copy(struct store *store, int fd, char why[256])
{
	int rc = mdb_env_copyfd2(store->env, fd, MDB_CP_COMPACT);

	return rc == MDB_SUCCESS || refuse(why, "cannot copy the store: %s", mdb_strerror(rc));
}

int
store_clear_readers(struct store *store)
{
	int dead = 0;

	return mdb_reader_check(store->env, &dead) == MDB_SUCCESS ? dead : 0;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	assert(!store->read.open && !store->write.open);
	if (store->read.mdb != NULL)
		mdb_txn_abort(store->read.mdb);
	if (store->env != NULL)
		mdb_env_close(store->env);
	if (store->lock >= 0)
		close(store->lock);
	if (store->dir >= 0)
		close(store->dir);
	buf_free(&store->scratch);
	free(store);
}
