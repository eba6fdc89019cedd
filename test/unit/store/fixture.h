/*
 * A store of its own for each test, in a fresh directory that goes with the test.
 */
#ifndef TEST_UNIT_STORE_FIXTURE_H
#define TEST_UNIT_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/store.h"

enum { MEBIBYTE = 1 << 20 };

struct fixture {
	char top[32];  /* made by mkdtemp */
	char dir[64];  /* top/data, made by store_open */
	struct store *store;
	struct txn *txn;
};

static inline void
fixture_open(struct fixture *f, uint64_t map_size)
{
	char why[256] = "";

	f->store = store_open(f->dir, map_size, why);
	if (f->store == NULL)
		fail_msg("store_open: %s", why);
}

static inline void
fixture_reopen(struct fixture *f)
{
	store_close(f->store);
	fixture_open(f, 64 * MEBIBYTE);
}

/* A write transaction in f->txn, which the teardown drops unless fixture_commit() ended it. */
static inline struct txn *
fixture_write(struct fixture *f)
{
	f->txn = store_write(f->store);
	assert_non_null(f->txn);
	return f->txn;
}

static inline void
fixture_commit(struct fixture *f)
{
	int error = store_commit(f->txn);

	f->txn = NULL;
	assert_int_equal(error, STORE_OK);
}

static inline int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	if (f == NULL)
		return -1;
	strcpy(f->top, "/tmp/tocsin-store-XXXXXX");
	if (mkdtemp(f->top) == NULL)
		return -1;
	snprintf(f->dir, sizeof f->dir, "%s/data", f->top);
	fixture_open(f, 64 * MEBIBYTE);
	*state = f;
	return 0;
}

/* Closes the store and removes its files and its directory. */
static inline void
fixture_erase(struct fixture *f)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "owner.lock"};
	char path[128];

	store_close(f->store);
	f->store = NULL;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		snprintf(path, sizeof path, "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	rmdir(f->dir);
}

static inline int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	store_commit_fault = NULL;
	store_abort(f->txn);
	fixture_erase(f);
	int left = rmdir(f->top);
	free(f);
	return left;
}

#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

/* An id issued at that millisecond, the counter telling ids of one millisecond apart; its last
 * four bytes are 0, as an event's are. */
static inline struct uuid
id_at(uint64_t ms, uint32_t counter)
{
	static const uint8_t random[8];

	return uuid_v7(ms, counter, random, 0);
}

#define assert_id(got, want) assert_memory_equal((got).b, (want).b, sizeof(struct uuid))
#define assert_slice(s, text)                                                                      \
	do {                                                                                       \
		assert_int_equal((s).n, strlen(text));                                             \
		assert_memory_equal((s).p, text, strlen(text));                                    \
	} while (0)

#endif
