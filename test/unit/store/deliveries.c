/* Walks over deliveries and dead letters from any key, and names by number (CONTRACT §9). */
#include "fixture.h"

#include "samples.h"

/* Ids that lie in the order of n. */
static struct uuid
id_of(uint8_t n)
{
	return (struct uuid){{n, [15] = 3}};
}

static void
test_deliveries_walks(void **state)
{
	static const struct {
		uint8_t from, before, after; /* 0: none */
	} cases[] = {{1, 0, 2}, {2, 2, 2}, {3, 2, 7}, {7, 7, 7}, {9, 7, 0}};
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct delivery_row row;
	struct uuid want;

	assert_int_equal(deliveries_count(txn), 0);
	for (uint8_t n = 2; n <= 7; n = (uint8_t)(n + 5)) {
		struct uuid id = id_of(n);
		deliveries_put(txn, &id, &sample_delivery);
	}
	assert_int_equal(deliveries_count(txn), 2);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct uuid id = id_of(cases[i].from);
		assert_int_equal(deliveries_before(txn, &id, &row), cases[i].before != 0);
		want = id_of(cases[i].before);
		if (cases[i].before != 0)
			assert_memory_equal(id.b, want.b, 16);
		id = id_of(cases[i].from);
		row.number = 0;
		assert_int_equal(deliveries_after(txn, &id, &row), cases[i].after != 0);
		want = id_of(cases[i].after);
		if (cases[i].after != 0) {
			assert_memory_equal(id.b, want.b, 16);
			assert_int_equal(row.number, sample_delivery.number);
		}
	}
}

/* A walk over dead letters stays with its webhook. */
static void
test_deliveries_dead_walks(void **state)
{
	static const struct {
		uint32_t webhook;
		uint8_t from, before, after; /* 0: none */
	} cases[] = {
	    {4, 1, 0, 0}, {5, 1, 0, 2}, {5, 2, 2, 2}, {5, 4, 2, 6}, {5, 6, 6, 6}, {5, 7, 6, 0},
	    {6, 1, 0, 3}, {6, 9, 3, 0}, {7, 9, 0, 0}};
	static const struct {
		uint32_t webhook;
		uint8_t n;
	} rows[] = {{5, 2}, {5, 6}, {6, 3}};
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct uuid id, want;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		id = id_of(rows[i].n);
		dead_put(txn, rows[i].webhook, &id);
	}
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		id = id_of(cases[i].from);
		assert_int_equal(dead_before(txn, cases[i].webhook, &id), cases[i].before != 0);
		want = id_of(cases[i].before != 0 ? cases[i].before : cases[i].from);
		assert_memory_equal(id.b, want.b, 16);
		id = id_of(cases[i].from);
		assert_int_equal(dead_after(txn, cases[i].webhook, &id), cases[i].after != 0);
		want = id_of(cases[i].after != 0 ? cases[i].after : cases[i].from);
		assert_memory_equal(id.b, want.b, 16);
	}
}

/* Each webhook's dead letters are counted, and only what changes counts. */
static void
test_deliveries_dead_count(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct uuid one = id_of(1), two = id_of(2);

	assert_int_equal(dead_count(txn, 5), 0);
	dead_put(txn, 5, &one);
	dead_put(txn, 5, &one);
	dead_put(txn, 5, &two);
	dead_put(txn, 6, &two);
	assert_int_equal(dead_count(txn, 5), 2);
	assert_int_equal(dead_count(txn, 6), 1);
	dead_remove(txn, 5, &one);
	dead_remove(txn, 5, &one);
	assert_int_equal(dead_count(txn, 5), 1);
	dead_remove(txn, 6, &two);
	assert_int_equal(dead_count(txn, 6), 0);
	assert_int_equal(dead_count(txn, 7), 0);
}

static void
test_deliveries_names_find(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct name_row row = {.id = 1, .seen = 5};

	names_put(txn, NAME_WEBHOOK, SLICE("ops"), &row);
	row.id = 2;
	names_put(txn, NAME_WEBHOOK, SLICE("pager"), &row);
	row.id = 3;
	names_put(txn, NAME_SERVICE, SLICE("ops"), &row);
	assert_true(names_find(txn, NAME_WEBHOOK, 2, &row));
	assert_true(slice_is(row.text, SLICE("pager")));
	assert_int_equal(row.seen, 5);
	assert_false(names_find(txn, NAME_WEBHOOK, 3, &row));
	assert_false(names_find(txn, NAME_WEBHOOK, 4, &row));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(test_deliveries_walks),
	    STORE_TEST(test_deliveries_dead_walks),
	    STORE_TEST(test_deliveries_dead_count),
	    STORE_TEST(test_deliveries_names_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
