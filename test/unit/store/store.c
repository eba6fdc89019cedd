/*
 * Opening: modes, locks, refusals; kill -9 at any time; the size (CONTRACT §1.1).
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/txn.h"
#include "test/unit/store/fixture.h"
#include "test/unit/store/samples.h"

/* Both flushes at every commit: without them a power loss may take back what was answered. Killing
 * the process cannot show this, because the kernel keeps what it was given. */
static void
test_store_flushes_every_commit(void **state)
{
	struct fixture *f = *state;
	unsigned flags;

	assert_int_equal(mdb_env_get_flags(f->store->env, &flags), MDB_SUCCESS);
	assert_int_equal(flags & (MDB_NOSYNC | MDB_NOMETASYNC | MDB_WRITEMAP | MDB_MAPASYNC), 0);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
test_store_modes_whatever_the_umask(void **state)
{
	static const mode_t masks[] = {0, 022, 0277};
	static const char *const names[] = {"data.mdb", "lock.mdb", "owner.lock"};
	struct fixture *f = *state;
	char path[128];

	for (size_t i = 0; i < COUNT_OF(masks); i++) {
		fixture_erase(f);
		mode_t old = umask(masks[i]);
		fixture_open(f, MEBIBYTE);
		umask(old);
		assert_int_equal(mode_of(f->dir), 0700);
		for (size_t j = 0; j < COUNT_OF(names); j++) {
			snprintf(path, sizeof path, "%s/%s", f->dir, names[j]);
			assert_int_equal(mode_of(path), 0600);
		}
	}
}

static void
refused(const char *dir, const char *sentence)
{
	char why[256] = "";

	assert_null(store_open(dir, MEBIBYTE, why));
	if (strstr(why, sentence) == NULL)
		fail_msg("\"%s\" says nothing of \"%s\"", why, sentence);
}

static void
test_store_second_open_is_refused(void **state)
{
	struct fixture *f = *state;

	refused(f->dir, "is in use by another process");
	pid_t child = fork();
	if (child == 0) {
		char why[256] = "";
		_exit(store_open(f->dir, MEBIBYTE, why) == NULL && strstr(why, "in use") ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	/* The refused one took nothing with it. */
	incidents_put(fixture_write(f), 1, &sample_incident);
	fixture_commit(f);
	fixture_reopen(f);
}

static void
test_store_bad_directories(void **state)
{
	struct fixture *f = *state;
	char path[128], file[160];

	snprintf(path, sizeof path, "%s/missing/data", f->top);
	refused(path, "cannot create directory");
	snprintf(file, sizeof file, "%s/data.mdb", f->dir);
	refused(file, "cannot open directory");
}

/* Root may write anywhere, so the test is somebody else for a moment. */
static void
test_store_directory_that_cannot_be_written(void **state)
{
	const uid_t nobody = 65534;
	struct fixture *f = *state;
	char path[128];
	uid_t me = geteuid();

	snprintf(path, sizeof path, "%s/readonly", f->top);
	assert_int_equal(chmod(f->top, 0755), 0);
	assert_int_equal(mkdir(path, 0555), 0);
	if (me == 0)
		assert_int_equal(seteuid(nobody), 0);
	refused(path, "cannot be written");
	assert_int_equal(seteuid(me), 0);
	assert_int_equal(rmdir(path), 0);
}

static void
test_store_other_schema_is_refused(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct buf *value = txn_value(txn);

	field_put_u8(value, 1);
	field_put_u32(value, STORE_SCHEMA + 1);
	table_put(txn, TABLE_META, SLICE("schema"), value);
	fixture_commit(f);
	store_close(f->store);
	f->store = NULL;
	refused(f->dir, "has schema 2, this version reads schema 1");
}

static void
test_store_foreign_file_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[128];

	store_close(f->store);
	f->store = NULL;
	snprintf(path, sizeof path, "%s/data.mdb", f->dir);
	int fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "not a store of ours", 19, 8), 19);
	assert_int_equal(pwrite(fd, "not a store of ours", 19, 4096 + 8), 19);
	close(fd);
	refused(f->dir, "cannot open the store");
}

/* A start that the power failed in the middle of left half of a file's first page: it was not given
 * its name yet, so nothing that was promised is in it. */
static void
test_store_start_that_was_cut_short(void **state)
{
	struct fixture *f = *state;
	char path[128], fresh[128];

	store_close(f->store);
	snprintf(path, sizeof path, "%s/data.mdb", f->dir);
	snprintf(fresh, sizeof fresh, "%s/data.new", f->dir);
	assert_int_equal(rename(path, fresh), 0);
	assert_int_equal(truncate(fresh, 512), 0);
	fixture_open(f, 64 * MEBIBYTE);
	assert_int_equal(access(fresh, F_OK), -1);
}

static int
read_beside(struct fixture *f)
{
	char why[256] = "";
	struct incident_row row;
	struct store *store = store_open_reader(f->dir, why);

	if (store == NULL)
		return 1;
	struct txn *txn = store_read(store);
	if (txn == NULL || !incidents_get(txn, 1, &row) || incidents_count(txn) != 1)
		return 2;
	store_abort(txn);
	store_close(store);
	return 0;
}

static void
test_store_reader_beside_the_owner(void **state)
{
	struct fixture *f = *state;

	incidents_put(fixture_write(f), 1, &sample_incident);
	fixture_commit(f);
	incidents_put(fixture_write(f), 2, &sample_incident); /* under way, not to be seen */
	pid_t child = fork();
	if (child == 0)
		_exit(read_beside(f));
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	fixture_commit(f);
}

static void
test_store_reader_of_nothing(void **state)
{
	struct fixture *f = *state;
	char why[256] = "";

	char path[128];

	assert_null(store_open_reader(f->top, why));
	assert_non_null(strstr(why, "there is no store in"));
	snprintf(path, sizeof path, "%s/lock.mdb", f->top);
	assert_int_not_equal(access(path, F_OK), 0); /* nothing was left behind there */
}

/* Commits one incident after another, telling the pipe of each one that is on disk. */
static void
commit_for_ever(const char *dir, int pipe_fd)
{
	char why[256];
	struct store *store = store_open(dir, 64 * MEBIBYTE, why);

	for (uint64_t n = 1; store != NULL; n++) {
		struct txn *txn = store_write(store);
		if (txn == NULL)
			break;
		struct meta meta = {.applied = n};
		meta_put(txn, &meta);
		incidents_put(txn, n, &sample_incident);
		if (store_commit(txn) != STORE_OK)
			break;
		if (write(pipe_fd, &n, sizeof n) != sizeof n)
			break;
	}
	_exit(1);
}

/* The last number told before the child was killed. */
static uint64_t
run_and_kill(struct fixture *f, useconds_t after)
{
	int fds[2];
	uint64_t n, told = 0;

	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();
	if (child == 0)
		commit_for_ever(f->dir, fds[1]);
	close(fds[1]);
	assert_int_equal(read(fds[0], &told, sizeof told), sizeof told);
	usleep(after);
	assert_int_equal(kill(child, SIGKILL), 0);
	while (read(fds[0], &n, sizeof n) == sizeof n)
		told = n;
	close(fds[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return told;
}

/* CONTRACT §1.1: what was told is there, whole; at most the one commit after it may be, too. */
static void
test_store_kill_keeps_what_was_committed(void **state)
{
	struct fixture *f = *state;

	for (useconds_t round = 0; round < 10; round++) {
		fixture_erase(f);
		uint64_t told = run_and_kill(f, 1000 + 1777 * round);
		fixture_open(f, 64 * MEBIBYTE);
		struct txn *txn = fixture_write(f);
		struct meta meta;
		meta_get(txn, &meta);
		assert_true(meta.applied == told || meta.applied == told + 1);
		assert_int_equal(incidents_count(txn), meta.applied);
		struct incident_row row;
		for (uint64_t n = 1; n <= meta.applied; n++)
			assert_true(incidents_get(txn, n, &row));
		fixture_commit(f);
	}
}

static uint64_t
used(struct fixture *f, size_t steps)
{
	struct txn *txn = store_read(f->store);

	assert_non_null(txn);
	struct store_size size = store_size(txn, steps);
	assert_int_equal(size.limit, 64 * MEBIBYTE);
	assert_int_equal(store_commit(txn), STORE_OK);
	return size.used;
}

static void
put_pending(struct fixture *f, uint64_t rows)
{
	static char text[4096];

	for (uint64_t i = 1; i <= rows; i++) {
		pending_put(fixture_write(f), i, (struct slice){text, sizeof text});
		fixture_commit(f);
	}
}

static void
remove_pending(struct fixture *f, uint64_t rows)
{
	for (uint64_t i = 1; i <= rows; i++) {
		pending_remove(fixture_write(f), i);
		fixture_commit(f);
	}
}

/* Pages of deleted rows do not count as used, counted at once, step by step, and at the start. */
static void
test_store_size(void **state)
{
	struct fixture *f = *state;
	uint64_t empty = used(f, SIZE_MAX);

	assert_true(empty > 0 && empty < MEBIBYTE / 2);
	put_pending(f, 500);
	uint64_t full = used(f, SIZE_MAX);
	assert_true(full > 500 * 4096 && full < 5 * MEBIBYTE);
	remove_pending(f, 500);
	for (int i = 0; i < 2000; i++)
		used(f, 1);
	uint64_t stepped = used(f, 1);
	assert_true(stepped < MEBIBYTE / 2);
	assert_int_equal(used(f, SIZE_MAX), stepped);
	fixture_reopen(f);
	struct txn *txn = fixture_write(f);
	assert_int_equal(store_size(txn, 0).used, stepped);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(test_store_flushes_every_commit),
	    STORE_TEST(test_store_modes_whatever_the_umask),
	    STORE_TEST(test_store_second_open_is_refused),
	    STORE_TEST(test_store_bad_directories),
	    STORE_TEST(test_store_directory_that_cannot_be_written),
	    STORE_TEST(test_store_other_schema_is_refused),
	    STORE_TEST(test_store_foreign_file_is_refused),
	    STORE_TEST(test_store_start_that_was_cut_short),
	    STORE_TEST(test_store_reader_beside_the_owner),
	    STORE_TEST(test_store_reader_of_nothing),
	    STORE_TEST(test_store_kill_keeps_what_was_committed),
	    STORE_TEST(test_store_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
