/* The table of open incidents: look-ups, the undoing of each kind of change, heads
 * (open_model.c has the mixtures). */
#include "world.h"

static struct uuid
id_of(uint32_t n)
{
	static const uint8_t random[8];
	struct uuid base = uuid_v7((uint64_t)WORLD_START_S * 1000, 0, random, 0);

	return uuid_v7_after(&base, n);
}

static struct open_incident *
add(uint64_t number, uint32_t service, const char *entity_id)
{
	struct open_incident *incident = open_add(number, service);

	assert_non_null(incident);
	assert_true(open_link(incident, 1, slice_of(entity_id)));
	return incident;
}

static void
set_head(struct open_incident *incident, uint32_t n)
{
	struct uuid id = id_of(n);

	open_set_head(incident, &id);
}

static void
assert_heads_from(uint32_t n)
{
	struct uuid want = id_of(n), got;

	assert_true(open_heads_from(&got));
	assert_memory_equal(got.b, want.b, sizeof got.b);
}

/* ---- look-ups ------------------------------------------------------------------------------- */

static void
test_open_find(void **state)
{
	struct open_incident *one, *two;
	char long_id[ALERT_ENTITY_MAX + 1];

	(void)state;
	memset(long_id, 'x', sizeof long_id);
	long_id[ALERT_ENTITY_MAX] = '\0';
	one = add(1, 7, "db");
	two = add(2, 7, long_id);
	assert_ptr_equal(open_find(1, SLICE("db")), one);
	assert_ptr_equal(open_find(1, slice_of(long_id)), two);
	long_id[ALERT_ENTITY_MAX - 1] = 'y'; /* every byte counts */
	assert_null(open_find(1, slice_of(long_id)));
	assert_null(open_find(2, SLICE("db"))); /* another integration */
	assert_null(open_find(1, SLICE("d")));
	assert_null(open_find(1, SLICE("dbx")));
	assert_ptr_equal(open_by_number(1), one);
	assert_null(open_by_number(3));
	assert_null(open_by_number(1 + 1024)); /* of the same bucket */
	assert_int_equal(open_total(), 2);
	open_settle(true);
}

/* The newest of a service is the one with the largest number, in whatever order they came. */
static void
test_open_newest(void **state)
{
	static const uint64_t numbers[] = {5, 2, 9, 7, 1};

	(void)state;
	assert_null(open_newest(3));
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		assert_non_null(open_add(numbers[i], 3));
	assert_non_null(open_add(100, 200)); /* behind the room for services that there was */
	assert_int_equal(open_newest(3)->number, 9);
	assert_int_equal(open_newest(200)->number, 100);
	assert_null(open_newest(4));
	assert_null(open_newest(1000000));
	open_close(open_newest(3));
	assert_int_equal(open_newest(3)->number, 7);
	open_settle(true);
	assert_int_equal(open_newest(3)->number, 7);
	assert_int_equal(open_total(), 5);
}

/* Many more than the tables had room for at first; found before and behind a failed turn. */
static void
test_open_growth(void **state)
{
	enum { KEPT = 3000, DROPPED = 9000 };
	char entity[16];

	(void)state;
	for (uint64_t n = 1; n <= DROPPED; n++) {
		snprintf(entity, sizeof entity, "e%u", (unsigned)n);
		assert_true(open_link(add(n, n % 100, entity), 2, slice_of(entity)));
		if (n == KEPT)
			open_settle(true);
	}
	assert_int_equal(open_total(), DROPPED);
	assert_int_equal(open_find(2, SLICE("e9000"))->number, 9000);
	open_settle(false);
	assert_int_equal(open_total(), KEPT);
	for (uint64_t n = 1; n <= DROPPED; n++) {
		snprintf(entity, sizeof entity, "e%u", (unsigned)n);
		for (uint32_t integration = 1; integration <= 2; integration++)
			assert_int_equal(open_find(integration, slice_of(entity)) != NULL,
					 n <= KEPT);
		assert_int_equal(open_by_number(n) != NULL, n <= KEPT);
	}
	assert_int_equal(open_newest(99)->number, 2999);
}

static void
test_open_keys_max(void **state)
{
	struct open_incident *incident = open_add(1, 1);
	char entity[16];

	(void)state;
	for (int i = 0; i < OPEN_KEYS_MAX; i++) {
		snprintf(entity, sizeof entity, "e%d", i);
		assert_true(open_link(incident, 1, slice_of(entity)));
	}
	assert_false(open_link(incident, 1, SLICE("one more")));
	assert_false(open_failed()); /* which is no reason to fail the turn */
	assert_int_equal(incident->link_count, OPEN_KEYS_MAX);
	assert_null(open_find(1, SLICE("one more")));
	assert_non_null(open_find(1, SLICE("e199")));
	open_settle(true);
}

/* ---- undo, one kind at a time --------------------------------------------------------------- */

static void
assert_committed_head(uint64_t number, uint32_t n)
{
	struct uuid want = {{0}}, got = open_committed_head(number);

	if (n > 0)
		want = id_of(n);
	assert_memory_equal(got.b, want.b, sizeof got.b);
}

/* What is committed stays to be seen until the turn has an end. */
static void
test_open_committed_head(void **state)
{
	struct open_incident *one = add(1, 7, "a"), *two;

	(void)state;
	one->head = id_of(1);
	assert_committed_head(1, 0); /* added in this turn */
	open_settle(true);
	assert_committed_head(1, 1);
	two = add(2, 7, "b");
	two->head = id_of(2);
	set_head(one, 3);
	set_head(one, 4);
	open_save(turn(), one);
	set_head(one, 5);
	assert_committed_head(1, 1);
	assert_committed_head(2, 0);
	open_close(one);
	assert_committed_head(1, 1);
	open_settle(false);
	assert_committed_head(1, 1);
	assert_committed_head(2, 0);
	set_head(one, 6);
	open_settle(true);
	assert_committed_head(1, 6);
	assert_committed_head(99, 0);
	open_close(one);
	open_settle(true);
	assert_committed_head(1, 0);
}

static void
test_open_undo_add(void **state)
{
	(void)state;
	add(1, 1, "db");
	open_settle(false);
	assert_null(open_find(1, SLICE("db")));
	assert_null(open_by_number(1));
	assert_null(open_newest(1));
	assert_int_equal(open_total(), 0);
}

static void
test_open_undo_link(void **state)
{
	struct open_incident *one = add(1, 1, "db");

	(void)state;
	open_settle(true);
	assert_true(open_link(one, 1, SLICE("disk")));
	open_settle(false);
	assert_null(open_find(1, SLICE("disk")));
	assert_ptr_equal(open_find(1, SLICE("db")), one);
	assert_int_equal(one->link_count, 1);
}

static void
test_open_undo_fields(void **state)
{
	struct open_incident *one = add(1, 1, "db");

	(void)state;
	open_set_status(one, INCIDENT_TRIGGERED);
	one->triggered = 10;
	open_settle(true);
	for (int i = 1; i <= 3; i++) { /* the oldest values count */
		assert_true(open_touch(one));
		open_set_status(one, INCIDENT_ACKNOWLEDGED);
		one->triggered = 10 + i;
		one->acknowledged = 20 + i;
	}
	open_settle(false);
	assert_int_equal(one->status, INCIDENT_TRIGGERED);
	assert_int_equal(one->triggered, 10);
	assert_int_equal(one->acknowledged, 0);
}

static void
test_open_undo_close(void **state)
{
	struct open_incident *one = add(1, 1, "db"), *two = add(2, 1, "disk");

	(void)state;
	open_settle(true);
	open_close(two);
	assert_null(open_find(1, SLICE("disk")));
	assert_null(open_by_number(2));
	assert_ptr_equal(open_newest(1), one);
	add(3, 1, "disk"); /* the entity id starts a new one in the same turn */
	open_settle(false);
	assert_ptr_equal(open_find(1, SLICE("disk")), two);
	assert_ptr_equal(open_newest(1), two);
	assert_false(two->closed);
	assert_int_equal(open_total(), 2);
}

static void
test_open_undo_head(void **state)
{
	struct open_incident *one = add(1, 1, "db");
	struct uuid none, head = id_of(1);

	(void)state;
	one->head = head;
	open_settle(true);
	set_head(one, 2);
	set_head(one, 3);
	assert_heads_from(2);
	open_settle(false);
	assert_memory_equal(one->head.b, head.b, sizeof head.b);
	assert_false(one->dirty);
	assert_false(open_heads_from(&none));
}

/* A head saved in a failed turn is to be saved again. */
static void
test_open_undo_save(void **state)
{
	struct open_incident *one = add(1, 1, "db"), *two = add(2, 1, "disk");
	struct uuid none;

	(void)state;
	set_head(one, 1);
	set_head(two, 2);
	open_settle(true);
	open_save_heads(turn(), 1);
	assert_heads_from(2);
	open_save_heads(turn(), 9);
	assert_false(open_heads_from(&none));
	open_settle(false);
	assert_heads_from(1);
	open_save_heads(turn(), 1); /* the order is as it was */
	assert_heads_from(2);
	open_settle(true);
}

/*
 * heads_from is the oldest alert that no saved head covers, after failed turns too: alerts
 * before it are not read again at start, and a head behind them would be lost (CONTRACT §1.1).
 * Three incidents are dirty since alerts 1, 2, 3; the failed turn touches one of them.
 */
static void
dirty_three(struct open_incident *incidents[3])
{
	static const char *const entities[] = {"a", "b", "c"};

	for (uint32_t i = 0; i < 3; i++) {
		incidents[i] = add(i + 1, 1, entities[i]);
		set_head(incidents[i], i + 1);
	}
	open_settle(true);
	assert_heads_from(1);
}

static void
test_open_heads_from_close(void **state)
{
	struct open_incident *incidents[3];

	(void)state;
	dirty_three(incidents);
	open_close(incidents[0]);
	assert_heads_from(2);
	open_settle(false);
	assert_heads_from(1);
}

static void
test_open_heads_from_save(void **state)
{
	struct open_incident *incidents[3];

	(void)state;
	dirty_three(incidents);
	open_save(turn(), incidents[2]); /* as an acknowledgement does */
	open_settle(false);
	assert_heads_from(1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {WORLD_TEST(test_open_find),
						  WORLD_TEST(test_open_committed_head),
						  WORLD_TEST(test_open_newest),
						  WORLD_TEST(test_open_growth),
						  WORLD_TEST(test_open_keys_max),
						  WORLD_TEST(test_open_undo_add),
						  WORLD_TEST(test_open_undo_link),
						  WORLD_TEST(test_open_undo_fields),
						  WORLD_TEST(test_open_undo_close),
						  WORLD_TEST(test_open_undo_head),
						  WORLD_TEST(test_open_undo_save),
						  WORLD_TEST(test_open_heads_from_close),
						  WORLD_TEST(test_open_heads_from_save)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
