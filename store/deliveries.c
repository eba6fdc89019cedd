/*
 * What was promised to webhooks and what was tried:
 *
 *	deliveries  delivery id            one event for one webhook
 *	attempts    (delivery id, n)       how each attempt ended
 *	dead        (webhook, delivery id) an index of the dead letters, no value
 *	dead_counts webhook                how many rows it has there
 *
 * Dead letters may be too many to be counted when somebody asks, so they are as they come and go.
 */
#include "store/txn.h"

void
deliveries_put(struct txn *txn, const struct uuid *id, const struct delivery_row *row)
{
	struct key key = key_id(id);
	struct buf *value = txn_value(txn);

	record_put_delivery(value, row);
	table_put(txn, TABLE_DELIVERIES, key_slice(&key), value);
}

bool
deliveries_get(struct txn *txn, const struct uuid *id, struct delivery_row *row)
{
	struct key key = key_id(id);
	struct slice value;

	if (!table_get(txn, TABLE_DELIVERIES, key_slice(&key), &value))
		return false;
	return txn_check(txn, record_get_delivery(value, row));
}

/* The row that was found. */
static bool
read_delivery(struct txn *txn, const struct table_row *at, struct uuid *id,
    struct delivery_row *row)
{
	struct field_reader key = field_read(at->key);

	*id = field_id(&key);
	return txn_check(txn, field_end(&key) && record_get_delivery(at->value, row));
}

bool
deliveries_before(struct txn *txn, struct uuid *id, struct delivery_row *row)
{
	struct key from = key_id(id);
	struct table_row at;

	return table_up_to(txn, TABLE_DELIVERIES, key_slice(&from), &at) &&
	       read_delivery(txn, &at, id, row);
}

bool
deliveries_after(struct txn *txn, struct uuid *id, struct delivery_row *row)
{
	struct key from = key_id(id);
	struct table_row at;

	return table_from(txn, TABLE_DELIVERIES, key_slice(&from), &at) &&
	       read_delivery(txn, &at, id, row);
}

uint64_t
deliveries_count(struct txn *txn)
{
	return table_count(txn, TABLE_DELIVERIES);
}

static struct key
attempt_key(const struct uuid *delivery, uint32_t n)
{
	struct key key = key_id(delivery);

	key_add_u32(&key, n);
	return key;
}

void
attempts_put(struct txn *txn, const struct uuid *delivery, uint32_t n,
    const struct attempt_row *row)
{
	struct key key = attempt_key(delivery, n);
	struct buf *value = txn_value(txn);

	record_put_attempt(value, row);
	table_put(txn, TABLE_ATTEMPTS, key_slice(&key), value);
}

bool
attempts_get(struct txn *txn, const struct uuid *delivery, uint32_t n, struct attempt_row *row)
{
	struct key key = attempt_key(delivery, n);
	struct slice value;

	if (!table_get(txn, TABLE_ATTEMPTS, key_slice(&key), &value))
		return false;
	return txn_check(txn, record_get_attempt(value, row));
}

static struct key
dead_key(uint32_t webhook, const struct uuid *delivery)
{
	struct key key = {.n = 0};

	key_add_u32(&key, webhook);
	key_add_id(&key, delivery);
	return key;
}

static struct key
dead_count_key(uint32_t webhook)
{
	struct key key = {.n = 0};

	key_add_u32(&key, webhook);
	return key;
}

uint64_t
dead_count(struct txn *txn, uint32_t webhook)
{
	struct key key = dead_count_key(webhook);
	struct slice value;

	if (!table_get(txn, TABLE_DEAD_COUNTS, key_slice(&key), &value))
		return 0;
	struct field_reader r = field_read(value);
	uint8_t version = field_u8(&r);
	uint64_t count = field_u64(&r);
	return txn_check(txn, field_end(&r) && version == TXN_BARE_VERSION) ? count : 0;
}

static void
set_dead_count(struct txn *txn, uint32_t webhook, uint64_t count)
{
	struct key key = dead_count_key(webhook);
	struct buf *value = txn_value(txn);

	field_put_u8(value, TXN_BARE_VERSION);
	field_put_u64(value, count);
	table_put(txn, TABLE_DEAD_COUNTS, key_slice(&key), value);
}

void
dead_put(struct txn *txn, uint32_t webhook, const struct uuid *delivery)
{
	struct key key = dead_key(webhook, delivery);

	if (dead_get(txn, webhook, delivery))
		return;
	table_put_bare(txn, TABLE_DEAD, key_slice(&key));
	set_dead_count(txn, webhook, dead_count(txn, webhook) + 1);
}

void
dead_remove(struct txn *txn, uint32_t webhook, const struct uuid *delivery)
{
	struct key key = dead_key(webhook, delivery);
	uint64_t count;

	if (!table_del(txn, TABLE_DEAD, key_slice(&key)))
		return;
	count = dead_count(txn, webhook);
	set_dead_count(txn, webhook, count > 0 ? count - 1 : 0);
}

bool
dead_get(struct txn *txn, uint32_t webhook, const struct uuid *delivery)
{
	struct key key = dead_key(webhook, delivery);
	struct slice value;

	return table_get(txn, TABLE_DEAD, key_slice(&key), &value);
}

/* The delivery of a row that was found, if it is one of the webhook's. */
static bool
read_dead(struct txn *txn, const struct table_row *at, uint32_t webhook, struct uuid *delivery)
{
	struct field_reader key = field_read(at->key);
	uint32_t found = field_u32(&key);
	struct uuid id = field_id(&key);

	if (!txn_check(txn, field_end(&key)) || found != webhook)
		return false;
	*delivery = id;
	return true;
}

bool
dead_before(struct txn *txn, uint32_t webhook, struct uuid *delivery)
{
	struct key key = dead_key(webhook, delivery);
	struct table_row at;

	return table_up_to(txn, TABLE_DEAD, key_slice(&key), &at) &&
	       read_dead(txn, &at, webhook, delivery);
}

bool
dead_after(struct txn *txn, uint32_t webhook, struct uuid *delivery)
{
	struct key key = dead_key(webhook, delivery);
	struct table_row at;

	return table_from(txn, TABLE_DEAD, key_slice(&key), &at) &&
	       read_dead(txn, &at, webhook, delivery);
}
