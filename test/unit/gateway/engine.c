/* Timers, and the switch that holds alerts back (CONTRACT §5). */
#include "world.h"

/* ---- timers --------------------------------------------------------------------------------- */

static void
test_engine_auto_resolve(void **state)
{
	(void)state;
	world_configure(CONF("'auto_resolve_timeout': 600,", "", ""));
	alert("db", ALERT_CRITICAL);
	w.now += 300 * SECOND;
	alert("db", ALERT_CRITICAL);	 /* a joining alert puts nothing off */
	alert("db", ALERT_ACKNOWLEDGED); /* nor does an acknowledgement */
	forget();
	w.now += 300 * SECOND - 1;
	tick();
	expect("");
	w.now++;
	tick();
	expect("event 1 resolved auto_resolve_timeout\n");
	assert_int_equal(incident(1).status, INCIDENT_RESOLVED);
	assert_int_equal(incident(1).resolved, w.now);
	tick();
	expect("");
	alert("db", ALERT_INFO);
	expect("alert alone 0\n");
	assert_int_equal(rows_of("timers"), 0);
}

static void
test_engine_acknowledgement_timeout(void **state)
{
	(void)state;
	world_configure(
	    CONF("'auto_resolve_timeout': 600, 'acknowledgement_timeout': 60,", "", ""));
	alert("db", ALERT_CRITICAL);
	w.now += 590 * SECOND;
	alert("db", ALERT_ACKNOWLEDGED);
	assert_int_equal(incident(1).acknowledged, w.now);
	forget();
	w.now += 5 * SECOND;
	tick();
	alert("db", ALERT_ACKNOWLEDGED); /* the first acknowledgement counts */
	expect("alert joined 1\n");
	w.now += 4 * SECOND;
	tick();
	expect("");
	world_configure(CONF("'acknowledgement_timeout': 60,", "", ""));
	w.now += 51 * SECOND;
	tick();
	expect("event 1 triggered acknowledgement_timeout\n");
	assert_int_equal(incident(1).status, INCIDENT_TRIGGERED);
	assert_int_equal(incident(1).acknowledged, 0);
	w.now += 1000 * SECOND;
	tick();
	expect("");
	alert("db", ALERT_ACKNOWLEDGED); /* and round again */
	expect("event 1 acknowledged\nalert acknowledged 1\n");
	w.now += 60 * SECOND;
	tick();
	expect("event 1 triggered acknowledgement_timeout\n");
}

/* auto_resolve_timeout counts since the last `triggered` event, so that one puts it off. */
static void
test_engine_auto_resolve_again(void **state)
{
	(void)state;
	world_configure(
	    CONF("'auto_resolve_timeout': 100, 'acknowledgement_timeout': 60,", "", ""));
	alert("db", ALERT_CRITICAL);
	alert("db", ALERT_ACKNOWLEDGED);
	forget();
	w.now += 60 * SECOND;
	tick();
	expect("event 1 triggered acknowledgement_timeout\n");
	w.now += 100 * SECOND - 1;
	tick();
	expect("");
	w.now++;
	tick();
	expect("event 1 resolved auto_resolve_timeout\n");
}

/* After a long sleep timers act in the order in which they were due, not that of their old rows. */
static void
test_engine_timers_overdue(void **state)
{
	(void)state;
	world_configure(
	    CONF("'auto_resolve_timeout': 300, 'acknowledgement_timeout': 25,", "", ""));
	alert("db", ALERT_CRITICAL); /* would resolve at 300 */
	alert("db", ALERT_ACKNOWLEDGED);
	w.now += 100 * SECOND;
	tick(); /* triggered again: it resolves at 400 now */
	w.now += 175 * SECOND;
	alert("db", ALERT_ACKNOWLEDGED); /* until 300 */
	forget();
	w.now += 400 * SECOND;
	tick();
	expect("event 1 triggered acknowledgement_timeout\n");
	w.now += 300 * SECOND;
	tick();
	expect("event 1 resolved auto_resolve_timeout\n");
}

/* A timer row is a hint: the configuration of the moment decides, for old incidents too. */
static void
test_engine_timer_configuration(void **state)
{
	(void)state;
	world_configure(CONF("", "", ""));
	alert("db", ALERT_CRITICAL);
	assert_int_equal(rows_of("timers"), 0);
	world_restart(CONF("'auto_resolve_timeout': 100,", "", ""));
	tick();
	assert_int_equal(rows_of("timers"), 1);
	world_restart(CONF("'auto_resolve_timeout': 300,", "", ""));
	tick();
	forget();
	w.now += 100 * SECOND;
	tick();
	expect("");
	w.now += 200 * SECOND;
	tick();
	expect("event 1 resolved auto_resolve_timeout\n");
	alert("db", ALERT_CRITICAL);
	world_restart(CONF("", "", ""));
	forget();
	w.now += 300 * SECOND;
	tick();
	expect(""); /* switched off meanwhile */
}

/* One tick does at most so much; the next one goes on. */
static void
test_engine_tick_bounded(void **state)
{
	char entity[16];

	(void)state;
	world_configure(CONF("'auto_resolve_timeout': 1,", "", HOOK("ops", "")));
	for (int i = 0; i < 20; i++) {
		struct record record;

		snprintf(entity, sizeof entity, "e%d", i);
		record = make_alert(entity, ALERT_CRITICAL);
		apply(&record);
	}
	commit();
	w.now += SECOND;
	tick();
	assert_int_equal(rows_of("open"), 4);
	assert_int_equal(rows_of("events"), 36); /* each event has an id of its own */
	tick();
	assert_int_equal(rows_of("open"), 0);
	assert_int_equal(rows_of("events"), 40);
	assert_int_equal(rows_of("closed"), 20);
}

/* ---- pause ---------------------------------------------------------------------------------- */

/* Applies what waits, as the loop does: a few in a turn. */
static void
drain(void)
{
	bool more = true;

	while (more) {
		more = engine_drain(turn(), 2);
		commit();
	}
}

static void
test_engine_pause(void **state)
{
	struct record queued[3];

	(void)state;
	world_configure(PLAIN);
	throw(RECORD_PAUSE, 0);
	assert_true(engine_paused());
	queued[0] = alert("db", ALERT_CRITICAL);
	queued[1] = alert("db", ALERT_ACKNOWLEDGED);
	queued[2] = alert("db", ALERT_RESOLVED);
	expect("alert queued 0\nalert queued 0\nalert queued 0\n");
	for (size_t i = 0; i < COUNT_OF(queued); i++)
		assert_int_equal(trace_of(&queued[i]).state, TRACE_QUEUED);
	assert_int_equal(rows_of("alerts") + rows_of("incidents"), 0);
	world_restart(PLAIN); /* the switch survives, and what waits does */
	assert_true(engine_paused());
	throw(RECORD_RESUME, 0);
	assert_false(engine_paused());
	expect("");
	alert("disk", ALERT_CRITICAL); /* behind those that wait already */
	expect("alert queued 0\n");
	drain();
	expect("head ops 1.1\nevent 1 triggered\nalert created 1\n"
	       "event 1 acknowledged\nalert acknowledged 1\n"
	       "event 1 resolved\nalert resolved 1\n"
	       "head ops 2.1\nevent 2 triggered\nalert created 2\n");
	for (size_t i = 0; i < COUNT_OF(queued); i++)
		assert_int_equal(trace_of(&queued[i]).state, TRACE_COMPLETED);
	alert("disk", ALERT_INFO); /* nothing waits any more */
	expect("alert joined 2\n");
}

/* Arrival order holds when a single alert waits, the first that this store ever queued. */
static void
test_engine_pause_one(void **state)
{
	(void)state;
	world_configure(PLAIN);
	throw(RECORD_PAUSE, 0);
	alert("db", ALERT_CRITICAL);
	throw(RECORD_RESUME, 0);
	forget();
	alert("db", ALERT_RESOLVED);
	expect("alert queued 0\n");
	drain();
	expect("head ops 1.1\nevent 1 triggered\nalert created 1\nevent 1 resolved\nalert resolved "
	       "1\n");
}

/* The record decides, not the time at which it is applied. */
static void
test_engine_pause_time(void **state)
{
	int64_t then;

	(void)state;
	world_configure(CONF("'auto_resolve_timeout': 60,"
			     "'maintenance': [{'start': '2025-11-21T10:00:00Z',"
			     "                 'end': '2025-11-21T11:00:00Z'}],",
			     "", ""));
	throw(RECORD_PAUSE, 0);
	then = w.now;
	alert("db", ALERT_CRITICAL);
	w.now += 90 * MINUTE; /* under maintenance by now */
	throw(RECORD_RESUME, 0);
	forget();
	drain();
	expect("event 1 triggered\nalert created 1\n");
	assert_int_equal(incident(1).created, then);
	tick();
	expect("event 1 resolved auto_resolve_timeout\n");
}

/* While applying is paused, outcomes, timers and switches go on. */
static void
test_engine_pause_others(void **state)
{
	struct record outcome;

	(void)state;
	world_configure(CONF("'auto_resolve_timeout': 60,", "", HOOK("ops", "")));
	alert("db", ALERT_CRITICAL);
	throw(RECORD_PAUSE, 0);
	w.now += MINUTE;
	forget();
	tick();
	expect("event 1 resolved auto_resolve_timeout\n");
	outcome = make_record(RECORD_OUTCOME);
	outcome.outcome.delivery = w.head;
	apply_alone(&outcome);
	expect("head ops 1.2\n");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {WORLD_TEST(test_engine_auto_resolve),
						  WORLD_TEST(test_engine_acknowledgement_timeout),
						  WORLD_TEST(test_engine_timers_overdue),
						  WORLD_TEST(test_engine_auto_resolve_again),
						  WORLD_TEST(test_engine_timer_configuration),
						  WORLD_TEST(test_engine_tick_bounded),
						  WORLD_TEST(test_engine_pause),
						  WORLD_TEST(test_engine_pause_one),
						  WORLD_TEST(test_engine_pause_time),
						  WORLD_TEST(test_engine_pause_others)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
