/*
 * events: event id -> one change of an incident, with the body that every webhook is sent. And the
 * ids: an event's deliveries are neighbours of it in order, one per webhook.
 *
 *	event     t t t t t t t t t t t t  0 0 0 0
 *	delivery  t t t t t t t t t t t t  w w w w     w: the webhook's u32 of `names`
 */
#include "store/txn.h"

enum { WEBHOOK_AT = 12 };

struct uuid
delivery_id(const struct uuid *event, uint32_t webhook)
{
	struct uuid id = *event;

	put_u32(id.b + WEBHOOK_AT, webhook);
	return id;
}

struct uuid
delivery_event(const struct uuid *delivery)
{
	return delivery_id(delivery, 0);
}

uint32_t
delivery_webhook(const struct uuid *delivery)
{
	return get_u32(delivery->b + WEBHOOK_AT);
}

void
events_put(struct txn *txn, const struct uuid *id, const struct event_row *row)
{
	struct key key = key_id(id);
	struct buf *value = txn_value(txn);

	record_put_event(value, row);
	table_put(txn, TABLE_EVENTS, key_slice(&key), value);
}

bool
events_get(struct txn *txn, const struct uuid *id, struct event_row *row)
{
	struct key key = key_id(id);
	struct slice value;

	if (!table_get(txn, TABLE_EVENTS, key_slice(&key), &value))
		return false;
	return txn_check(txn, record_get_event(value, row));
}
