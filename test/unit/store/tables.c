/*
 * The typed tables: what is put comes back, in key order, and walks end where they must.
 */
#include "test/unit/store/fixture.h"
#include "test/unit/store/samples.h"

#define READ_BACK(noun, got)                                                                       \
	do {                                                                                       \
		struct buf want_, got_;                                                            \
		buf_init(&want_, 1 << 16);                                                         \
		buf_init(&got_, 1 << 16);                                                          \
		record_put_##noun(&want_, &sample_##noun);                                         \
		record_put_##noun(&got_, got);                                                     \
		assert_int_equal(got_.n, want_.n);                                                 \
		assert_memory_equal(got_.p, want_.p, want_.n);                                     \
		buf_free(&want_);                                                                  \
		buf_free(&got_);                                                                   \
	} while (0)

/* Every table holds a row across a commit and another opening of the store. */
static void
test_tables_round_trip(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	const struct uuid id = id_at(7, 0), delivery = delivery_id(&id, 3);
	const struct lane_key lane = {1, 2, 3};
	const struct due_key due = {4, lane};
	const struct timer_key timer = {5, TIMER_ACKNOWLEDGEMENT, 6};

	meta_put(txn, &sample_meta);
	names_put(txn, NAME_WEBHOOK, SLICE("ops"), &sample_name);
	traces_put(txn, &id, &sample_trace);
	pending_put(txn, 8, SLICE("record"));
	alerts_put(txn, &id, &sample_alert);
	incidents_put(txn, 9, &sample_incident);
	open_put(txn, 9, &sample_open);
	events_put(txn, &id, &sample_event);
	deliveries_put(txn, &delivery, &sample_delivery);
	lanes_put(txn, &lane, &sample_lane);
	due_put(txn, &due);
	dead_put(txn, 3, &delivery);
	attempts_put(txn, &delivery, 1, &sample_attempt);
	notes_put(txn, 9, &id, &sample_note);
	timers_put(txn, &timer);
	closed_put(txn, 10, 9);
	similar_put(txn, 11, SLICE("db-1"), 12);
	assert_int_equal(store_rows_put(txn), 18);
	fixture_commit(f);
	fixture_reopen(f);
	txn = fixture_write(f);

	struct meta meta;
	meta_get(txn, &meta);
	READ_BACK(meta, &meta);
	struct name_row name;
	assert_true(names_get(txn, NAME_WEBHOOK, SLICE("ops"), &name));
	READ_BACK(name, &name);
	struct trace_row trace;
	assert_true(traces_get(txn, &id, &trace));
	READ_BACK(trace, &trace);
	assert_int_equal(traces_count(txn), 1);
	uint64_t sequence;
	struct slice record;
	assert_true(pending_first(txn, &sequence, &record));
	assert_int_equal(sequence, 8);
	assert_slice(record, "record");
	struct alert_row alert;
	assert_true(alerts_get(txn, &id, &alert));
	READ_BACK(alert, &alert);
	struct incident_row incident;
	assert_true(incidents_get(txn, 9, &incident));
	READ_BACK(incident, &incident);
	static struct open_row open;
	assert_true(open_get(txn, 9, &open));
	READ_BACK(open, &open);
	struct event_row event;
	assert_true(events_get(txn, &id, &event));
	READ_BACK(event, &event);
	struct delivery_row del;
	assert_true(deliveries_get(txn, &delivery, &del));
	READ_BACK(delivery, &del);
	struct lane_row lane_row;
	assert_true(lanes_get(txn, &lane, &lane_row));
	READ_BACK(lane, &lane_row);
	struct due_key due_back;
	assert_true(due_first(txn, &due_back));
	assert_int_equal(due_back.time, 4);
	assert_int_equal(due_back.lane.webhook, 1);
	assert_int_equal(due_back.lane.number, 2);
	assert_int_equal(due_back.lane.n, 3);
	assert_true(dead_get(txn, 3, &delivery));
	struct attempt_row attempt;
	assert_true(attempts_get(txn, &delivery, 1, &attempt));
	READ_BACK(attempt, &attempt);
	assert_false(attempts_get(txn, &delivery, 2, &attempt));
	struct note_row note;
	struct uuid note_id = {{0}};
	assert_true(notes_next(txn, 9, &note_id, &note));
	READ_BACK(note, &note);
	struct timer_key timer_back;
	assert_true(timers_first(txn, &timer_back));
	assert_int_equal(timer_back.time, 5);
	assert_int_equal(timer_back.kind, TIMER_ACKNOWLEDGEMENT);
	assert_int_equal(timer_back.number, 6);
	int64_t steady;
	assert_true(similar_get(txn, 11, SLICE("db-1"), &steady));
	assert_int_equal(steady, 12);
	assert_false(similar_get(txn, 12, SLICE("db-1"), &steady));
	assert_false(store_failed(txn));
}

/* In an empty store nothing is found, removing is no error, and meta has its defaults. */
static void
test_tables_empty(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct uuid id = id_at(7, 0);
	struct incident_row incident;
	struct delivery_row delivery;
	struct lane_key lane = {1, 0, 0};
	struct lane_row lane_row;
	struct note_row note;
	struct due_key due = {0};
	struct timer_key timer = {0};
	struct slice record;
	struct meta meta;
	uint64_t number = 5;

	meta_get(txn, &meta);
	assert_int_equal(meta.next_number, 1);
	assert_int_equal(meta.next_name, 1);
	assert_false(meta.paused);
	assert_false(incidents_before(txn, &number, &incident));
	assert_false(incidents_after(txn, &number, &incident));
	assert_int_equal(number, 5);
	assert_false(deliveries_before(txn, &id, &delivery));
	assert_false(lanes_seek(txn, &lane, &lane_row));
	assert_false(notes_next(txn, 1, &id, &note));
	assert_false(due_first(txn, &due));
	assert_false(timers_first(txn, &timer));
	assert_false(pending_first(txn, &number, &record));
	incidents_remove(txn, 1);
	open_remove(txn, 1);
	pending_remove(txn, 1);
	lanes_remove(txn, &lane);
	due_remove(txn, &due);
	timers_remove(txn, &timer);
	dead_remove(txn, 1, &id);
	closed_remove(txn, 1, 1);
	fixture_commit(f);
}

static void
test_tables_put_replaces(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct incident_row row = sample_incident;

	incidents_put(txn, 1, &row);
	row.title = SLICE("a longer title than before");
	incidents_put(txn, 1, &row);
	assert_true(incidents_get(txn, 1, &row));
	assert_slice(row.title, "a longer title than before");
	assert_int_equal(incidents_count(txn), 1);
	incidents_remove(txn, 1);
	assert_false(incidents_get(txn, 1, &row));
	assert_int_equal(incidents_count(txn), 0);
}

static void
test_incidents_neighbours(void **state)
{
	static const struct {
		uint64_t from, before, after; /* 0: none */
	} cases[] = {
	    {1, 0, 5}, {5, 5, 5}, {6, 5, 300}, {299, 5, 300}, {300, 300, 300}, {301, 300, 0},
	    {UINT64_MAX, 300, 0}};
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct incident_row row;

	incidents_put(txn, 300, &sample_incident);
	incidents_put(txn, 5, &sample_incident);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t number = cases[i].from;
		assert_int_equal(incidents_before(txn, &number, &row), cases[i].before != 0);
		if (cases[i].before != 0)
			assert_int_equal(number, cases[i].before);
		number = cases[i].from;
		assert_int_equal(incidents_after(txn, &number, &row), cases[i].after != 0);
		if (cases[i].after != 0)
			assert_int_equal(number, cases[i].after);
	}
}

static void
test_deliveries_before(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	const struct uuid event = id_at(1000, 1);
	const struct uuid low = delivery_id(&event, 2), high = delivery_id(&event, 3);
	struct delivery_row row;

	assert_int_equal(delivery_webhook(&high), 3);
	assert_id(delivery_event(&high), event);
	deliveries_put(txn, &low, &sample_delivery);
	deliveries_put(txn, &high, &sample_delivery);
	struct uuid id = id_at(2000, 0);
	assert_true(deliveries_before(txn, &id, &row));
	assert_id(id, high);
	id = low;
	assert_true(deliveries_before(txn, &id, &row));
	assert_id(id, low);
	id = event;
	assert_false(deliveries_before(txn, &id, &row));
}

/* A lane walk stays with its webhook, in order of number and n (CONTRACT §1.3). */
static void
test_lanes_seek_order_and_border(void **state)
{
	static const struct lane_key rows[] = {
	    {3, 1, 1}, {2, 300, 1}, {2, 2, 10}, {2, 2, 9}, {1, 9, 9}};
	static const struct lane_key want[] = {{2, 2, 9}, {2, 2, 10}, {2, 300, 1}};
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct lane_key key = {2, 0, 0};
	struct lane_row row;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		lanes_put(txn, &rows[i], &sample_lane);
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		assert_true(lanes_seek(txn, &key, &row));
		assert_int_equal(key.webhook, 2);
		assert_int_equal(key.number, want[i].number);
		assert_int_equal(key.n, want[i].n);
		key.n++;
	}
	assert_false(lanes_seek(txn, &key, &row));
	assert_int_equal(key.number, 300);
	key = (struct lane_key){4, 0, 0};
	assert_false(lanes_seek(txn, &key, &row));
	lanes_remove(txn, &want[0]);
	key = (struct lane_key){2, 0, 0};
	assert_true(lanes_seek(txn, &key, &row));
	assert_int_equal(key.n, 10);
}

/* By time before webhook, and a negative time before all others. */
static void
test_due_order(void **state)
{
	static const struct due_key rows[] = {
	    {300, {1, 1, 1}}, {5, {2, 1, 1}}, {5, {1, 7, 1}}, {-1, {9, 9, 9}}, {256, {1, 1, 1}}};
	static const int64_t want[] = {-1, 5, 5, 256, 300};
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct due_key key;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		due_put(txn, &rows[i]);
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		assert_true(due_first(txn, &key));
		assert_int_equal(key.time, want[i]);
		due_remove(txn, &key);
	}
	assert_false(due_first(txn, &key));
}

static void
test_timers_order(void **state)
{
	static const struct timer_key rows[] = {{9, 1, 1}, {5, 2, 1}, {5, 1, 300}, {5, 1, 2}};
	static const uint64_t want[] = {2, 300, 1, 1};
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct timer_key key;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		timers_put(txn, &rows[i]);
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		assert_true(timers_first(txn, &key));
		assert_int_equal(key.number, want[i]);
		timers_remove(txn, &key);
	}
	assert_false(timers_first(txn, &key));
}

static void
test_pending_is_a_queue(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct slice record;
	uint64_t sequence;

	pending_put(txn, 256, SLICE("second"));
	pending_put(txn, 255, SLICE("first"));
	pending_put(txn, 257, (struct slice){NULL, 0});
	assert_int_equal(pending_count(txn), 3);
	assert_true(pending_first(txn, &sequence, &record));
	assert_slice(record, "first");
	pending_remove(txn, sequence);
	assert_true(pending_first(txn, &sequence, &record));
	assert_slice(record, "second");
	pending_remove(txn, sequence);
	assert_true(pending_first(txn, &sequence, &record));
	assert_int_equal(record.n, 0);
	assert_int_equal(sequence, 257);
}

static void
test_notes_stay_with_their_incident(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	const struct uuid first = id_at(1, 0), second = id_at(2, 0);
	struct uuid id = {{0}};
	struct note_row row;

	notes_put(txn, 7, &second, &sample_note);
	notes_put(txn, 7, &first, &sample_note);
	notes_put(txn, 8, &first, &sample_note);
	notes_put(txn, 6, &first, &sample_note);
	assert_true(notes_next(txn, 7, &id, &row));
	assert_id(id, first);
	assert_true(notes_next(txn, 7, &id, &row));
	assert_id(id, second);
	assert_slice(row.text, "looking");
	assert_false(notes_next(txn, 7, &id, &row));
	assert_id(id, second);
	assert_true(notes_before(txn, 7, &id, &row));
	assert_id(id, second);
	uuid_previous(&id);
	assert_true(notes_before(txn, 7, &id, &row));
	assert_id(id, first);
	uuid_previous(&id);
	assert_false(notes_before(txn, 7, &id, &row));
}

struct seen {
	size_t n, limit;
	uint64_t last;
};

static bool
see_alert(void *arg, const struct uuid *id, const struct alert_row *row)
{
	struct seen *seen = arg;

	assert_slice(row->entity_id, "db-1");
	assert_true(uuid_v7_ms(id) > seen->last);
	seen->last = uuid_v7_ms(id);
	return ++seen->n < seen->limit;
}

static void
test_alerts_from(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct uuid id;

	for (uint64_t ms = 10; ms > 0; ms--) {
		id = id_at(ms, 0);
		alerts_put(txn, &id, &sample_alert);
	}
	struct seen all = {.limit = 100, .last = 3};
	id = id_at(4, 0);
	alerts_from(txn, &id, see_alert, &all);
	assert_int_equal(all.n, 7);
	assert_int_equal(all.last, 10);
	struct seen some = {.limit = 2, .last = 3};
	alerts_from(txn, &id, see_alert, &some);
	assert_int_equal(some.n, 2);
	assert_int_equal(some.last, 5);
}

static bool
see_open(void *arg, uint64_t number, const struct open_row *row)
{
	struct seen *seen = arg;

	assert_int_equal(row->key_count, 2);
	assert_true(number > seen->last);
	seen->last = number;
	return ++seen->n < seen->limit;
}

static void
test_open_each(void **state)
{
	static const uint64_t numbers[] = {300, 2, 65536};
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct seen all = {.limit = 100}, some = {.limit = 1};

	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		open_put(txn, numbers[i], &sample_open);
	assert_int_equal(open_count(txn), 3);
	open_each(txn, see_open, &all);
	assert_int_equal(all.n, 3);
	assert_int_equal(all.last, 65536);
	open_each(txn, see_open, &some);
	assert_int_equal(some.last, 2);
	open_remove(txn, 300);
	assert_int_equal(open_count(txn), 2);
}

static void
test_open_before_and_after(void **state)
{
	static const struct {
		uint64_t from, before, after; /* 0: none */
	} cases[] = {{1, 0, 2}, {2, 2, 2}, {3, 2, 300}, {300, 300, 300}, {301, 300, 0}};
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	uint64_t number;

	open_put(txn, 300, &sample_open);
	open_put(txn, 2, &sample_open);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		number = cases[i].from;
		assert_int_equal(open_before(txn, &number), cases[i].before != 0);
		assert_true(cases[i].before == 0 || number == cases[i].before);
		number = cases[i].from;
		assert_int_equal(open_after(txn, &number), cases[i].after != 0);
		assert_true(cases[i].after == 0 || number == cases[i].after);
	}
}

static void
see_name(void *arg, enum name_kind kind, const struct name_row *row)
{
	struct seen *seen = arg;

	seen->n++;
	seen->last = seen->last * 10 + kind;
	if (kind == NAME_INTEGRATION)
		assert_true(slice_is(row->text, SLICE("Payments\0Generic")));
	if (row->text.n > 400)
		seen->limit = row->text.n;
}

/* A long name has a row of its own even where its first 400 bytes are another's. */
static void
test_names(void **state)
{
	struct fixture *f = *state;
	struct txn *txn = fixture_write(f);
	struct name_row row = sample_name;
	struct seen seen = {0};
	char text[500];

	memset(text, 'x', sizeof text);
	row.id = 1;
	names_put(txn, NAME_SERVICE, (struct slice){text, 400}, &row);
	row.id = 2;
	names_put(txn, NAME_SERVICE, (struct slice){text, 499}, &row);
	row.id = 3;
	names_put(txn, NAME_SERVICE, (struct slice){text, 500}, &row);
	row.id = 4;
	names_put(txn, NAME_INTEGRATION, SLICE("Payments\0Generic"), &row);
	row.id = 5;
	names_put(txn, NAME_WEBHOOK, (struct slice){NULL, 0}, &row);
	for (uint32_t i = 0; i < 3; i++) {
		static const size_t lengths[] = {400, 499, 500};
		assert_true(names_get(txn, NAME_SERVICE, (struct slice){text, lengths[i]}, &row));
		assert_int_equal(row.id, i + 1);
	}
	assert_false(names_get(txn, NAME_WEBHOOK, (struct slice){text, 400}, &row));
	assert_true(names_get(txn, NAME_WEBHOOK, (struct slice){NULL, 0}, &row));
	assert_int_equal(row.id, 5);
	names_each(txn, see_name, &seen);
	assert_int_equal(seen.n, 5);
	assert_int_equal(seen.last, 11123);
	assert_int_equal(seen.limit, 360 + 64);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(test_tables_round_trip),
	    STORE_TEST(test_tables_empty),
	    STORE_TEST(test_tables_put_replaces),
	    STORE_TEST(test_incidents_neighbours),
	    STORE_TEST(test_deliveries_before),
	    STORE_TEST(test_lanes_seek_order_and_border),
	    STORE_TEST(test_due_order),
	    STORE_TEST(test_timers_order),
	    STORE_TEST(test_pending_is_a_queue),
	    STORE_TEST(test_notes_stay_with_their_incident),
	    STORE_TEST(test_alerts_from),
	    STORE_TEST(test_open_each),
	    STORE_TEST(test_open_before_and_after),
	    STORE_TEST(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
