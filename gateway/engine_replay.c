/*
 * Replay (CONTRACT §8): an operator wants a delivery made once more, under its id and with its
 * attempt numbers going on.
 *
 *   dead, delivered ─▶ back in its lane, due now, the whole schedule in front of it
 *   undelivered     ─▶ due now
 *
 * Its place in the lane is the one it had. So it goes before the events behind it that are still
 * undelivered, and behind those in front; what was delivered meanwhile has been overtaken.
 */
#include "gateway/engine_parts.h"

static void
put_back(struct txn *txn, const struct uuid *id, const struct lane_key *key,
    struct delivery_row *delivery)
{
	if (delivery->state == DELIVERY_DEAD)
		dead_remove(txn, key->webhook, id);
	delivery->state = DELIVERY_WAITING;
	delivery->tries = 0;
	delivery->refusals = 0;
	delivery->next = 0;
	deliveries_put(txn, id, delivery);
	lanes_put(txn, key, &(struct lane_row){.delivery = *id});
	engine_count(&engine.hooks[key->webhook].waiting, 1);
	delivery_offer(txn, key, delivery->attempts == 0);
}

/* One that waits for its time has waited long enough; one that waits for anything else goes on. */
static void
hasten(struct txn *txn, const struct uuid *id, const struct lane_key *key,
    struct delivery_row *delivery)
{
	struct lane_row lane;

	if (!lanes_get(txn, key, &lane) || lane.due == 0)
		return;
	due_remove(txn, &(struct due_key){.time = lane.due, .lane = *key});
	lane.due = 0;
	lanes_put(txn, key, &lane);
	delivery->next = 0;
	deliveries_put(txn, id, delivery);
	delivery_offer(txn, key, false);
}

void
delivery_replay(struct txn *txn, const struct record *record)
{
	const struct uuid *id = &record->delivery;
	struct lane_key key = {.webhook = delivery_webhook(id)};
	struct uuid event_id = delivery_event(id);
	struct delivery_row delivery;
	struct event_row event;

	/* Nobody to send it to, or nothing to send: it stays what it is. */
	if (engine_webhook(key.webhook) == NULL || !deliveries_get(txn, id, &delivery) ||
	    !events_get(txn, &event_id, &event))
		return;
	key.number = delivery.number;
	key.n = delivery.n;
	if (delivery.state == DELIVERY_WAITING)
		hasten(txn, id, &key, &delivery);
	else
		put_back(txn, id, &key, &delivery);
}
