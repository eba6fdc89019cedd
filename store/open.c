/*
 * open: number -> what a start needs to rebuild its table of open incidents: times, the entity ids
 * that stand for the incident, and the newest alert as of when the row was saved.
 */
#include "store/txn.h"

void
open_put(struct txn *txn, uint64_t number, const struct open_row *row)
{
	struct key key = key_number(number);
	struct buf *value = txn_value(txn);

	record_put_open(value, row);
	table_put(txn, TABLE_OPEN, key_slice(&key), value);
}

bool
open_get(struct txn *txn, uint64_t number, struct open_row *row)
{
	struct key key = key_number(number);
	struct slice value;

	if (!table_get(txn, TABLE_OPEN, key_slice(&key), &value))
		return false;
	return txn_check(txn, record_get_open(value, row));
}

void
open_remove(struct txn *txn, uint64_t number)
{
	struct key key = key_number(number);

	table_del(txn, TABLE_OPEN, key_slice(&key));
}

void
open_each(struct txn *txn, open_visit *visit, void *arg)
{
	struct table_row at;
	struct open_row row;
	bool more = table_first(txn, TABLE_OPEN, &at);

	for (; more; more = table_next(txn, TABLE_OPEN, &at)) {
		struct field_reader key = field_read(at.key);
		uint64_t number = field_u64(&key);
		if (!txn_check(txn, field_end(&key) && record_get_open(at.value, &row)))
			return;
		if (!visit(arg, number, &row))
			return;
	}
}

uint64_t
open_count(struct txn *txn)
{
	return table_count(txn, TABLE_OPEN);
}

static bool
read_number(struct txn *txn, const struct table_row *at, uint64_t *number)
{
	struct field_reader key = field_read(at->key);

	*number = field_u64(&key);
	return txn_check(txn, field_end(&key));
}

bool
open_before(struct txn *txn, uint64_t *number)
{
	struct key key = key_number(*number);
	struct table_row at;

	return table_up_to(txn, TABLE_OPEN, key_slice(&key), &at) && read_number(txn, &at, number);
}

bool
open_after(struct txn *txn, uint64_t *number)
{
	struct key key = key_number(*number);
	struct table_row at;

	return table_from(txn, TABLE_OPEN, key_slice(&key), &at) && read_number(txn, &at, number);
}
