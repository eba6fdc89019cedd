/* What operators do to incidents through the API (CONTRACT §2), and what follows from it as from
 * an alert (§5, §8). */
#include "world.h"

#include "proto/json_read.h"

static const char some_id[] = "cadfe35f-e3b1-4175-b118-a595bff9a214";

static void
create(const char *title)
{
	struct record record = make_create(title);

	apply_alone(&record);
}

static void
set_status(uint64_t number, enum incident_status status)
{
	struct record record = make_change(number);

	record.incident.fields = FIELD_STATUS;
	record.incident.to.status = status;
	apply_alone(&record);
}

/* The incident of the last event's body, as receivers see it. */
static const struct json *
body_of(uint64_t number, struct arena *arena)
{
	struct incident_row row = incident(number);
	struct event_row event;
	struct json_error error;
	struct slice text;
	struct json *body;

	assert_true(events_get(look(), &row.last_event, &event));
	text = arena_copy(arena, event.body);
	body = json_read(arena, (char *)text.p, text.n, 0, 16, &error);
	assert_non_null(body);
	return json_get(json_get(body, "payload"), "incident");
}

static void
test_engine_api_create(void **state)
{
	struct record record;
	struct incident_row row;
	char key[ID22_TEXT];

	(void)state;
	world_configure(PLAIN);
	record = make_create("Database down");
	apply_alone(&record);
	expect("head ops 1.1\nevent 1 triggered api\n");
	row = incident(1);
	id22_text(&record.id, key);
	assert_slice(row.title, "Database down");
	assert_slice(row.summary, "");
	assert_slice(row.incident_key, key);
	assert_int_equal(row.status, INCIDENT_TRIGGERED);
	assert_int_equal(row.urgency, 1);
	assert_int_equal(row.integration, 0);
	assert_int_equal(row.created, w.now);
	assert_int_equal(get_u64(row.unique_id.b + 8), 1);
	assert_memory_equal(row.unique_id.b, record.salt, 8);
	assert_true(uuid_is_zero(&row.head));
	create("Another");
	expect("head ops 2.1\nevent 2 triggered api\n");
	assert_false(slice_is(incident(1).incident_key, incident(2).incident_key));
	assert_int_equal(rows_of("open"), 2);
	assert_int_equal(rows_of("alerts"), 0);
}

/* The service says what the request does not. */
static void
test_engine_api_create_fields(void **state)
{
	static const char conf[] =
	    "{'users': [{'username': 'ada'}, {'username': 'bob'}], 'services': [{'name': 'S',"
	    " 'assigned_to': 'ada', 'escalation_policy': '00000000-0000-4000-8000-000000000001'}]}";
	struct record record;
	struct incident_row row;

	(void)state;
	world_configure(conf);
	create("t");
	row = incident(1);
	assert_slice(row.assigned_to, "ada");
	assert_slice(row.escalation_policy, "00000000-0000-4000-8000-000000000001");
	assert_int_equal(row.sla.n + row.priority.n + row.tags.n, 0);
	record = make_create("t");
	record.incident.fields = 0xff & ~(unsigned)FIELD_STATUS;
	record.incident.to = (struct incident){.title = SLICE("T"),
					       .summary = SLICE("S"),
					       .urgency = 0,
					       .assigned_to = SLICE("bob"),
					       .escalation_policy = slice_of(some_id),
					       .sla = slice_of(some_id),
					       .priority = slice_of(some_id)};
	apply_alone(&record);
	row = incident(2);
	assert_slice(row.title, "T");
	assert_slice(row.summary, "S");
	assert_int_equal(row.urgency, 0);
	assert_slice(row.assigned_to, "bob");
	assert_slice(row.escalation_policy, some_id);
	assert_slice(row.sla, some_id);
	assert_slice(row.priority, some_id);
}

/* Whatever it starts with, it was triggered first. */
static void
test_engine_api_create_status(void **state)
{
	static const char *const told[] = {
	    "head ops 1.1\nevent 1 triggered api\n",
	    "head ops 1.1\nevent 1 triggered api\nevent 1 acknowledged api\n",
	    "head ops 1.1\nevent 1 triggered api\nevent 1 resolved api\n"};

	for (size_t i = 0; i < COUNT_OF(told); i++) {
		struct record record;

		world_configure(PLAIN);
		record = make_create("t");
		record.incident.fields |= FIELD_STATUS;
		record.incident.to.status = (enum incident_status)(i + 1);
		apply_alone(&record);
		expect(told[i]);
		assert_int_equal(incident(1).status, i + 1);
		assert_int_equal(rows_of("events"), i == 0 ? 1 : 2);
		assert_int_equal(rows_of("open"), i < 2);
		assert_int_equal(world_teardown(state) | world_setup(state), 0);
	}
}

/* Disabled and under maintenance: that keeps alerts out, not operators. A service that is gone
 * has no incidents. */
static void
test_engine_api_create_service(void **state)
{
	struct record record;

	(void)state;
	world_configure(CONF("'under_maintenance': true, 'enabled': false,", "", HOOK("ops", "")));
	create("t");
	expect("head ops 1.1\nevent 1 triggered api\n");
	record = make_create("t");
	record.incident.service = 4711;
	apply_alone(&record);
	expect("");
	assert_int_equal(rows_of("incidents"), 1);
	assert_int_equal(engine_meta()->next_number, 2);
}

/* It has no correlation key: no alert finds it, and it is open all the same after a restart. */
static void
test_engine_api_create_restart(void **state)
{
	static const char conf[] = CONF("'auto_resolve_timeout': 60,", "", HOOK("ops", ""));
	struct open_row row;

	(void)state;
	world_configure(conf);
	create("t");
	assert_true(open_get(look(), 1, &row));
	assert_int_equal(row.key_count, 0);
	world_restart(conf);
	assert_int_equal(open_by_number(1)->link_count, 0);
	forget();
	alert("", ALERT_INFO);
	expect("alert alone 0\n");
	set_status(1, INCIDENT_ACKNOWLEDGED);
	expect("event 1 acknowledged api\n");
	world_restart(conf);
	assert_int_equal(open_by_number(1)->status, INCIDENT_ACKNOWLEDGED);
	w.now += MINUTE;
	forget();
	tick();
	expect("event 1 resolved auto_resolve_timeout\n");
	assert_int_equal(rows_of("open"), 0);
}

/* It is the service's newest open incident like any other. */
static void
test_engine_api_create_collation(void **state)
{
	static const char conf[] =
	    CONF("'collation': 1, 'collation_time': 2,", "", HOOK("ops", ""));

	(void)state;
	world_configure(conf);
	create("t");
	forget();
	alert("db", ALERT_CRITICAL);
	expect("alert joined 1\n");
	world_restart(conf);
	forget();
	alert("db", ALERT_RESOLVED);
	expect("event 1 resolved\nalert resolved 1\n");
}

/* From each status into each: an event where it changes, nothing where it does not, and never back
 * from the end. */
static void
test_engine_api_status(void **state)
{
	static const char *const told[3][3] = {
	    {"", "event 1 acknowledged api\n", "event 1 resolved api\n"},
	    {"event 1 triggered api\n", "", "event 1 resolved api\n"},
	    {"", "", ""}};

	for (int from = 1; from <= 3; from++)
		for (int to = 1; to <= 3; to++) {
			world_configure(PLAIN);
			alert("db", ALERT_CRITICAL);
			if (from > 1)
				alert("db", from == 2 ? ALERT_ACKNOWLEDGED : ALERT_RESOLVED);
			forget();
			set_status(1, (enum incident_status)to);
			expect(told[from - 1][to - 1]);
			assert_int_equal(incident(1).status, from == 3 ? 3 : to);
			assert_int_equal(open_total(), from < 3 && to < 3);
			assert_int_equal(world_teardown(state) | world_setup(state), 0);
		}
}

/* Dates, timers and correlation follow as they follow an alert. */
static void
test_engine_api_status_follows(void **state)
{
	static const char conf[] =
	    CONF("'auto_resolve_timeout': 600, 'acknowledgement_timeout': 60,", "",
		 HOOK("ops", ""));

	(void)state;
	world_configure(conf);
	alert("db", ALERT_CRITICAL);
	w.now += SECOND;
	set_status(1, INCIDENT_ACKNOWLEDGED);
	assert_int_equal(incident(1).acknowledged, w.now);
	w.now += MINUTE;
	forget();
	tick();
	expect("event 1 triggered acknowledgement_timeout\n");
	set_status(1, INCIDENT_ACKNOWLEDGED);
	set_status(1, INCIDENT_TRIGGERED);
	assert_int_equal(incident(1).acknowledged, 0);
	w.now += 2 * MINUTE; /* the acknowledgement is taken back, and its timer with it */
	forget();
	tick();
	expect("");
	set_status(1, INCIDENT_RESOLVED);
	assert_int_equal(incident(1).resolved, w.now);
	assert_int_equal(rows_of("closed"), 1);
	w.now += 20 * MINUTE;
	forget();
	tick();
	expect("");
	alert("db", ALERT_CRITICAL); /* the same entity id starts a new one */
	expect("head ops 2.1\nevent 2 triggered\nalert created 2\n");
}

static void
test_engine_api_fields(void **state)
{
	struct record record;
	struct incident_row row, was;

	(void)state;
	world_configure(PLAIN);
	alert("db", ALERT_CRITICAL);
	was = incident(1);
	forget();
	record = make_change(1);
	record.incident.fields = FIELD_TITLE | FIELD_SLA;
	record.incident.to = (struct incident){.title = SLICE("new"), .sla = slice_of(some_id)};
	apply_alone(&record);
	expect(""); /* no event */
	row = incident(1);
	assert_slice(row.title, "new");
	assert_slice(row.sla, some_id);
	assert_slice(row.summary, "high");
	assert_slice(row.incident_key, "db");
	assert_int_equal(row.urgency, 1);
	assert_int_equal(row.events, 1);
	assert_int_equal(uuid_compare(&row.last_event, &was.last_event), 0);
	record = make_change(1);
	record.incident.fields = FIELD_SLA | FIELD_SUMMARY | FIELD_URGENCY; /* cleared, and low */
	apply_alone(&record);
	row = incident(1);
	assert_int_equal(row.sla.n + row.summary.n + row.urgency, 0);
	assert_slice(row.title, "new");
	set_status(1, INCIDENT_RESOLVED);
	record = make_change(1);
	record.incident.fields = FIELD_SUMMARY | FIELD_STATUS;
	record.incident.to = (struct incident){.summary = SLICE("it was DNS"), .status = 1};
	forget();
	apply_alone(&record); /* a resolved one may be described, not opened */
	expect("");
	assert_slice(incident(1).summary, "it was DNS");
	assert_int_equal(incident(1).status, INCIDENT_RESOLVED);
}

/* What changes together is in the event together. */
static void
test_engine_api_fields_in_event(void **state)
{
	struct record record;
	struct arena arena;
	const struct json *body;

	(void)state;
	world_configure(PLAIN);
	alert("db", ALERT_CRITICAL);
	record = make_change(1);
	record.incident.fields = FIELD_TITLE | FIELD_STATUS | FIELD_URGENCY | FIELD_PRIORITY;
	record.incident.to = (struct incident){.title = SLICE("new"),
					       .status = INCIDENT_ACKNOWLEDGED,
					       .priority = slice_of(some_id)};
	apply_alone(&record);
	arena_init(&arena, 1 << 20);
	body = body_of(1, &arena);
	assert_slice(json_get(body, "title")->text, "new");
	assert_slice(json_get(body, "status")->text, "2");
	assert_slice(json_get(body, "urgency")->text, "0");
	assert_slice(json_get(body, "priority")->text, some_id);
	arena_free(&arena);
}

/* Titles and summaries are cut as those of alerts are. */
static void
test_engine_api_cut(void **state)
{
	static char text[INCIDENT_SUMMARY_MAX + 8];
	struct record record;

	(void)state;
	memset(text, 'a', sizeof text - 1);
	world_configure(PLAIN);
	create(text);
	assert_int_equal(incident(1).title.n, INCIDENT_TITLE_MAX);
	assert_memory_equal(incident(1).title.p + INCIDENT_TITLE_MAX - 4, "a...", 4);
	record = make_change(1);
	record.incident.fields = FIELD_SUMMARY;
	record.incident.to.summary = slice_of(text);
	apply_alone(&record);
	assert_int_equal(incident(1).summary.n, INCIDENT_SUMMARY_MAX);
	assert_memory_equal(incident(1).summary.p + INCIDENT_SUMMARY_MAX - 4, "a...", 4);
}

/* There is no such incident, or no longer. */
static void
test_engine_api_unknown(void **state)
{
	struct record record;

	(void)state;
	world_configure(PLAIN);
	set_status(7, INCIDENT_RESOLVED);
	record = make_note(7, "ops", "text");
	apply_alone(&record);
	expect("");
	assert_int_equal(rows_of("incidents") + rows_of("events") + rows_of("notes"), 0);
}

static void
test_engine_api_note(void **state)
{
	static const char *const texts[] = {"first", "second", "third"};
	struct uuid id = {{0}};
	struct note_row row;

	(void)state;
	world_configure(PLAIN);
	create("one");
	create("two");
	forget();
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct record record = make_note(1, i == 0 ? "" : "ops", texts[i]);

		apply_alone(&record);
		record = make_note(2, "ops", "of the other");
		apply_alone(&record);
		w.now += SECOND;
	}
	expect("");
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_true(notes_next(look(), 1, &id, &row));
		assert_slice(row.text, texts[i]);
		assert_slice(row.user, i == 0 ? "" : "ops");
		assert_int_equal(row.wall, (WORLD_START_S + (int64_t)i) * SECOND);
	}
	assert_false(notes_next(look(), 1, &id, &row));
	assert_int_equal(incident(1).events, 1);
}

/* A pause is for alerts. */
static void
test_engine_api_paused(void **state)
{
	(void)state;
	world_configure(PLAIN);
	alert("db", ALERT_CRITICAL);
	throw(RECORD_PAUSE, 0);
	alert("db", ALERT_RESOLVED);
	forget();
	set_status(1, INCIDENT_ACKNOWLEDGED);
	create("t");
	expect("event 1 acknowledged api\nhead ops 2.1\nevent 2 triggered api\n");
}

/* A turn that fails leaves nothing: the number is given out again, the status is as it was. */
static void
test_engine_api_failed_turn(void **state)
{
	struct record record;

	(void)state;
	world_configure(PLAIN);
	alert("db", ALERT_CRITICAL);
	record = make_create("in vain");
	apply(&record);
	record = make_change(1);
	record.incident.fields = FIELD_STATUS;
	record.incident.to.status = INCIDENT_RESOLVED;
	apply(&record);
	fail_turn();
	assert_int_equal(open_total(), 1);
	assert_int_equal(open_by_number(1)->status, INCIDENT_TRIGGERED);
	assert_null(open_by_number(2));
	assert_int_equal(incident(1).status, INCIDENT_TRIGGERED);
	forget();
	create("t");
	expect("head ops 2.1\nevent 2 triggered api\n");
	alert("db", ALERT_INFO);
	expect("alert joined 1\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_engine_api_create),
	    WORLD_TEST(test_engine_api_create_fields),
	    WORLD_TEST(test_engine_api_create_status),
	    WORLD_TEST(test_engine_api_create_service),
	    WORLD_TEST(test_engine_api_create_restart),
	    WORLD_TEST(test_engine_api_create_collation),
	    WORLD_TEST(test_engine_api_status),
	    WORLD_TEST(test_engine_api_status_follows),
	    WORLD_TEST(test_engine_api_fields),
	    WORLD_TEST(test_engine_api_fields_in_event),
	    WORLD_TEST(test_engine_api_cut),
	    WORLD_TEST(test_engine_api_unknown),
	    WORLD_TEST(test_engine_api_note),
	    WORLD_TEST(test_engine_api_paused),
	    WORLD_TEST(test_engine_api_failed_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
