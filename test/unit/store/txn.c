/*
 * Transactions: all or nothing, and the meaning of each way to fail (CONTRACT §1.1, §3: 503).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "store/txn.h"
#include "test/unit/store/fixture.h"
#include "test/unit/store/samples.h"

static int fault;

static int
answer_fault(void)
{
	return fault;
}

static uint64_t
count_incidents(struct fixture *f)
{
	struct txn *txn = store_read(f->store);

	assert_non_null(txn);
	uint64_t n = incidents_count(txn);
	assert_int_equal(store_commit(txn), STORE_OK);
	return n;
}

static void
test_txn_abort_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);

	incidents_put(txn, 1, &sample_incident);
	store_abort(txn);
	f->txn = NULL;
	store_abort(NULL);
	assert_int_equal(count_incidents(f), 0);
}

/* After the first failure puts do nothing, gets find nothing, and the commit says so. */
static void
test_txn_failure_sticks(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct incident_row row;
	uint64_t number = 1;

	incidents_put(txn, 1, &sample_incident);
	assert_false(store_failed(txn));
	store_fail(txn);
	assert_true(store_failed(txn));
	incidents_put(txn, 2, &sample_incident);
	assert_int_equal(store_rows_put(txn), 1);
	assert_false(incidents_get(txn, 1, &row));
	assert_false(incidents_after(txn, &number, &row));
	assert_int_equal(incidents_count(txn), 0);
	f->txn = NULL;
	assert_int_equal(store_commit(txn), STORE_FAULT);
	assert_int_equal(count_incidents(f), 0);
	incidents_put(fixture_write(f), 3, &sample_incident);
	fixture_commit(f);
	assert_int_equal(count_incidents(f), 1);
}

static void
test_txn_error_classes(void **state)
{
	static const struct {
		int rc, want;
	} cases[] = {
	    {MDB_MAP_FULL, STORE_FULL}, {MDB_TXN_FULL, STORE_FULL}, {ENOSPC, STORE_FULL},
	    {EDQUOT, STORE_FULL}, {EIO, STORE_BROKEN}, {MDB_PANIC, STORE_BROKEN},
	    {MDB_CORRUPTED, STORE_BROKEN}, {MDB_PAGE_NOTFOUND, STORE_BROKEN}, {ENOMEM, STORE_FAULT},
	    {MDB_BAD_VALSIZE, STORE_FAULT}};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct txn *txn = fixture_write(f);
		txn_error(txn, cases[i].rc);
		txn_error(txn, MDB_BAD_TXN); /* the first one counts */
		f->txn = NULL;
		assert_int_equal(store_commit(txn), cases[i].want);
	}
}

static void
test_txn_injected_fault(void **state)
{
	static const int faults[] = {STORE_FULL, STORE_BROKEN, STORE_FAULT};
	struct fixture *f = *state;

	store_commit_fault = answer_fault;
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		struct txn *txn = store_write(f->store);
		assert_non_null(txn);
		incidents_put(txn, 1, &sample_incident);
		fault = faults[i];
		assert_int_equal(store_commit(txn), faults[i]);
		assert_int_equal(count_incidents(f), 0);
	}
	fault = STORE_OK;
	incidents_put(fixture_write(f), 1, &sample_incident);
	fixture_commit(f);
	assert_int_equal(count_incidents(f), 1);
}

/* A row of a version from the future, or cut, is found by nobody and fails the transaction. */
static void
test_txn_bad_row_is_a_fault(void **state)
{
	static const struct slice values[] = {{"\x63", 1}, {"\x01\x02", 2}};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT_OF(values); i++) {
		struct txn *txn = fixture_write(f);
		struct key key = key_number(1);
		struct incident_row row;
		struct buf b;
		buf_init(&b, 64);
		buf_put_slice(&b, values[i]);
		table_put(txn, TABLE_INCIDENTS, key_slice(&key), &b);
		buf_free(&b);
		assert_false(store_failed(txn));
		assert_false(incidents_get(txn, 1, &row));
		f->txn = NULL;
		assert_int_equal(store_commit(txn), STORE_FAULT);
	}
}

static void
test_txn_value_too_large(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(TXN_VALUE_MAX);
	struct txn *txn = fixture_write(f);

	assert_non_null(text);
	memset(text, 'x', TXN_VALUE_MAX);
	pending_put(txn, 1, (struct slice){text, TXN_VALUE_MAX});
	assert_true(store_failed(txn));
	store_abort(txn);
	txn = fixture_write(f);
	pending_put(txn, 1, (struct slice){text, TXN_VALUE_MAX - 1});
	fixture_commit(f);
	free(text);
}

/* The reader keeps its snapshot while the writer commits; the next one sees the new state. */
static void
test_txn_reader_beside_writer(void **state)
{
	struct fixture *f = *state;

	for (uint64_t i = 1; i <= 3; i++) {
		struct txn *reader = store_read(f->store);
		assert_non_null(reader);
		incidents_put(fixture_write(f), i, &sample_incident);
		assert_int_equal(incidents_count(f->txn), i);
		fixture_commit(f);
		uint64_t number = i - 1;
		struct incident_row row;
		assert_int_equal(incidents_count(reader), i - 1);
		assert_int_equal(incidents_after(reader, &number, &row), i > 1);
		assert_int_equal(store_commit(reader), STORE_OK);
	}
	assert_int_equal(count_incidents(f), 3);
}

static void
open_small(struct fixture *f, uint64_t map_size)
{
	store_close(f->store);
	fixture_open(f, map_size);
}

/* Fills until the map is full; returns how many incidents were committed. */
static uint64_t
fill(struct fixture *f, struct incident_row *row)
{
	uint64_t n = 0;

	for (int error = STORE_OK; error != STORE_FULL;) {
		struct txn *txn = store_write(f->store);
		assert_non_null(txn);
		for (uint64_t i = 1; i <= 10; i++)
			incidents_put(txn, n + i, row);
		error = store_commit(txn);
		assert_true(error == STORE_OK || error == STORE_FULL);
		if (error == STORE_OK)
			n += 10;
		assert_true(n < 10000);
	}
	return n;
}

static void
test_txn_map_full(void **state)
{
	static char text[10000];
	struct fixture *f = *state;
	struct incident_row row = sample_incident;

	memset(text, 's', sizeof text);
	row.summary = (struct slice){text, sizeof text};
	open_small(f, MEBIBYTE);
	uint64_t n = fill(f, &row);
	assert_true(n >= 20);
	assert_int_equal(count_incidents(f), n);
	/* Deletes still work, and what they freed can be used again. */
	struct txn *txn = fixture_write(f);
	for (uint64_t i = 1; i <= 20; i++)
		incidents_remove(txn, i);
	fixture_commit(f);
	for (uint64_t i = 1; i <= 3; i++) {
		fixture_write(f);
		fixture_commit(f);
	}
	incidents_put(fixture_write(f), n + 1, &row);
	fixture_commit(f);
	assert_int_equal(count_incidents(f), n - 19);
}

/* A limit on the size of files, the file system's or the process's, is a full disk. */
static void
test_txn_file_limit(void **state)
{
	static char text[MEBIBYTE];
	struct fixture *f = *state;
	struct rlimit limit, small;
	struct stat st;
	char path[128];

	snprintf(path, sizeof path, "%s/data.mdb", f->dir);
	assert_int_equal(stat(path, &st), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = limit;
	small.rlim_cur = (rlim_t)st.st_size;
	struct txn *txn = fixture_write(f);
	pending_put(txn, 1, (struct slice){text, sizeof text});
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int error = store_commit(txn);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	f->txn = NULL;
	assert_int_equal(error, STORE_FULL);
	txn = fixture_write(f);
	assert_int_equal(pending_count(txn), 0);
	pending_put(txn, 1, (struct slice){text, sizeof text});
	fixture_commit(f);
}

/* LMDB's descriptor of the data file: the one it writes its meta page through, or the other. */
static int
data_fd(struct fixture *f, bool meta)
{
	char path[128];
	struct stat want, st;

	snprintf(path, sizeof path, "%s/data.mdb", f->dir);
	assert_int_equal(stat(path, &want), 0);
	for (int fd = 3; fd < 256; fd++)
		if (fstat(fd, &st) == 0 && st.st_ino == want.st_ino && st.st_dev == want.st_dev &&
		    ((fcntl(fd, F_GETFL) & O_DSYNC) != 0) == meta)
			return fd;
	fail_msg("no descriptor of %s", path);
	return -1;
}

/* Commits one row while the descriptor leads to a device. */
static int
commit_to(struct fixture *f, int fd, const char *device)
{
	int kept = dup(fd), full = open(device, O_RDWR);
	struct txn *txn = store_write(f->store);

	assert_non_null(txn);
	incidents_put(txn, 7, &sample_incident);
	assert_true(kept >= 0 && dup2(full, fd) == fd);
	int error = store_commit(txn);
	assert_int_equal(dup2(kept, fd), fd);
	close(kept);
	close(full);
	return error;
}

static void
test_txn_disk_full(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(commit_to(f, data_fd(f, false), "/dev/full"), STORE_FULL);
	assert_int_equal(count_incidents(f), 0);
	incidents_put(fixture_write(f), 1, &sample_incident);
	fixture_commit(f);
	assert_int_equal(count_incidents(f), 1);
}

/* A flush that fails for any other reason than room: nobody may be told anything. A device that
 * takes every write and cannot be flushed stands for a failing disk. */
static void
test_txn_failing_flush_is_broken(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(commit_to(f, data_fd(f, false), "/dev/null"), STORE_BROKEN);
	fixture_reopen(f);
	assert_int_equal(count_incidents(f), 0);
}

/* The meta page makes the commit count. When its write fails nobody knows, whatever the reason is
 * called, and no other transaction begins. */
static void
test_txn_failing_meta_page_is_broken(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(commit_to(f, data_fd(f, true), "/dev/full"), STORE_BROKEN);
	assert_null(store_write(f->store));
}

static void
test_txn_error_texts(void **state)
{
	(void)state;
	for (int error = STORE_OK; error <= STORE_FAULT; error++)
		for (int other = STORE_OK; other < error; other++)
			assert_string_not_equal(store_error_text(error), store_error_text(other));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(test_txn_abort_leaves_nothing),
	    STORE_TEST(test_txn_failure_sticks),
	    STORE_TEST(test_txn_error_classes),
	    STORE_TEST(test_txn_injected_fault),
	    STORE_TEST(test_txn_bad_row_is_a_fault),
	    STORE_TEST(test_txn_value_too_large),
	    STORE_TEST(test_txn_reader_beside_writer),
	    STORE_TEST(test_txn_map_full),
	    STORE_TEST(test_txn_file_limit),
	    STORE_TEST(test_txn_disk_full),
	    STORE_TEST(test_txn_failing_flush_is_broken),
	    STORE_TEST(test_txn_failing_meta_page_is_broken),
	    cmocka_unit_test(test_txn_error_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
