/* Deliveries as the engine keeps them (CONTRACT §8): order, schedule, dead letters, room,
 * holding. */
#include "world.h"

static uint32_t
hook_id(size_t i)
{
	return w.conf->webhooks[i].id;
}

/* An attempt at that delivery ends. */
static struct record
make_outcome(const struct uuid *id, enum verdict verdict)
{
	struct record record = make_record(RECORD_OUTCOME);

	record.outcome.delivery = *id;
	record.outcome.verdict = verdict;
	record.outcome.attempt.wall = w.now;
	record.outcome.attempt.reason = verdict == VERDICT_DELIVERED ? REASON_OK
					: verdict == VERDICT_FAILED  ? REASON_TIMEOUT
					: verdict == VERDICT_GONE    ? REASON_HTTP_410
								     : REASON_HTTP_4XX;
	return record;
}

static void
end(const struct uuid *id, enum verdict verdict)
{
	struct record record = make_outcome(id, verdict);

	apply_alone(&record);
}

static void
expect_settled(int delivered, int dead)
{
	assert_int_equal(w.delivered, delivered);
	assert_int_equal(w.dead, dead);
}

/* The delivery fails, and its time comes; it is told of as a head again. */
static void
fail_and_wait(const struct uuid *id, enum verdict verdict)
{
	end(id, verdict);
	w.now = delivery(id).next;
	tick();
}

/* ---- rows ----------------------------------------------------------------------------------- */

/* One event, one body, one delivery for each webhook that wants the event. */
static void
test_engine_delivery_rows(void **state)
{
	struct record record;
	struct event_row event;
	struct uuid id;

	(void)state;
	world_configure(CONF("", "", HOOK("all", "") "," HOOK("end", ", 'events': ['resolved']")));
	record = alert("db", ALERT_CRITICAL);
	expect("head all 1.1\nevent 1 triggered\nalert created 1\n");
	id = trace_of(&record).event;
	assert_int_equal(delivery_webhook(&id), 0);
	assert_true(events_get(look(), &id, &event));
	assert_int_equal(event.number, 1);
	assert_int_equal(event.n, 1);
	assert_int_equal(event.type, EVENT_TRIGGERED);
	assert_true(uuid_is_zero(&event.previous));
	assert_non_null(memmem(event.body.p, event.body.n, "\"event_type\": \"triggered\"", 25));
	assert_non_null(memmem(event.body.p, event.body.n, "\"incident_number\": 1", 20));
	id = delivery_id(&id, hook_id(0));
	assert_memory_equal(w.head.b, id.b, 16);
	assert_int_equal(delivery(&id).state, DELIVERY_WAITING);
	assert_int_equal(delivery(&id).next, 0);
	assert_int_equal(delivery(&id).created, w.now);
	assert_int_equal(rows_of("deliveries"), 1);
	record = alert("db", ALERT_RESOLVED);
	expect(
	    "head end 1.2\nevent 1 resolved\nalert resolved 1\n"); /* the first of its lane there */
	assert_int_equal(rows_of("deliveries"), 3);
	assert_int_equal(rows_of("events"), 2);
}

/* The next event of a lane is told of only when the one before it is settled. */
static void
test_engine_delivery_order(void **state)
{
	static const enum verdict last[] = {VERDICT_DELIVERED, VERDICT_GONE};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(last); i++) {
		world_configure(PLAIN);
		alert("db", ALERT_CRITICAL);
		expect("head ops 1.1\nevent 1 triggered\nalert created 1\n");
		alert("db", ALERT_ACKNOWLEDGED);
		alert("db", ALERT_RESOLVED);
		assert_null(strstr(w.told, "head"));
		assert_int_equal(engine_waiting(hook_id(0)), 3);
		forget();
		end(&w.head, VERDICT_FAILED);
		expect(""); /* it waits for its time, and so do those behind it */
		w.now = delivery(&w.head).next - 1;
		tick();
		expect("");
		w.now++;
		tick();
		expect("again ops 1.1\n");
		assert_int_equal(delivery(&w.head).next, 0);
		end(&w.head, last[i]);
		assert_memory_equal(w.told, "head ops 1.2\n", 13);
		forget();
		assert_int_equal(engine_waiting(hook_id(0)), 2);
		end(&w.head, VERDICT_DELIVERED);
		expect("head ops 1.3\n");
		end(&w.head, VERDICT_DELIVERED);
		expect("");
		assert_int_equal(engine_waiting(hook_id(0)), 0);
		assert_int_equal(rows_of("lanes"), 0);
		assert_int_equal(rows_of("due"), 0);
		assert_int_equal(world_teardown(state) | world_setup(state), 0);
	}
}

/* A lane is one incident at one webhook: others go on beside it. */
static void
test_engine_delivery_lanes(void **state)
{
	struct uuid first;

	(void)state;
	world_configure(CONF("", "", HOOK("a", "") "," HOOK("b", "")));
	alert("db", ALERT_CRITICAL);
	first = w.head;
	assert_int_equal(delivery_webhook(&first), hook_id(1));
	forget();
	end(&first, VERDICT_FAILED);
	alert("disk", ALERT_CRITICAL);
	expect("head a 2.1\nhead b 2.1\nevent 2 triggered\nalert created 2\n");
	alert("db", ALERT_RESOLVED);
	first = delivery_event(&first);
	first = delivery_id(&first, hook_id(0));
	forget();
	end(&first, VERDICT_DELIVERED);
	expect("head a 1.2\n"); /* b still waits with the first */
}

/* ---- the schedule --------------------------------------------------------------------------- */

static void
test_engine_delivery_schedule(void **state)
{
	static const int64_t waits[] = {5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 28800};

	(void)state;
	world_configure(PLAIN);
	alert("db", ALERT_CRITICAL);
	for (size_t i = 0; i < COUNT_OF(waits); i++) {
		end(&w.head, VERDICT_FAILED);
		assert_int_equal(delivery(&w.head).state, DELIVERY_WAITING);
		assert_int_equal(delivery(&w.head).next, w.now + waits[i] * SECOND);
		assert_int_equal(delivery(&w.head).attempts, i + 1);
		assert_int_equal(delivery(&w.head).reason, REASON_TIMEOUT);
		w.now += waits[i] * SECOND;
		forget();
		tick();
		expect("again ops 1.1\n");
	}
	end(&w.head, VERDICT_FAILED);
	assert_int_equal(delivery(&w.head).state, DELIVERY_DEAD);
	assert_int_equal(delivery(&w.head).next, 0);
	assert_true(dead_get(look(), hook_id(0), &w.head));
	assert_int_equal(engine_waiting(hook_id(0)), 0);
	assert_int_equal(rows_of("attempts"), COUNT_OF(waits) + 1);
	assert_int_equal(rows_of("lanes") + rows_of("due"), 0);
}

/* The webhook's own waits, what the record's jitter makes of them, and what the receiver asked
 * for. */
static void
test_engine_delivery_waits(void **state)
{
	static const struct {
		int jitter;
		int64_t retry_after, wait;
	} cases[] = {{0, 0, 10 * SECOND},
		     {-200, 0, 8 * SECOND},
		     {200, 0, 12 * SECOND},
		     {1, 0, 10 * SECOND + 10000},
		     {0, SECOND, 10 * SECOND},
		     {-200, 9 * SECOND, 9 * SECOND},
		     {200, 3600 * SECOND, 3600 * SECOND}};

	(void)state;
	world_configure(CONF("", "", HOOK("ops", ", 'retry': ['10s']")));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct record record;
		struct lane_key key = {.webhook = hook_id(0), .number = i + 1, .n = 1};
		struct lane_row lane;

		alert("db", ALERT_CRITICAL);
		record = make_outcome(&w.head, VERDICT_FAILED);
		record.outcome.jitter = cases[i].jitter;
		record.outcome.retry_after = cases[i].retry_after;
		apply_alone(&record);
		assert_int_equal(delivery(&w.head).next, w.now + cases[i].wait);
		assert_true(lanes_get(look(), &key, &lane));
		assert_int_equal(lane.due, w.now + cases[i].wait);
		w.now += cases[i].wait;
		tick();
		record.outcome.delivery = w.head;
		apply_alone(
		    &record); /* one wait in all, then dead, whatever the receiver asks for */
		assert_int_equal(delivery(&w.head).state, DELIVERY_DEAD);
		alert("db", ALERT_RESOLVED);
		end(&w.head, VERDICT_DELIVERED);
	}
}

/* The wall clock is for people: due times follow the steady one. */
static void
test_engine_delivery_steady(void **state)
{
	struct record record;
	struct due_key due;

	(void)state;
	world_configure(PLAIN);
	alert("db", ALERT_CRITICAL);
	record = make_outcome(&w.head, VERDICT_FAILED);
	record.wall = 1000 * SECOND; /* stepped far back */
	apply_alone(&record);
	assert_true(due_first(look(), &due));
	assert_int_equal(due.time, w.now + 5 * SECOND);
	assert_int_equal(delivery(&w.head).next, 1005 * SECOND);
}

/* A probe behind an open breaker goes before its time: it is recorded, and uses up no attempt. */
static void
test_engine_delivery_early(void **state)
{
	struct record record;
	struct uuid id;
	int64_t next;

	(void)state;
	world_configure(CONF("", "", HOOK("ops", ", 'retry': ['10s']")));
	alert("db", ALERT_CRITICAL);
	alert("db", ALERT_RESOLVED);
	id = w.head;
	end(&id, VERDICT_FAILED);
	next = delivery(&id).next;
	forget();
	for (int i = 0; i < 5; i++) {
		w.now += SECOND;
		record = make_outcome(&id, VERDICT_FAILED);
		record.outcome.early = true;
		apply_alone(&record);
		assert_int_equal(delivery(&id).state, DELIVERY_WAITING);
		assert_int_equal(delivery(&id).next, next);
		assert_int_equal(delivery(&id).attempts, i + 2);
		assert_int_equal(delivery(&id).tries, 1);
	}
	expect("");
	record = make_outcome(&id, VERDICT_DELIVERED);
	record.outcome.early = true;
	apply_alone(&record);
	expect("head ops 1.2\n");
	assert_int_equal(delivery(&id).next, 0);
	w.now = next;
	tick();
	expect(""); /* its time means nothing any more */
	assert_int_equal(rows_of("due"), 0);
}

/* Answers that refuse the event: 4 attempts in all. */
static void
test_engine_delivery_refused(void **state)
{
	struct uuid id;

	(void)state;
	world_configure(PLAIN);
	alert("db", ALERT_CRITICAL);
	id = w.head;
	for (int i = 0; i < RECORD_REFUSED_ATTEMPTS - 1; i++) {
		fail_and_wait(&id, VERDICT_REFUSED);
		assert_int_equal(delivery(&id).state, DELIVERY_WAITING);
	}
	alert("db", ALERT_RESOLVED);
	forget();
	end(&id, VERDICT_REFUSED);
	assert_int_equal(delivery(&id).state, DELIVERY_DEAD);
	assert_int_equal(delivery(&id).attempts, 4);
	assert_int_equal(delivery(&id).reason, REASON_HTTP_4XX);
	expect("head ops 1.2\n"); /* a dead letter holds nobody back */
}

/* A replay of a dead letter: a success takes it out, another failure leaves it there. */
static void
test_engine_delivery_dead(void **state)
{
	struct uuid id;

	(void)state;
	world_configure(CONF("", "", HOOK("ops", ", 'retry': ['1s']")));
	alert("db", ALERT_CRITICAL);
	id = w.head;
	fail_and_wait(&id, VERDICT_FAILED);
	end(&id, VERDICT_FAILED);
	assert_true(dead_get(look(), hook_id(0), &id));
	end(&id, VERDICT_FAILED);
	assert_true(dead_get(look(), hook_id(0), &id));
	assert_int_equal(dead_count(look(), hook_id(0)), 1);
	assert_int_equal(delivery(&id).attempts, 3);
	expect_settled(0, 1);
	w.now = delivery(&id).created + 90 * SECOND;
	end(&id, VERDICT_DELIVERED);
	expect_settled(1, 1);
	assert_int_equal(w.age, 90 * SECOND);
	assert_false(dead_get(look(), hook_id(0), &id));
	assert_int_equal(dead_count(look(), hook_id(0)), 0);
	assert_int_equal(delivery(&id).state, DELIVERY_DELIVERED);
	assert_int_equal(engine_waiting(hook_id(0)), 0);
}

static void
test_engine_delivery_attempts(void **state)
{
	struct record record;
	struct attempt_row row;

	(void)state;
	world_configure(PLAIN);
	alert("db", ALERT_CRITICAL);
	record = make_outcome(&w.head, VERDICT_FAILED);
	record.outcome.attempt.status = 503;
	record.outcome.attempt.total = 3000100;
	apply_alone(&record);
	end(&w.head, VERDICT_DELIVERED);
	assert_true(attempts_get(look(), &w.head, 1, &row));
	assert_int_equal(row.status, 503);
	assert_int_equal(row.total, 3000100);
	assert_int_equal(row.reason, REASON_TIMEOUT);
	assert_true(attempts_get(look(), &w.head, 2, &row));
	assert_int_equal(row.reason, REASON_OK);
	assert_false(attempts_get(look(), &w.head, 3, &row));
}

/* ---- room, holding, webhooks that are gone -------------------------------------------------- */

#define TWO_WAIT CONF("", "", HOOK("ops", ", 'max_waiting': 2") "," HOOK("wide", ""))

static void
test_engine_delivery_queue_full(void **state)
{
	struct lane_key first = {.number = 0};
	struct lane_row lane;
	struct record record;
	struct uuid id;

	(void)state;
	world_configure(TWO_WAIT);
	alert("a", ALERT_CRITICAL);
	alert("b", ALERT_CRITICAL);
	forget();
	record = alert("c", ALERT_CRITICAL);
	expect("dead ops 3 queue_full\nhead wide 3.1\nevent 3 triggered\nalert created 3\n");
	id = trace_of(&record).event;
	id = delivery_id(&id, hook_id(0));
	assert_int_equal(delivery(&id).state, DELIVERY_DEAD);
	assert_int_equal(delivery(&id).reason, REASON_QUEUE_FULL);
	assert_int_equal(delivery(&id).attempts, 0);
	assert_true(dead_get(look(), hook_id(0), &id));
	expect_settled(0, 1);
	assert_int_equal(engine_waiting(hook_id(0)), 2);
	world_restart(TWO_WAIT);
	assert_int_equal(engine_waiting(hook_id(0)), 2);
	assert_int_equal(dead_count(look(), hook_id(0)), 1);
	assert_int_equal(dead_count(look(), hook_id(1)), 0);
	first.webhook = hook_id(0); /* one that is settled makes room again */
	assert_true(lanes_seek(look(), &first, &lane));
	end(&lane.delivery, VERDICT_DELIVERED);
	forget();
	alert("c", ALERT_RESOLVED); /* its first event here is the second of the incident */
	expect("head ops 3.2\nevent 3 resolved\nalert resolved 3\n");
}

static void
test_engine_delivery_hold(void **state)
{
	(void)state;
	world_configure(CONF("", "", HOOK("ops", "") "," HOOK("other", "")));
	throw(RECORD_HOLD, hook_id(0));
	expect("held ops\n");
	throw(RECORD_HOLD, hook_id(0)); /* it is already, and one release lets go all the same */
	expect("held ops\n");
	assert_true(engine_held(hook_id(0)));
	assert_false(engine_held(hook_id(1)));
	world_restart(CONF("", "", HOOK("ops", "") "," HOOK("other", "")));
	assert_true(engine_held(hook_id(0))); /* the switch survives */
	throw(RECORD_RELEASE, hook_id(0));
	expect("free ops\n");
	throw(RECORD_RELEASE, hook_id(0));
	expect("free ops\n"); /* resume closes a breaker too, so it is told again */
	assert_false(engine_held(hook_id(0)));
	world_restart(CONF("", "", HOOK("ops", "") "," HOOK("other", "")));
	assert_false(engine_held(hook_id(0)));
}

/* 410: dead at once, the webhook held. */
static void
test_engine_delivery_gone(void **state)
{
	(void)state;
	world_configure(PLAIN);
	alert("db", ALERT_CRITICAL);
	forget();
	end(&w.head, VERDICT_GONE);
	expect("held ops\n");
	assert_true(engine_held(hook_id(0)));
	assert_int_equal(delivery(&w.head).state, DELIVERY_DEAD);
	assert_int_equal(delivery(&w.head).attempts, 1);
	assert_true(dead_get(look(), hook_id(0), &w.head));
	expect_settled(0, 1);
}

/* Deliveries of a webhook that is no longer configured become dead letters, waiting ones too. */
static void
test_engine_delivery_orphans(void **state)
{
	struct uuid waiting, behind;
	uint32_t gone;

	(void)state;
	world_configure(CONF("", "", HOOK("ops", "") "," HOOK("stays", "")));
	gone = hook_id(0);
	alert("db", ALERT_CRITICAL);
	waiting = delivery_event(&w.head);
	waiting = delivery_id(&waiting, gone);
	alert("db", ALERT_RESOLVED);
	behind = incident(1).last_event;
	behind = delivery_id(&behind, gone);
	end(&waiting, VERDICT_FAILED);
	tick();
	assert_false(engine_unsettled());
	world_restart(CONF("", "", HOOK("stays", "")));
	assert_true(engine_unsettled());
	forget();
	tick();
	assert_false(engine_unsettled());
	expect("dead ? 1 timeout\ndead ? 1 -\n"); /* tried once, and never */
	assert_int_equal(delivery(&waiting).state, DELIVERY_DEAD);
	assert_int_equal(delivery(&behind).state, DELIVERY_DEAD);
	assert_true(dead_get(look(), gone, &waiting));
	assert_true(dead_get(look(), gone, &behind));
	expect_settled(0, 2);
	assert_int_equal(dead_count(look(), gone), 2);
	assert_int_equal(engine_waiting(gone), 0);
	assert_int_equal(engine_waiting(hook_id(0)), 2);
	assert_int_equal(rows_of("due"), 0);
	world_restart(CONF("", "", HOOK("ops", "") "," HOOK("stays", "")));
	assert_int_equal(hook_id(0), gone); /* its number is its name's for ever */
	assert_int_equal(engine_waiting(gone), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_engine_delivery_rows),	 WORLD_TEST(test_engine_delivery_order),
	    WORLD_TEST(test_engine_delivery_lanes),	 WORLD_TEST(test_engine_delivery_schedule),
	    WORLD_TEST(test_engine_delivery_waits),	 WORLD_TEST(test_engine_delivery_steady),
	    WORLD_TEST(test_engine_delivery_early),	 WORLD_TEST(test_engine_delivery_refused),
	    WORLD_TEST(test_engine_delivery_dead),	 WORLD_TEST(test_engine_delivery_attempts),
	    WORLD_TEST(test_engine_delivery_queue_full), WORLD_TEST(test_engine_delivery_hold),
	    WORLD_TEST(test_engine_delivery_gone),	 WORLD_TEST(test_engine_delivery_orphans)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
