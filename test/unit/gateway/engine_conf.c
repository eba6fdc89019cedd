/* Another configuration while everything goes on (CONTRACT §10, Reload). */
#include "world.h"

static uint32_t
hook_id(void)
{
	return w.conf->webhooks[0].id;
}

static void
open_many(uint32_t n)
{
	char entity[16];

	for (uint32_t i = 0; i < n; i++) {
		struct record record;

		snprintf(entity, sizeof entity, "e%u", i);
		record = make_alert(entity, ALERT_CRITICAL);
		apply(&record);
	}
	commit();
}

/* What the engine looks up by number is the new one's; what has the same name keeps its number. */
static void
test_engine_conf_swap(void **state)
{
	uint32_t id;

	(void)state;
	world_configure(CONF("", "", HOOK("ops", "")));
	id = hook_id();
	world_configure(CONF("'summary': 's',", "",
			     HOOK("new", "") "," HOOK("ops", ", 'deadline': '1s'")));
	assert_int_equal(w.conf->webhooks[1].id, id);
	assert_ptr_equal(engine_webhook(id), &w.conf->webhooks[1]);
	assert_ptr_equal(engine_webhook(w.conf->webhooks[0].id), &w.conf->webhooks[0]);
	assert_ptr_equal(engine_service(w.conf->services[0].id), &w.conf->services[0]);
	assert_ptr_equal(engine_integration(w.conf->integrations[0].id), &w.conf->integrations[0]);
	world_configure(CONF("", "", ""));
	assert_null(engine_webhook(id));
	world_configure(PLAIN);
	assert_int_equal(hook_id(), id);
	assert_ptr_equal(engine_webhook(id), &w.conf->webhooks[0]);
}

/* A turn that cannot be stored leaves the one before in force, and the names unknown. */
static void
test_engine_conf_failed(void **state)
{
	struct conf *conf = parse_good(CONF("", "", HOOK("new", "")));
	uint32_t next;

	(void)state;
	world_configure(PLAIN);
	next = engine_meta()->next_name;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(engine_configure(turn(), conf, w.now), 0);
		assert_ptr_equal(engine_webhook(conf->webhooks[0].id), &conf->webhooks[0]);
		fail_turn();
		assert_ptr_equal(engine_webhook(hook_id()), &w.conf->webhooks[0]);
		assert_int_equal(engine_meta()->next_name, next);
	}
	conf_release(conf); /* nobody else holds it */
	alert("db", ALERT_CRITICAL);
	expect("head ops 1.1\nevent 1 triggered\nalert created 1\n");
}

/* Numbers beyond the room of the tables. */
static void
test_engine_conf_many(void **state)
{
	struct buf text = {.ceiling = 1 << 20};

	(void)state;
	world_configure(PLAIN);
	alert("db", ALERT_CRITICAL);
	buf_puts(&text, "{'services': [{'name': 'Payments', 'integrations': [");
	for (int i = 0; i < 300; i++)
		buf_printf(&text, "{'name': 'I%d', 'key': 'k%d'},", i, i);
	buf_puts(&text, "{'name': 'Generic', 'key': 'k'}], 'webhooks': [" HOOK("ops", "") "]}]}");
	buf_putc(&text, '\0');
	world_configure(text.p);
	buf_free(&text);
	assert_int_equal(engine_waiting(hook_id()), 1);
	for (size_t i = 0; i < 301; i++)
		assert_ptr_equal(engine_integration(w.conf->integrations[i].id),
				 &w.conf->integrations[i]);
}

/* What waits is counted on, and what an operator holds is held on. */
static void
test_engine_conf_keeps(void **state)
{
	(void)state;
	world_configure(PLAIN);
	throw(RECORD_HOLD, hook_id());
	open_many(3);
	world_configure(CONF("", "", HOOK("ops", ", 'deadline': '1s'")));
	assert_int_equal(engine_waiting(hook_id()), 3);
	assert_true(engine_held(hook_id()));
	world_configure(CONF("", "", ""));
	world_configure(PLAIN); /* before a tick has buried anything */
	assert_int_equal(engine_waiting(hook_id()), 3);
	assert_true(engine_held(hook_id()));
}

/* Timers are filed anew a few at a time; a turn that fails takes its steps back. */
static void
test_engine_conf_timers(void **state)
{
	struct record record;

	(void)state;
	world_configure(PLAIN);
	tick();
	open_many(40);
	assert_false(engine_unsettled());
	world_configure(CONF("'auto_resolve_timeout': 100,", "", HOOK("ops", "")));
	assert_int_equal(rows_of("timers"), 0);
	record = make_record(RECORD_TICK);
	record.most = 16;
	record.id = next_ids(16);
	apply(&record);
	fail_turn();
	for (int i = 1; i <= 3; i++) {
		assert_true(engine_unsettled());
		tick();
		assert_int_equal(rows_of("timers"), i < 3 ? 16 * i : 40);
	}
	assert_false(engine_unsettled());
	world_configure(CONF("'auto_resolve_timeout': 100,", "", HOOK("ops", ", 'deadline': '1s'")));
	assert_false(engine_unsettled());
}

/* Back to the timeouts of before while half of the timers are others': all are filed once more. */
static void
test_engine_conf_timers_and_back(void **state)
{
	(void)state;
	world_configure(CONF("'auto_resolve_timeout': 100,", "", ""));
	tick();
	open_many(60);
	world_configure(CONF("'auto_resolve_timeout': 500,", "", ""));
	tick();
	w.now += 100 * SECOND;
	tick(); /* some of the hints of before came to nothing, and are gone */
	assert_int_equal(rows_of("open"), 60);
	world_configure(CONF("'auto_resolve_timeout': 100,", "", ""));
	for (int i = 0; i < 12; i++)
		tick();
	assert_int_equal(rows_of("open"), 0);
}

/* A start that comes in the middle begins again. */
static void
test_engine_conf_timers_killed(void **state)
{
	(void)state;
	world_configure(CONF("", "", ""));
	open_many(20);
	tick();
	tick();
	world_configure(CONF("'auto_resolve_timeout': 100,", "", ""));
	tick();
	world_restart(CONF("'auto_resolve_timeout': 100,", "", ""));
	tick();
	tick();
	assert_int_equal(rows_of("timers"), 20);
	assert_false(engine_unsettled());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_engine_conf_swap),
	    WORLD_TEST(test_engine_conf_failed),
	    WORLD_TEST(test_engine_conf_many),
	    WORLD_TEST(test_engine_conf_keeps),
	    WORLD_TEST(test_engine_conf_timers),
	    WORLD_TEST(test_engine_conf_timers_and_back),
	    WORLD_TEST(test_engine_conf_timers_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
