/*
 * The raw tables against a model: puts at the right edge and anywhere, of values that are longer or
 * shorter than those before, among deletions of both kinds and walks, over many transactions. Puts
 * go on from where the last one went, which must be as good as searching.
 */
#include "store/txn.h"
#include "test/unit/store/fixture.h"

enum { KEYS = 4000, TURNS = 120, STEPS = 150, LONGEST = 2500 };

static uint32_t stamps[KEYS]; /* what was put last; 0: there is none */
static uint32_t edge, stamp, state_of_random = 1;

static uint32_t
random_below(uint32_t n)
{
	state_of_random = state_of_random * 1664525 + 1013904223;
	return (state_of_random >> 8) % n;
}

static struct slice
key_of(uint32_t number, uint8_t bytes[4])
{
	put_u32(bytes, number);
	return (struct slice){(const char *)bytes, 4};
}

/* The stamp, and then as many bytes as it says. */
static void
put_row(struct txn *txn, uint32_t number)
{
	struct buf *value = txn_value(txn);
	uint8_t bytes[4];

	put_u32(bytes, ++stamp);
	buf_put(value, bytes, sizeof bytes);
	for (uint32_t i = 0; i < stamp % LONGEST; i++)
		buf_putc(value, (char)stamp);
	table_put(txn, TABLE_ALERTS, key_of(number, bytes), value);
	stamps[number] = stamp;
}

static void
delete_row(struct txn *txn, uint32_t number)
{
	uint8_t bytes[4];

	assert_int_equal(table_del(txn, TABLE_ALERTS, key_of(number, bytes)), stamps[number] != 0);
	stamps[number] = 0;
}

/* As time does: a few from the left edge on. */
static void
expire_rows(struct txn *txn, uint32_t count)
{
	struct table_row row;
	bool more = table_first(txn, TABLE_ALERTS, &row);

	for (; more && count > 0; count--) {
		stamps[get_u32((const uint8_t *)row.key.p)] = 0;
		table_del_here(txn, TABLE_ALERTS);
		more = table_next(txn, TABLE_ALERTS, &row);
	}
}

static void
step(struct txn *txn)
{
	uint32_t what = random_below(100);

	if (what < 60 && edge < KEYS)
		put_row(txn, edge++);
	else if (what < 80)
		put_row(txn, random_below(KEYS));
	else if (what < 97)
		delete_row(txn, random_below(KEYS));
	else
		expire_rows(txn, random_below(40));
}

static void
check_row(const struct table_row *row, uint32_t number)
{
	const uint8_t *value = (const uint8_t *)row->value.p;

	assert_int_equal(get_u32((const uint8_t *)row->key.p), number);
	assert_int_equal(get_u32(value), stamps[number]);
	assert_int_equal(row->value.n, 4 + stamps[number] % LONGEST);
	for (size_t i = 4; i < row->value.n; i++)
		assert_int_equal(value[i], (uint8_t)stamps[number]);
}

static void
check_all(struct txn *txn)
{
	struct table_row row;
	uint64_t count = 0;
	bool more = table_first(txn, TABLE_ALERTS, &row);

	for (uint32_t number = 0; number < KEYS; number++) {
		if (stamps[number] == 0)
			continue;
		assert_true(more);
		check_row(&row, number);
		count++;
		more = table_next(txn, TABLE_ALERTS, &row);
	}
	assert_false(more);
	assert_int_equal(table_count(txn, TABLE_ALERTS), count);
}

static void
test_table_as_its_model(void **state)
{
	struct fixture *f = *state;
	struct txn *txn;

	for (int turn = 0; turn < TURNS; turn++) {
		txn = fixture_write(f);
		for (int i = 0; i < STEPS; i++)
			step(txn);
		check_all(txn);
		fixture_commit(f);
		if (turn % 10 == 9)
			edge = random_below(edge);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(test_table_as_its_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
