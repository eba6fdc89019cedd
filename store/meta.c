/*
 * meta: name -> value. Two rows:
 *
 *	"schema"    written and checked by store_open()
 *	"counters"  struct meta, read once a turn and written with the state that it counts
 */
#include "store/txn.h"

static const struct slice counters_key = {"counters", 8};

void
meta_get(struct txn *txn, struct meta *meta)
{
	struct slice value;

	*meta = (struct meta){.next_number = 1, .next_name = 1};
	if (table_get(txn, TABLE_META, counters_key, &value))
		txn_check(txn, record_get_meta(value, meta));
}

void
meta_put(struct txn *txn, const struct meta *meta)
{
	struct buf *value = txn_value(txn);

	record_put_meta(value, meta);
	table_put(txn, TABLE_META, counters_key, value);
}
