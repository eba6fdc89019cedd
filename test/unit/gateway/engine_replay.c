/* Deliveries put back into their lanes (CONTRACT §8, Schedule; §9). */
#include "world.h"

static uint32_t
hook_id(void)
{
	return w.conf->webhooks[0].id;
}

static void
replay(const struct uuid *id)
{
	struct record record = make_record(RECORD_REPLAY);

	record.delivery = *id;
	apply_alone(&record);
}

static void
end(const struct uuid *id, enum verdict verdict)
{
	struct record record = make_record(RECORD_OUTCOME);

	record.outcome.delivery = *id;
	record.outcome.verdict = verdict;
	record.outcome.attempt.wall = w.now;
	record.outcome.attempt.reason = verdict == VERDICT_DELIVERED ? REASON_OK : REASON_HTTP_410;
	apply_alone(&record);
	forget();
}

/* The first event of a new incident is settled so; its delivery. */
static struct uuid
settled(const char *entity_id, enum verdict verdict)
{
	struct uuid id;

	alert(entity_id, ALERT_CRITICAL);
	id = w.head;
	end(&id, verdict);
	return id;
}

static struct lane_row
lane(uint64_t number, uint32_t n)
{
	struct lane_key key = {.webhook = hook_id(), .number = number, .n = n};
	struct lane_row row;

	if (!lanes_get(look(), &key, &row))
		fail_msg("no row %llu.%u in the lane", (unsigned long long)number, n);
	return row;
}

/* Both kinds come back: the id and the attempts stay, the schedule begins anew. */
static void
test_engine_replay_settled(void **state)
{
	static const enum verdict verdicts[] = {VERDICT_DELIVERED, VERDICT_GONE};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(verdicts); i++) {
		world_configure(PLAIN);
		struct uuid id = settled("db", verdicts[i]);
		bool dead = verdicts[i] == VERDICT_GONE;
		assert_int_equal(delivery(&id).state, dead ? DELIVERY_DEAD : DELIVERY_DELIVERED);
		assert_int_equal(rows_of("dead"), dead ? 1 : 0);
		assert_int_equal(engine_waiting(hook_id()), 0);
		replay(&id);
		expect("again ops 1.1\n");
		assert_memory_equal(w.head.b, id.b, 16);
		struct delivery_row row = delivery(&id);
		assert_int_equal(row.state, DELIVERY_WAITING);
		assert_int_equal(row.tries, 0);
		assert_int_equal(row.refusals, 0);
		assert_int_equal(row.next, 0);
		assert_int_equal(row.attempts, 1);
		assert_int_equal(rows_of("dead"), 0);
		assert_int_equal(rows_of("due"), 0);
		assert_int_equal(lane(1, 1).due, 0);
		assert_memory_equal(lane(1, 1).delivery.b, id.b, 16);
		assert_int_equal(engine_waiting(hook_id()), 1);
		end(&id, VERDICT_DELIVERED);
		assert_int_equal(delivery(&id).attempts, 2);
		assert_int_equal(engine_waiting(hook_id()), 0);
		assert_int_equal(rows_of("lanes"), 0);
		assert_int_equal(world_teardown(state) | world_setup(state), 0);
	}
}

/* The whole schedule lies ahead of it again, and refusals are counted from the start. */
static void
test_engine_replay_schedule(void **state)
{
	struct uuid id;

	(void)state;
	world_configure(CONF("", "", HOOK("ops", ", 'retry': ['1s', '2s', '3s', '4s', '5s']")));
	alert("db", ALERT_CRITICAL);
	id = w.head;
	for (int round = 0; round < 2; round++) {
		for (int i = 1; i < RECORD_REFUSED_ATTEMPTS; i++) {
			end(&id, VERDICT_REFUSED);
			assert_int_equal(delivery(&id).next, w.now + i * SECOND);
			w.now = delivery(&id).next;
			tick();
		}
		end(&id, VERDICT_REFUSED);
		assert_int_equal(delivery(&id).state, DELIVERY_DEAD);
		replay(&id);
	}
	assert_int_equal(delivery(&id).attempts, 2 * RECORD_REFUSED_ATTEMPTS);
}

/* One that waits for its time is due now, once; one that waits for nothing is left alone. */
static void
test_engine_replay_hastens(void **state)
{
	struct uuid id;

	(void)state;
	world_configure(PLAIN);
	alert("db", ALERT_CRITICAL);
	id = w.head;
	forget();
	replay(&id);
	expect("");
	end(&id, VERDICT_FAILED);
	assert_int_not_equal(lane(1, 1).due, 0);
	replay(&id);
	expect("again ops 1.1\n");
	assert_int_equal(lane(1, 1).due, 0);
	assert_int_equal(delivery(&id).next, 0);
	assert_int_equal(delivery(&id).tries, 1);
	assert_int_equal(rows_of("due"), 0);
	assert_int_equal(engine_waiting(hook_id()), 1);
	w.now += 60 * MINUTE;
	tick();
	expect("");
}

/* It goes before what is behind it in its lane, and behind what is in front (CONTRACT §1.3). */
static void
test_engine_replay_order(void **state)
{
	struct uuid first, second;

	(void)state;
	world_configure(PLAIN);
	first = settled("db", VERDICT_GONE);
	alert("db", ALERT_ACKNOWLEDGED);
	second = w.head;
	forget();
	replay(&first);
	expect("again ops 1.1\n");
	end(&second, VERDICT_FAILED); /* it was on its way */
	assert_int_equal(delivery(&second).state, DELIVERY_WAITING);
	w.now = delivery(&second).next;
	tick();
	expect("again ops 1.1\n"); /* its time has come, its turn has not */
	end(&first, VERDICT_GONE);
	end(&second, VERDICT_GONE);
	replay(&first);
	expect("again ops 1.1\n");
	replay(&second);
	expect("");
	end(&first, VERDICT_DELIVERED);
	assert_int_equal(rows_of("lanes"), 1);
	assert_int_equal(lane(1, 2).due, 0);
}

/* A turn that fails takes all of it back, in memory too. */
static void
test_engine_replay_undone(void **state)
{
	struct record record;

	(void)state;
	world_configure(PLAIN);
	record = make_record(RECORD_REPLAY);
	record.delivery = settled("db", VERDICT_GONE);
	apply(&record);
	assert_int_equal(engine_waiting(hook_id()), 1);
	fail_turn();
	assert_int_equal(engine_waiting(hook_id()), 0);
	assert_int_equal(delivery(&record.delivery).state, DELIVERY_DEAD);
	assert_int_equal(rows_of("dead"), 1);
	assert_int_equal(rows_of("lanes"), 0);
}

/* Nothing to send, or nobody to send it to: it stays what it is. */
static void
test_engine_replay_impossible(void **state)
{
	struct uuid id, unknown = {{1}};

	(void)state;
	world_configure(PLAIN);
	id = settled("db", VERDICT_GONE);
	replay(&unknown);
	world_configure(CONF("", "", HOOK("other", "")));
	replay(&id);
	expect("");
	assert_int_equal(delivery(&id).state, DELIVERY_DEAD);
	assert_int_equal(rows_of("lanes"), 0);
	assert_int_equal(rows_of("dead"), 1);
}

/* What is put back is found after a restart, and counted. */
static void
test_engine_replay_restart(void **state)
{
	struct uuid id;

	(void)state;
	world_configure(PLAIN);
	id = settled("db", VERDICT_DELIVERED);
	replay(&id);
	world_restart(PLAIN);
	assert_int_equal(engine_waiting(hook_id()), 1);
	assert_memory_equal(lane(1, 1).delivery.b, id.b, 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_engine_replay_settled),
	    WORLD_TEST(test_engine_replay_schedule),
	    WORLD_TEST(test_engine_replay_hastens),
	    WORLD_TEST(test_engine_replay_order),
	    WORLD_TEST(test_engine_replay_undone),
	    WORLD_TEST(test_engine_replay_impossible),
	    WORLD_TEST(test_engine_replay_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
