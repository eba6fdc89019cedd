/*
 * Copies for dumps and backups: consistent while the store goes on, a store of their own, and what
 * becomes of the snapshot of one that was killed (CONTRACT §11).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "test/unit/store/fixture.h"
#include "test/unit/store/samples.h"

enum { ALERTS = 2000, NAME_SIZE = 128 };

static void
put_alerts(struct fixture *f, uint64_t from_ms, unsigned count)
{
	struct uuid id;

	fixture_write(f);
	for (unsigned i = 0; i < count; i++) {
		id = id_at(from_ms + i, 0);
		alerts_put(f->txn, &id, &sample_alert);
		traces_put(f->txn, &id, &sample_trace);
	}
	fixture_commit(f);
}

static void
add_rows(void *arg, const char *table, uint64_t rows)
{
	(void)table;
	*(uint64_t *)arg += rows;
}

static uint64_t
count_rows(struct store *store)
{
	struct txn *txn = store_read(store);
	uint64_t rows = 0;

	assert_non_null(txn);
	store_count(txn, add_rows, &rows);
	assert_int_equal(store_commit(txn), STORE_OK);
	return rows;
}

static struct store *
open_reader(const struct fixture *f)
{
	char why[256] = "";
	struct store *store = store_open_reader(f->dir, why);

	if (store == NULL)
		fail_msg("store_open_reader: %s", why);
	return store;
}

/* A process that copies the store into fd and says by its status whether it could. */
static pid_t
copy_elsewhere(const struct fixture *f, int fd)
{
	pid_t pid = fork();
	char why[256];

	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	_exit(store_copy(open_reader(f), fd, why) ? 0 : 1);
}

static void
assert_ends(pid_t pid, int status)
{
	int got;

	assert_int_equal(waitpid(pid, &got, 0), pid);
	assert_int_equal(got, status);
}

static void
pour(int from, const char *path)
{
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	char part[65536];
	ssize_t n;

	assert_true(to >= 0);
	while ((n = read(from, part, sizeof part)) > 0)
		assert_int_equal(write(to, part, (size_t)n), n);
	assert_int_equal(n, 0);
	close(to);
}

/* The copy stands still in a full pipe while the store goes on: it is what was there when it began.
 * Then it is a store like any other. */
static void
test_copy_is_of_one_moment(void **state)
{
	struct fixture *f = *state, copy = {.dir = ""};
	char path[NAME_SIZE], why[256] = "";
	struct store *opened;
	uint64_t before;
	int ends[2];
	pid_t pid;

	put_alerts(f, 1000, ALERTS);
	before = count_rows(f->store);
	assert_int_equal(pipe(ends), 0);
	pid = copy_elsewhere(f, ends[1]);
	close(ends[1]);
	usleep(200000); /* the pipe is full */
	put_alerts(f, 1000000, ALERTS);
	assert_int_equal(count_rows(f->store), before + 2 * ALERTS);

	snprintf(copy.top, sizeof copy.top, "/tmp/tocsin-copy-XXXXXX");
	assert_non_null(mkdtemp(copy.top));
	snprintf(copy.dir, sizeof copy.dir, "%s/data", copy.top);
	assert_int_equal(mkdir(copy.dir, 0700), 0);
	snprintf(path, sizeof path, "%s/data.mdb", copy.dir);
	pour(ends[0], path);
	close(ends[0]);
	assert_ends(pid, 0);

	opened = store_open_copy(path, why);
	assert_non_null(opened);
	assert_int_equal(count_rows(opened), before);
	store_close(opened);
	fixture_open(&copy, 64 * MEBIBYTE);
	assert_int_equal(count_rows(copy.store), before);
	put_alerts(&copy, 5000000, 10);
	assert_int_equal(count_rows(copy.store), before + 20);
	fixture_erase(&copy);
	assert_int_equal(rmdir(copy.top), 0);
}

static void
test_copy_without_room(void **state)
{
	struct fixture *f = *state;
	char why[256] = "";
	int full = open("/dev/full", O_WRONLY);

	assert_true(full >= 0);
	assert_false(store_copy(f->store, full, why));
	assert_non_null(strstr(why, strerror(ENOSPC)));
	close(full);
}

static void
test_copy_of_something_else(void **state)
{
	char why[256] = "";

	(void)state;
	assert_null(store_open_copy("/etc/passwd", why));
	assert_true(why[0] != '\0');
}

static off_t
size_of(const struct fixture *f)
{
	char path[NAME_SIZE];
	struct stat st;

	snprintf(path, sizeof path, "%s/data.mdb", f->dir);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* How much the file grows by while one row is written over and over. */
static off_t
growth(struct fixture *f)
{
	off_t before = size_of(f);

	for (int i = 0; i < 200; i++)
		put_alerts(f, 1000, 1);
	return size_of(f) - before;
}

static void
hold_snapshot(const struct fixture *f, int ready)
{
	if (store_read(open_reader(f)) == NULL || write(ready, "", 1) != 1)
		_exit(1);
	pause();
}

/* A reader that was killed holds its snapshot, and the file grows, until somebody looks. */
static void
test_copy_killed(void **state)
{
	struct fixture *f = *state;
	char byte;
	int ends[2];
	pid_t pid;

	put_alerts(f, 1000, 100);
	growth(f);
	assert_true(growth(f) < 50000);
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		hold_snapshot(f, ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(store_clear_readers(f->store), 0); /* it lives */
	kill(pid, SIGKILL);
	assert_ends(pid, SIGKILL);
	assert_true(growth(f) > 500000);
	assert_int_equal(store_clear_readers(f->store), 1);
	assert_int_equal(growth(f), 0);
	close(ends[0]);
	close(ends[1]);
}

static bool
note_key(void *arg, const char *table, struct slice key, struct slice value)
{
	size_t *left = arg;

	assert_true(key.n > 0 && value.n > 0 && table[0] != '\0');
	return --*left > 0;
}

static void
test_copy_each_row(void **state)
{
	struct fixture *f = *state;
	struct txn *txn;
	size_t left = SIZE_MAX;

	put_alerts(f, 1000, 10);
	txn = store_read(f->store);
	store_each(txn, note_key, &left);
	assert_int_equal(store_commit(txn), STORE_OK);
	assert_int_equal(SIZE_MAX - left, count_rows(f->store));
	left = 3;
	txn = store_read(f->store);
	store_each(txn, note_key, &left);
	assert_int_equal(store_commit(txn), STORE_OK);
	assert_int_equal(left, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(test_copy_is_of_one_moment),
	    STORE_TEST(test_copy_without_room),
	    STORE_TEST(test_copy_of_something_else),
	    STORE_TEST(test_copy_killed),
	    STORE_TEST(test_copy_each_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
