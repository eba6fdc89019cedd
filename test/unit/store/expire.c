/*
 * Expiry: what is old goes, what is owed stays, and no call does more than it may (CONTRACT §4,
 * §5).
 */
#include "test/unit/store/fixture.h"
#include "test/unit/store/samples.h"

static void
test_expire_traces(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct trace_row row;
	struct uuid id;

	for (uint64_t ms = 1; ms <= 10; ms++) {
		id = id_at(ms, 0);
		traces_put(txn, &id, &sample_trace);
	}
	assert_int_equal(traces_expire(txn, 6, 0), 0);
	assert_int_equal(traces_expire(txn, 6, 3), 3);
	id = id_at(4, 0);
	assert_true(traces_get(txn, &id, &row));
	assert_int_equal(traces_expire(txn, 6, 100), 2);
	assert_int_equal(traces_expire(txn, 6, 100), 0);
	id = id_at(6, 0);
	assert_true(traces_get(txn, &id, &row));
	assert_int_equal(traces_count(txn), 5);
	assert_int_equal(traces_expire(txn, UINT64_MAX, 100), 5);
	assert_int_equal(traces_expire(txn, UINT64_MAX, 100), 0);
}

static void
test_expire_alerts(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct alert_row row;
	struct uuid old = id_at(5, 4095), fresh = id_at(6, 0);

	alerts_put(txn, &old, &sample_alert);
	alerts_put(txn, &fresh, &sample_alert);
	assert_int_equal(alerts_expire(txn, 6, 100), 1);
	assert_false(alerts_get(txn, &old, &row));
	assert_true(alerts_get(txn, &fresh, &row));
}

/* An event of that millisecond, one delivery per character of states, w (waiting), d (delivered)
 * or x (dead), and two attempts of each. */
static void
put_event(struct txn *txn, uint64_t ms, const char *states)
{
	struct uuid event = id_at(ms, 0);

	events_put(txn, &event, &sample_event);
	for (uint32_t webhook = 1; states[webhook - 1] != '\0'; webhook++) {
		char c = states[webhook - 1];
		struct uuid id = delivery_id(&event, webhook);
		struct delivery_row row = sample_delivery;
		row.state = c == 'w' ? DELIVERY_WAITING : DELIVERY_DELIVERED;
		if (c == 'x') {
			row.state = DELIVERY_DEAD;
			dead_put(txn, webhook, &id);
		}
		deliveries_put(txn, &id, &row);
		attempts_put(txn, &id, 1, &sample_attempt);
		attempts_put(txn, &id, 2, &sample_attempt);
	}
}

static bool
has_event(struct txn *txn, uint64_t ms)
{
	struct uuid event = id_at(ms, 0);
	struct event_row row;

	return events_get(txn, &event, &row);
}

static bool
has_delivery(struct txn *txn, uint64_t ms, uint32_t webhook)
{
	struct uuid event = id_at(ms, 0), id = delivery_id(&event, webhook);
	struct delivery_row row;

	return deliveries_get(txn, &id, &row);
}

static bool
has_attempt(struct txn *txn, uint64_t ms, uint32_t webhook, uint32_t n)
{
	struct uuid event = id_at(ms, 0), id = delivery_id(&event, webhook);
	struct attempt_row row;

	return attempts_get(txn, &id, n, &row);
}

static bool
has_dead(struct txn *txn, uint64_t ms, uint32_t webhook)
{
	struct uuid event = id_at(ms, 0), id = delivery_id(&event, webhook);

	return dead_get(txn, webhook, &id);
}

static void
test_expire_deliveries_settled_go_whole(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct uuid cursor = {{0}};

	put_event(txn, 1, "dx");
	put_event(txn, 2, "");
	put_event(txn, 3, "dx");
	assert_int_equal(deliveries_expire(txn, 3, &cursor, 100), 9);
	assert_true(uuid_is_zero(&cursor));
	assert_false(has_event(txn, 1));
	assert_false(has_event(txn, 2));
	for (uint32_t webhook = 1; webhook <= 2; webhook++) {
		assert_false(has_delivery(txn, 1, webhook));
		assert_false(has_attempt(txn, 1, webhook, 1));
		assert_false(has_attempt(txn, 1, webhook, 2));
		assert_false(has_dead(txn, 1, webhook));
		assert_true(has_delivery(txn, 3, webhook));
		assert_true(has_attempt(txn, 3, webhook, 2));
	}
	assert_true(has_event(txn, 3));
	assert_true(has_dead(txn, 3, 2));
	assert_int_equal(dead_count(txn, 2), 1);
}

/* Undelivered ones are excepted, with the body they still need (CONTRACT §5). */
static void
test_expire_deliveries_waiting_stays(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct uuid cursor = {{0}};

	put_event(txn, 1, "dwx");
	assert_int_equal(deliveries_expire(txn, 9, &cursor, 100), 7);
	assert_true(has_event(txn, 1));
	assert_true(has_delivery(txn, 1, 2));
	assert_true(has_attempt(txn, 1, 2, 1));
	assert_true(has_attempt(txn, 1, 2, 2));
	assert_false(has_delivery(txn, 1, 1));
	assert_false(has_delivery(txn, 1, 3));
	assert_false(has_dead(txn, 1, 3));
	assert_int_equal(deliveries_expire(txn, 9, &cursor, 100), 0);
	assert_true(has_event(txn, 1));
}

/* Short calls: each goes on behind the one before, over events that stay, and the walk ends. */
static void
test_expire_deliveries_goes_on(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct uuid cursor = {{0}};
	size_t removed = 0, calls = 0;

	for (uint64_t ms = 1; ms <= 20; ms++)
		put_event(txn, ms, ms % 2 == 0 ? "w" : "d");
	assert_int_equal(deliveries_expire(txn, 15, &cursor, 0), 0);
	do {
		size_t n = deliveries_expire(txn, 15, &cursor, 5);
		assert_true(n <= 8);
		removed += n;
		calls++;
		assert_true(calls < 20);
	} while (!uuid_is_zero(&cursor));
	assert_true(calls > 3);
	assert_int_equal(removed, 7 * 4);
	for (uint64_t ms = 1; ms <= 20; ms++)
		assert_int_equal(has_event(txn, ms), ms % 2 == 0 || ms >= 15);
}

/* A settled delivery whose event is missing goes too, before, between and behind events. */
static void
test_expire_deliveries_orphans(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct uuid cursor = {{0}};

	for (uint64_t ms = 1; ms <= 7; ms += 2) {
		struct uuid event = id_at(ms, 0), id = delivery_id(&event, 1);
		deliveries_put(txn, &id, &sample_delivery);
		attempts_put(txn, &id, 1, &sample_attempt);
	}
	put_event(txn, 2, "d");
	put_event(txn, 4, "d");
	assert_int_equal(deliveries_expire(txn, 7, &cursor, 100), 3 * 2 + 2 * 4);
	assert_true(uuid_is_zero(&cursor));
	assert_false(has_delivery(txn, 5, 1));
	assert_false(has_attempt(txn, 5, 1, 1));
	assert_true(has_delivery(txn, 7, 1));
}

/* The highest webhook there could be still belongs to its event, and the walk ends behind it. */
static void
test_expire_deliveries_last_webhook(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct uuid cursor = {{0}}, event = id_at(1, 0), id = delivery_id(&event, UINT32_MAX);
	struct delivery_row row = sample_delivery;

	row.state = DELIVERY_WAITING;
	events_put(txn, &event, &sample_event);
	deliveries_put(txn, &id, &row);
	assert_int_equal(deliveries_expire(txn, 9, &cursor, 100), 0);
	assert_true(uuid_is_zero(&cursor));
	assert_true(has_event(txn, 1));
}

static void
put_closed(struct txn *txn, int64_t resolved, uint64_t number, uint32_t notes)
{
	incidents_put(txn, number, &sample_incident);
	closed_put(txn, resolved, number);
	for (uint32_t i = 0; i < notes; i++) {
		struct uuid id = id_at(1, i);
		notes_put(txn, number, &id, &sample_note);
	}
}

static uint32_t
count_notes(struct txn *txn, uint64_t number)
{
	struct uuid id = {{0}};
	struct note_row row;
	uint32_t n = 0;

	while (notes_next(txn, number, &id, &row))
		n++;
	return n;
}

static void
test_expire_closed(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct incident_row row;

	incidents_put(txn, 1, &sample_incident); /* open: never goes */
	put_closed(txn, 10, 2, 3);
	put_closed(txn, 11, 3, 1);
	put_closed(txn, 12, 4, 1);
	assert_int_equal(closed_expire(txn, 12, 100), 5 + 3);
	assert_true(incidents_get(txn, 1, &row));
	assert_false(incidents_get(txn, 2, &row));
	assert_false(incidents_get(txn, 3, &row));
	assert_true(incidents_get(txn, 4, &row));
	assert_int_equal(count_notes(txn, 2), 0);
	assert_int_equal(count_notes(txn, 4), 1);
	assert_int_equal(closed_expire(txn, 12, 100), 0);
	closed_remove(txn, 12, 4);
	assert_int_equal(closed_expire(txn, 100, 100), 0);
}

/* An incident with more notes than a call may remove goes over several. */
static void
test_expire_closed_goes_on(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	size_t removed = 0, n;

	put_closed(txn, 10, 2, 25);
	put_closed(txn, 11, 3, 0);
	do {
		n = closed_expire(txn, 100, 10);
		assert_true(n <= 10);
		removed += n;
	} while (n > 0);
	assert_int_equal(removed, 25 + 2 + 2);
	assert_int_equal(incidents_count(txn), 0);
	assert_int_equal(count_notes(txn, 2), 0);
}

/* The walk goes round: every old row is met within rows / max calls, new ones stay. */
static void
test_expire_similar_moves_round(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	int64_t steady;
	size_t removed = 0;

	for (uint32_t i = 0; i < 100; i++)
		similar_put(txn, i, SLICE("db-1"), i < 60 ? 5 : 50);
	for (size_t call = 0; call < 9; call++) {
		size_t n = similar_expire(txn, 50, 11);
		assert_true(n <= 11);
		removed += n;
	}
	removed += similar_expire(txn, 50, 11);
	assert_int_equal(removed, 60);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(similar_get(txn, i, SLICE("db-1"), &steady), i >= 60);
	similar_put(txn, 7, SLICE("db-1"), 6);
	for (size_t call = 0; call < 5; call++)
		removed += similar_expire(txn, 50, 11);
	assert_int_equal(removed, 61);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(test_expire_traces),
	    STORE_TEST(test_expire_alerts),
	    STORE_TEST(test_expire_deliveries_settled_go_whole),
	    STORE_TEST(test_expire_deliveries_waiting_stays),
	    STORE_TEST(test_expire_deliveries_goes_on),
	    STORE_TEST(test_expire_deliveries_orphans),
	    STORE_TEST(test_expire_deliveries_last_webhook),
	    STORE_TEST(test_expire_closed),
	    STORE_TEST(test_expire_closed_goes_on),
	    STORE_TEST(test_expire_similar_moves_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
