/*
 * pending: sequence -> a record that was accepted and not applied yet. A queue: put at the right
 * edge, taken from the left one. What the record says is its writer's business; here it is bytes
 * behind a version byte.
 */
#include "store/txn.h"

void
pending_put(struct txn *txn, uint64_t sequence, struct slice record)
{
	struct key key = key_number(sequence);
	struct buf *value = txn_value(txn);

	field_put_u8(value, TXN_BARE_VERSION);
	buf_put_slice(value, record);
	table_put(txn, TABLE_PENDING, key_slice(&key), value);
}

bool
pending_first(struct txn *txn, uint64_t *sequence, struct slice *record)
{
	struct table_row at;

	if (!table_first(txn, TABLE_PENDING, &at))
		return false;
	struct field_reader key = field_read(at.key);
	struct field_reader value = field_read(at.value);
	*sequence = field_u64(&key);
	uint8_t version = field_u8(&value);
	*record = (struct slice){(const char *)value.p, value.left};
	return txn_check(txn, field_end(&key) && version == TXN_BARE_VERSION);
}

void
pending_remove(struct txn *txn, uint64_t sequence)
{
	struct key key = key_number(sequence);

	table_del(txn, TABLE_PENDING, key_slice(&key));
}

uint64_t
pending_count(struct txn *txn)
{
	return table_count(txn, TABLE_PENDING);
}
