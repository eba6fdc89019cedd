/*
 * The order of delivery. A lane is what one webhook still has to be told of one incident, and only
 * its head, the lowest n, may go.
 *
 *	lanes  (webhook, number, n)        every undelivered row
 *	due    (time, webhook, number, n)  heads that wait for their time; no value
 */
#include "store/txn.h"

static void
add_lane(struct key *key, const struct lane_key *lane)
{
	key_add_u32(key, lane->webhook);
	key_add_u64(key, lane->number);
	key_add_u32(key, lane->n);
}

static struct lane_key
read_lane(struct field_reader *key)
{
	struct lane_key lane;

	lane.webhook = field_u32(key);
	lane.number = field_u64(key);
	lane.n = field_u32(key);
	return lane;
}

static struct key
lane_key(const struct lane_key *lane)
{
	struct key key = {.n = 0};

	add_lane(&key, lane);
	return key;
}

void
lanes_put(struct txn *txn, const struct lane_key *lane, const struct lane_row *row)
{
	struct key key = lane_key(lane);
	struct buf *value = txn_value(txn);

	record_put_lane(value, row);
	table_put(txn, TABLE_LANES, key_slice(&key), value);
}

void
lanes_remove(struct txn *txn, const struct lane_key *lane)
{
	struct key key = lane_key(lane);

	table_del(txn, TABLE_LANES, key_slice(&key));
}

bool
lanes_get(struct txn *txn, const struct lane_key *lane, struct lane_row *row)
{
	struct key key = lane_key(lane);
	struct slice value;

	if (!table_get(txn, TABLE_LANES, key_slice(&key), &value))
		return false;
	return txn_check(txn, record_get_lane(value, row));
}

bool
lanes_seek(struct txn *txn, struct lane_key *lane, struct lane_row *row)
{
	struct key from = lane_key(lane);
	struct table_row at;

	if (!table_from(txn, TABLE_LANES, key_slice(&from), &at))
		return false;
	struct field_reader key = field_read(at.key);
	struct lane_key next = read_lane(&key);
	if (!txn_check(txn, field_end(&key)) || next.webhook != lane->webhook)
		return false;
	*lane = next;
	return txn_check(txn, record_get_lane(at.value, row));
}

static struct key
due_key(const struct due_key *due)
{
	struct key key = {.n = 0};

	key_add_time(&key, due->time);
	add_lane(&key, &due->lane);
	return key;
}

void
due_put(struct txn *txn, const struct due_key *due)
{
	struct key key = due_key(due);

	table_put_bare(txn, TABLE_DUE, key_slice(&key));
}

void
due_remove(struct txn *txn, const struct due_key *due)
{
	struct key key = due_key(due);

	table_del(txn, TABLE_DUE, key_slice(&key));
}

bool
due_first(struct txn *txn, struct due_key *due)
{
	struct table_row at;

	if (!table_first(txn, TABLE_DUE, &at))
		return false;
	struct field_reader key = field_read(at.key);
	due->time = key_time(&key);
	due->lane = read_lane(&key);
	return txn_check(txn, field_end(&key));
}
