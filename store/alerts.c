/*
 * alerts: alert id -> the alert. An incident's alerts are a chain: its head names the newest, each
 * alert names the one before, so that a joined alert costs one row at the right edge.
 */
#include "store/txn.h"

void
alerts_put(struct txn *txn, const struct uuid *id, const struct alert_row *row)
{
	struct key key = key_id(id);
	struct buf *value = txn_value(txn);

	record_put_alert(value, row);
	table_put(txn, TABLE_ALERTS, key_slice(&key), value);
}

bool
alerts_get(struct txn *txn, const struct uuid *id, struct alert_row *row)
{
	struct key key = key_id(id);
	struct slice value;

	if (!table_get(txn, TABLE_ALERTS, key_slice(&key), &value))
		return false;
	return txn_check(txn, record_get_alert(value, row));
}

void
alerts_from(struct txn *txn, const struct uuid *from, alert_visit *visit, void *arg)
{
	struct key start = key_id(from);
	struct table_row at;
	struct alert_row row;
	bool more = table_from(txn, TABLE_ALERTS, key_slice(&start), &at);

	for (; more; more = table_next(txn, TABLE_ALERTS, &at)) {
		struct field_reader key = field_read(at.key);
		struct uuid id = field_id(&key);
		if (!txn_check(txn, field_end(&key) && record_get_alert(at.value, &row)))
			return;
		if (!visit(arg, &id, &row))
			return;
	}
}

size_t
alerts_expire(struct txn *txn, uint64_t before_ms, size_t max)
{
	return table_expire(txn, TABLE_ALERTS, before_ms, max);
}
