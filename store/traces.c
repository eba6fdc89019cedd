/*
 * traces: trace id -> what became of one accepted alert. Put at the right edge, expired from the
 * left one.
 */
#include "store/txn.h"

void
traces_put(struct txn *txn, const struct uuid *id, const struct trace_row *row)
{
	struct key key = key_id(id);
	struct buf *value = txn_value(txn);

	record_put_trace(value, row);
	table_put(txn, TABLE_TRACES, key_slice(&key), value);
}

bool
traces_get(struct txn *txn, const struct uuid *id, struct trace_row *row)
{
	struct key key = key_id(id);
	struct slice value;

	if (!table_get(txn, TABLE_TRACES, key_slice(&key), &value))
		return false;
	return txn_check(txn, record_get_trace(value, row));
}

size_t
traces_expire(struct txn *txn, uint64_t before_ms, size_t max)
{
	return table_expire(txn, TABLE_TRACES, before_ms, max);
}

uint64_t
traces_count(struct txn *txn)
{
	return table_count(txn, TABLE_TRACES);
}
