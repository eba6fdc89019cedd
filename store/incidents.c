/*
 * incidents: number -> the incident, as the lists and the API show it. Rows go only through
 * closed_expire(): an open incident has no row in `closed` and so never goes.
 */
#include "store/txn.h"

void
incidents_put(struct txn *txn, uint64_t number, const struct incident_row *row)
{
	struct key key = key_number(number);
	struct buf *value = txn_value(txn);

	record_put_incident(value, row);
	table_put(txn, TABLE_INCIDENTS, key_slice(&key), value);
}

bool
incidents_get(struct txn *txn, uint64_t number, struct incident_row *row)
{
	struct key key = key_number(number);
	struct slice value;

	if (!table_get(txn, TABLE_INCIDENTS, key_slice(&key), &value))
		return false;
	return txn_check(txn, record_get_incident(value, row));
}

void
incidents_remove(struct txn *txn, uint64_t number)
{
	struct key key = key_number(number);

	table_del(txn, TABLE_INCIDENTS, key_slice(&key));
}

static bool
read_row(struct txn *txn, const struct table_row *at, uint64_t *number, struct incident_row *row)
{
	struct field_reader key = field_read(at->key);

	*number = field_u64(&key);
	return txn_check(txn, field_end(&key) && record_get_incident(at->value, row));
}

bool
incidents_before(struct txn *txn, uint64_t *number, struct incident_row *row)
{
	struct key key = key_number(*number);
	struct table_row at;

	return table_up_to(txn, TABLE_INCIDENTS, key_slice(&key), &at) &&
	    read_row(txn, &at, number, row);
}

bool
incidents_after(struct txn *txn, uint64_t *number, struct incident_row *row)
{
	struct key key = key_number(*number);
	struct table_row at;

	return table_from(txn, TABLE_INCIDENTS, key_slice(&key), &at) &&
	    read_row(txn, &at, number, row);
}

uint64_t
incidents_count(struct txn *txn)
{
	return table_count(txn, TABLE_INCIDENTS);
}
