/*
 * Expiry of events and what hangs on them. Rows of one event share the first 12 bytes of their ids,
 * so one walk in id order goes over events and deliveries side by side:
 *
 *	events      E1 .. .. E2 .. E3          E2 gone: an orphan's deliveries are
 *	deliveries  .. d1 d1 .. d2 .. d3       met at the same place in the order
 *	                 │
 *	                 ├─ attempts (d1, 1..n)
 *	                 └─ dead (webhook, d1)
 *
 * A delivery that is still undelivered stays, and with it its event's body; what is settled around
 * it goes.
 */
#include "store/txn.h"

enum { GROUP_BYTES = 12 };

struct sweep {
	struct txn *txn;
	size_t looked;  /* rows of any of the tables */
	size_t removed;
};

static void
remove_here(struct sweep *sweep, enum table table)
{
	table_del_here(sweep->txn, table);
	sweep->removed++;
}

static void
remove_attempts(struct sweep *sweep, const struct uuid *delivery)
{
	struct key owner = key_id(delivery);
	struct table_row at;
	bool more = table_from(sweep->txn, TABLE_ATTEMPTS, key_slice(&owner), &at);

	while (more && table_prefixed(&at, key_slice(&owner))) {
		sweep->looked++;
		remove_here(sweep, TABLE_ATTEMPTS);
		more = table_next(sweep->txn, TABLE_ATTEMPTS, &at);
	}
}

static void
remove_dead(struct sweep *sweep, const struct uuid *delivery)
{
	uint32_t webhook = delivery_webhook(delivery);

	if (!dead_get(sweep->txn, webhook, delivery))
		return;
	dead_remove(sweep->txn, webhook, delivery);
	sweep->removed++;
}

/* Removes the delivery at the place unless it is undelivered; returns whether it stays. */
static bool
sweep_delivery(struct sweep *sweep, const struct table_row *at)
{
	struct field_reader key = field_read(at->key);
	struct uuid id = field_id(&key);
	struct delivery_row row = {0};
	bool good = field_end(&key) && record_get_delivery(at->value, &row);

	sweep->looked++;
	if (!txn_check(sweep->txn, good) || row.state == DELIVERY_WAITING)
		return true;
	remove_here(sweep, TABLE_DELIVERIES);
	remove_attempts(sweep, &id);
	remove_dead(sweep, &id);
	return false;
}

static void
sweep_event(struct sweep *sweep, const struct uuid *event)
{
	struct key key = key_id(event);
	struct slice group = {(const char *)key.b, GROUP_BYTES};
	struct table_row at;
	size_t kept = 0;
	bool more = table_from(sweep->txn, TABLE_DELIVERIES, group, &at);

	while (more && table_prefixed(&at, group)) {
		if (sweep_delivery(sweep, &at))
			kept++;
		more = table_next(sweep->txn, TABLE_DELIVERIES, &at);
	}
	sweep->looked++;
	if (kept == 0 && !store_failed(sweep->txn) &&
	    table_del(sweep->txn, TABLE_EVENTS, key_slice(&key)))
		sweep->removed++;
}

/* The event that the table's first row behind `place` belongs to. */
static bool
event_behind(struct txn *txn, enum table table, const struct uuid *place, struct uuid *event)
{
	struct key from = key_id(place);
	struct table_row at;

	if (!table_behind(txn, table, key_slice(&from), &at))
		return false;
	struct field_reader key = field_read(at.key);
	struct uuid id = field_id(&key);
	*event = delivery_event(&id);
	return txn_check(txn, field_end(&key));
}

/* The next event in id order, be it only by an orphaned delivery. */
static bool
next_event(struct txn *txn, const struct uuid *place, struct uuid *event)
{
	struct uuid orphan;
	bool found = event_behind(txn, TABLE_EVENTS, place, event);

	if (!event_behind(txn, TABLE_DELIVERIES, place, &orphan))
		return found;
	if (!found || uuid_compare(&orphan, event) < 0)
		*event = orphan;
	return true;
}

size_t
deliveries_expire(struct txn *txn, uint64_t before_ms, struct uuid *cursor, size_t max)
{
	struct sweep sweep = {.txn = txn};
	struct uuid event;

	while (sweep.looked < max) {
		if (!next_event(txn, cursor, &event) || uuid_v7_ms(&event) >= before_ms) {
			*cursor = (struct uuid){{0}};
			break;
		}
		sweep_event(&sweep, &event);
		*cursor = delivery_id(&event, UINT32_MAX); /* the last id that it could have */
	}
	return sweep.removed;
}

static bool
first_id_before(struct txn *txn, enum table table, uint64_t before_ms)
{
	struct table_row at;

	if (!table_first(txn, table, &at))
		return false;
	struct field_reader key = field_read(at.key);
	struct uuid id = field_id(&key);
	return txn_check(txn, !key.bad) && uuid_v7_ms(&id) < before_ms;
}

bool
store_has_old(struct txn *txn, uint64_t trace_ms, uint64_t other_ms, bool events)
{
	struct table_row at;

	if (first_id_before(txn, TABLE_TRACES, trace_ms) ||
	    first_id_before(txn, TABLE_ALERTS, other_ms) ||
	    (events && first_id_before(txn, TABLE_EVENTS, other_ms)))
		return true;
	if (!table_first(txn, TABLE_CLOSED, &at))
		return false;
	struct field_reader key = field_read(at.key);
	return key_time(&key) / 1000 < (int64_t)other_ms;
}
