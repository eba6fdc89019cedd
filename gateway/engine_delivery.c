/*
 * A delivery is one event for one webhook. Undelivered, it has a row in its lane:
 *
 *   lanes  (webhook, incident, n)   the order to be kept: only the first row, the head, may go
 *   due    (time, lane)             a head that waits for its time
 *   dead   (webhook, delivery)      a dead letter; it holds nobody back
 *
 *            created            attempt failed              its time came
 *   ───────────────▶ lane, due 0 ───────────▶ lane + due row ───────────▶ lane, due 0
 *                       │ delivered: lane row goes, the next one is head
 *                       └ schedule over, refused 4 times, gone: lane row goes, dead row comes
 */
#include "gateway/engine_parts.h"

#include "gateway/reason.h"

void
delivery_count(struct txn *txn)
{
	struct lane_row row;

	for (uint32_t id = 1; id < engine.room; id++) {
		struct lane_key key = {.webhook = id};

		engine.hooks[id].waiting = 0;
		for (; lanes_seek(txn, &key, &row); key.n++)
			engine.hooks[id].waiting++;
	}
}

/* Tells of the first row of a lane, if it may go now. */
static void
offer_head(struct txn *txn, uint32_t webhook, uint64_t number, bool fresh)
{
	struct lane_key key = {.webhook = webhook, .number = number};
	struct lane_row row;

	if (lanes_seek(txn, &key, &row) && key.number == number && row.due == 0)
		engine.watch->head(&key, &row.delivery, fresh);
}

void
delivery_offer(struct txn *txn, const struct lane_key *key, bool fresh)
{
	struct lane_key first = {.webhook = key->webhook, .number = key->number};
	struct lane_row row;

	if (lanes_seek(txn, &first, &row) && first.number == key->number && first.n == key->n)
		engine.watch->head(key, &row.delivery, fresh);
}

static void
bury(struct txn *txn, uint32_t webhook, const struct uuid *id, struct delivery_row *row)
{
	row->state = DELIVERY_DEAD;
	row->next = 0;
	deliveries_put(txn, id, row);
	dead_put(txn, webhook, id);
	engine.watch->settled(webhook, row, 0);
}

static void
create_one(struct txn *txn, const struct record *record, struct engine_hook *hook,
    const struct uuid *event, const struct event_row *row)
{
	const struct conf_webhook *webhook = hook->conf;
	struct uuid id = delivery_id(event, webhook->id);
	struct lane_key key = {.webhook = webhook->id, .number = row->number, .n = row->n};
	struct delivery_row delivery = {.number = row->number,
	    .n = row->n,
	    .event_type = row->type,
	    .created = record->wall};

	if (hook->waiting >= (uint64_t)webhook->max_waiting) {
		delivery.reason = REASON_QUEUE_FULL;
		bury(txn, webhook->id, &id, &delivery);
		engine.watch->dead(webhook->id, row->number, reason_word(REASON_QUEUE_FULL),
		    reason_text(REASON_QUEUE_FULL));
		return;
	}
	deliveries_put(txn, &id, &delivery);
	lanes_put(txn, &key, &(struct lane_row){.delivery = id});
	engine_count(&hook->waiting, 1);
	if (row->n == 1)
		engine.watch->head(&key, &id, true);
	else
		delivery_offer(txn, &key, true);
}

void
delivery_create(struct txn *txn, const struct record *record, const struct conf_service *service,
    const struct uuid *event, const struct event_row *row)
{
	for (size_t i = 0; i < service->webhook_count; i++)
		if (service->webhooks[i].events & row->type)
			create_one(txn, record, &engine.hooks[service->webhooks[i].id], event, row);
}

/* The row has left its lane: the one behind it is the head now. */
static void
leave_lane(struct txn *txn, const struct lane_key *key, const struct lane_row *row)
{
	if (row->due != 0)
		due_remove(txn, &(struct due_key){.time = row->due, .lane = *key});
	lanes_remove(txn, key);
	engine_count(&engine.hooks[key->webhook].waiting, -1);
	offer_head(txn, key->webhook, key->number, true);
}

/* When the next attempt is due, in us from now; 0: there is none. */
static int64_t
next_try(const struct conf_webhook *webhook, const struct record_outcome *outcome,
    const struct delivery_row *delivery)
{
	int64_t delay;

	if (outcome->verdict == VERDICT_GONE || webhook == NULL ||
	    delivery->tries > webhook->retry_count ||
	    delivery->refusals >= RECORD_REFUSED_ATTEMPTS)
		return 0;
	delay = webhook->retry[delivery->tries - 1];
	delay += delay / 1000 * outcome->jitter;
	return delay > outcome->retry_after ? delay : outcome->retry_after;
}

static void
wait_or_die(struct txn *txn, const struct record *record, const struct lane_key *key,
    struct lane_row *lane, struct delivery_row *delivery)
{
	const struct record_outcome *outcome = &record->outcome;
	int64_t delay;

	if (outcome->early && lane->due != 0 && outcome->verdict != VERDICT_GONE) {
		deliveries_put(txn, &outcome->delivery, delivery);
		return; /* it still has its time */
	}
	delivery->tries++;
	if (outcome->verdict == VERDICT_REFUSED)
		delivery->refusals++;
	delay = next_try(engine.hooks[key->webhook].conf, outcome, delivery);
	if (delay == 0) {
		bury(txn, key->webhook, &outcome->delivery, delivery);
		leave_lane(txn, key, lane);
		return;
	}
	lane->due = record->steady + delay;
	delivery->next = record->wall + delay;
	deliveries_put(txn, &outcome->delivery, delivery);
	lanes_put(txn, key, lane);
	due_put(txn, &(struct due_key){.time = lane->due, .lane = *key});
}

void
delivery_outcome(struct txn *txn, const struct record *record)
{
	const struct record_outcome *outcome = &record->outcome;
	struct lane_key key = {.webhook = delivery_webhook(&outcome->delivery)};
	struct delivery_row delivery;
	struct lane_row lane;

	if (!deliveries_get(txn, &outcome->delivery, &delivery))
		return;
	delivery.attempts++;
	delivery.reason = outcome->attempt.reason;
	attempts_put(txn, &outcome->delivery, delivery.attempts, &outcome->attempt);
	key.number = delivery.number;
	key.n = delivery.n;
	if (outcome->verdict == VERDICT_DELIVERED) {
		if (delivery.state == DELIVERY_DEAD)
			dead_remove(txn, key.webhook, &outcome->delivery);
		delivery.state = DELIVERY_DELIVERED;
		delivery.next = 0;
		deliveries_put(txn, &outcome->delivery, &delivery);
		engine.watch->settled(key.webhook, &delivery, record->wall - delivery.created);
		if (lanes_get(txn, &key, &lane))
			leave_lane(txn, &key, &lane);
	} else if (lanes_get(txn, &key, &lane)) {
		wait_or_die(txn, record, &key, &lane, &delivery);
	} else {
		deliveries_put(txn, &outcome->delivery, &delivery);
	}
}

void
delivery_due(struct txn *txn, const struct due_key *due)
{
	struct delivery_row delivery;
	struct lane_row lane;

	due_remove(txn, due);
	if (!lanes_get(txn, &due->lane, &lane) || lane.due != due->time)
		return;
	lane.due = 0;
	lanes_put(txn, &due->lane, &lane);
	if (deliveries_get(txn, &lane.delivery, &delivery)) {
		delivery.next = 0;
		deliveries_put(txn, &lane.delivery, &delivery);
	}
	offer_head(txn, due->lane.webhook, due->lane.number, false);
}

void
delivery_bury(struct txn *txn, uint32_t webhook, uint32_t max)
{
	struct lane_key key = {.webhook = webhook};
	struct delivery_row delivery;
	struct lane_row lane;

	for (; max > 0 && lanes_seek(txn, &key, &lane); max--) {
		if (deliveries_get(txn, &lane.delivery, &delivery)) {
			bury(txn, webhook, &lane.delivery, &delivery);
			engine.watch->dead(webhook, delivery.number, reason_word(delivery.reason),
			    "its webhook is no longer configured");
		}
		if (lane.due != 0)
			due_remove(txn, &(struct due_key){.time = lane.due, .lane = key});
		lanes_remove(txn, &key);
		engine_count(&engine.hooks[webhook].waiting, -1);
	}
}
