/* From alert to incident (CONTRACT §5), bullet by bullet, and what the trace says of it (§4). */
#include "world.h"

static void
test_engine_alert_life(void **state)
{
	(void)state;
	world_configure(PLAIN);
	alert("db", ALERT_CRITICAL);
	expect("head ops 1.1\nevent 1 triggered\nalert created 1\n");
	alert("db", ALERT_CRITICAL);
	expect("alert joined 1\n");
	alert("db", ALERT_ACKNOWLEDGED);
	expect("event 1 acknowledged\nalert acknowledged 1\n"); /* behind the first in its lane */
	alert("db", ALERT_RESOLVED);
	expect("event 1 resolved\nalert resolved 1\n");
	alert("db", ALERT_RESOLVED); /* nothing is open any more */
	expect("alert alone 0\n");
	alert("db", ALERT_CRITICAL); /* the same entity id starts a new one */
	expect("head ops 2.1\nevent 2 triggered\nalert created 2\n");
	alert("disk", ALERT_CRITICAL); /* another entity id, another incident */
	expect("head ops 3.1\nevent 3 triggered\nalert created 3\n");
}

/* What each type does beside each state of the incident of its entity id. */
static void
test_engine_alert_types(void **state)
{
	static const struct {
		enum alert_type before, type; /* before: INFO stands for nothing open */
		const char *told;
		uint8_t status; /* of incident 1 afterwards; 0: there is none */
	} cases[] = {
	    {ALERT_INFO, ALERT_CRITICAL, "head ops 1.1\nevent 1 triggered\nalert created 1\n", 1},
	    {ALERT_INFO, ALERT_ERROR, "alert alone 0\n", 0},
	    {ALERT_INFO, ALERT_WARNING, "alert alone 0\n", 0},
	    {ALERT_INFO, ALERT_INFO, "alert alone 0\n", 0},
	    {ALERT_INFO, ALERT_ACKNOWLEDGED, "alert alone 0\n", 0},
	    {ALERT_INFO, ALERT_RESOLVED, "alert alone 0\n", 0},
	    {ALERT_CRITICAL, ALERT_CRITICAL, "alert joined 1\n", 1},
	    {ALERT_CRITICAL, ALERT_ERROR, "alert joined 1\n", 1},
	    {ALERT_CRITICAL, ALERT_WARNING, "alert joined 1\n", 1},
	    {ALERT_CRITICAL, ALERT_INFO, "alert joined 1\n", 1},
	    {ALERT_CRITICAL, ALERT_ACKNOWLEDGED, "event 1 acknowledged\nalert acknowledged 1\n", 2},
	    {ALERT_CRITICAL, ALERT_RESOLVED, "event 1 resolved\nalert resolved 1\n", 3},
	    {ALERT_ACKNOWLEDGED, ALERT_CRITICAL, "alert joined 1\n", 2},
	    {ALERT_ACKNOWLEDGED, ALERT_ERROR, "alert joined 1\n", 2},
	    {ALERT_ACKNOWLEDGED, ALERT_WARNING, "alert joined 1\n", 2},
	    {ALERT_ACKNOWLEDGED, ALERT_INFO, "alert joined 1\n", 2},
	    {ALERT_ACKNOWLEDGED, ALERT_ACKNOWLEDGED, "alert joined 1\n", 2},
	    {ALERT_ACKNOWLEDGED, ALERT_RESOLVED, "event 1 resolved\nalert resolved 1\n", 3},
	    {ALERT_RESOLVED, ALERT_INFO, "alert alone 0\n", 3},
	    {ALERT_RESOLVED, ALERT_ACKNOWLEDGED, "alert alone 0\n", 3},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		world_configure(PLAIN);
		if (cases[i].before != ALERT_INFO)
			alert("db", ALERT_CRITICAL);
		if (cases[i].before > ALERT_CRITICAL)
			alert("db", cases[i].before);
		forget();
		alert("db", cases[i].type);
		expect(cases[i].told);
		assert_int_equal(rows_of("incidents"), cases[i].status != 0);
		if (cases[i].status != 0)
			assert_int_equal(incident(1).status, cases[i].status);
		assert_int_equal(rows_of("open"), cases[i].status == 1 || cases[i].status == 2);
		assert_int_equal(world_teardown(state) | world_setup(state), 0);
	}
}

static void
test_engine_alert_threshold(void **state)
{
	static const struct {
		const char *conf;
		bool creates[3]; /* warning, error, critical */
	} cases[] = {{CONF("", ", 'create_incidents_for': 'none'", ""), {false, false, false}},
		     {CONF("", "", ""), {false, false, true}},
		     {CONF("", ", 'create_incidents_for': 'critical'", ""), {false, false, true}},
		     {CONF("", ", 'create_incidents_for': 'error'", ""), {false, true, true}},
		     {CONF("", ", 'create_incidents_for': 'warning'", ""), {true, true, true}}};
	static const char *const entities[] = {"w", "e", "c"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		world_configure(cases[i].conf);
		alert("i", ALERT_INFO);
		expect("alert alone 0\n"); /* info never creates one */
		for (size_t k = 0; k < 3; k++) {
			struct record record = alert(entities[k], ALERT_WARNING + k);

			assert_int_equal(trace_of(&record).created, cases[i].creates[k]);
			alert(entities[k], ALERT_RESOLVED);
		}
		forget();
	}
}

/* A new incident takes the alert's facts; a joining alert changes none of them. */
static void
test_engine_alert_facts(void **state)
{
	static const char sla[] = "cadfe35f-e3b1-4175-b118-a595bff9a214";
	struct record first, second;
	struct incident_row row;

	(void)state;
	world_configure(CONF("'escalation_policy': '00000000-0000-4000-8000-000000000001',",
			     ", 'default_urgency': 'low'", ""));
	first = make_alert("db", ALERT_CRITICAL);
	first.alert.alert.sla = slice_of(sla);
	first.alert.alert.priority = slice_of(sla);
	first.alert.alert.tags = SLICE("[\"a\"]");
	apply_alone(&first);
	second = make_alert("db", ALERT_CRITICAL);
	second.alert.alert.message = SLICE("other");
	second.alert.alert.summary = SLICE("other");
	second.alert.alert.urgency = 1;
	second.alert.alert.priority = (struct slice){NULL, 0};
	apply_alone(&second);
	row = incident(1);
	assert_slice(row.title, "CPU");
	assert_slice(row.summary, "high");
	assert_slice(row.incident_key, "db");
	assert_slice(row.sla, sla);
	assert_slice(row.priority, sla);
	assert_slice(row.tags, "[\"a\"]");
	assert_slice(row.escalation_policy, "00000000-0000-4000-8000-000000000001");
	assert_int_equal(row.urgency, 0);
	assert_int_equal(row.created, w.now);
	second = make_alert("disk", ALERT_CRITICAL);
	second.alert.alert.urgency = 1;
	second.alert.alert.escalation_policy = slice_of(sla);
	apply_alone(&second);
	row = incident(2);
	assert_int_equal(row.urgency, 1);
	assert_slice(row.escalation_policy, sla);
}

/* The trace and the chain of an incident's alerts. */
static void
test_engine_alert_rows(void **state)
{
	struct record first, second, alone;
	struct alert_row row;
	struct trace_row trace;

	(void)state;
	world_configure(PLAIN);
	first = alert("db", ALERT_CRITICAL);
	second = alert("db", ALERT_INFO);
	alone = alert("disk", ALERT_INFO);
	trace = trace_of(&first);
	assert_int_equal(trace.state, TRACE_COMPLETED);
	assert_true(trace.created);
	assert_int_equal(trace.number, 1);
	assert_memory_equal(trace.alert.b, first.alert.alert_id.b, 16);
	assert_memory_equal(trace.unique_id.b, incident(1).unique_id.b, 16);
	assert_memory_equal(trace.event.b, incident(1).last_event.b, 16);
	trace = trace_of(&second);
	assert_false(trace.created);
	assert_int_equal(trace.number, 1);
	assert_true(uuid_is_zero(&trace.event));
	assert_true(alerts_get(look(), &second.alert.alert_id, &row));
	assert_int_equal(row.number, 1);
	assert_memory_equal(row.previous.b, first.alert.alert_id.b, 16);
	trace = trace_of(&alone);
	assert_int_equal(trace.number, 0);
	assert_true(uuid_is_zero(&trace.unique_id));
	assert_true(alerts_get(look(), &alone.alert.alert_id, &row));
	assert_true(uuid_is_zero(&row.previous));
}

/* Suppressed: recorded, touches no incident, not even with a type that would end one. */
static void
test_engine_alert_suppressed(void **state)
{
	static const enum alert_type types[] = {ALERT_CRITICAL, ALERT_ACKNOWLEDGED, ALERT_RESOLVED};
	struct record record;
	struct trace_row trace;
	struct alert_row row;

	(void)state;
	world_configure(PLAIN);
	alert("db", ALERT_CRITICAL);
	forget();
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		record = make_alert("db", types[i]);
		record.alert.alert.suppressed = true;
		apply_alone(&record);
		expect("alert suppressed 0\n");
		trace = trace_of(&record);
		assert_int_equal(trace.state, TRACE_COMPLETED);
		assert_true(trace.suppressed);
		assert_int_equal(trace.number, 0);
		assert_true(alerts_get(look(), &record.alert.alert_id, &row));
		assert_true(row.suppressed);
	}
	assert_int_equal(incident(1).status, INCIDENT_TRIGGERED);
}

static void
test_engine_alert_maintenance(void **state)
{
	static const struct {
		const char *conf;
		bool under; /* at WORLD_START_S, 2025-11-21T09:00:00Z */
	} cases[] = {{CONF("'under_maintenance': true,", "", HOOK("ops", "")), true},
		     {CONF("'maintenance': [{'start': '2025-11-21T09:00:00Z', 'end': "
			   "'2025-11-21T09:01:00Z'}],",
			   "", HOOK("ops", "")),
		      true},
		     {CONF("'maintenance': [{'start': '2025-11-21T08:00:00Z', 'end': "
			   "'2025-11-21T09:00:00Z'}],",
			   "", HOOK("ops", "")),
		      false}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct record record;

		world_configure(PLAIN);
		alert("db", ALERT_CRITICAL);
		world_configure(cases[i].conf);
		forget();
		record = alert("disk", ALERT_CRITICAL);
		assert_int_equal(trace_of(&record).state,
				 cases[i].under ? TRACE_FAILED : TRACE_COMPLETED);
		if (cases[i].under) {
			expect("alert failed 0\n");
			assert_slice(trace_of(&record).error, "Your service is under maintenance");
			alert("db", ALERT_INFO);
			expect("alert failed 0\n"); /* not even to join */
		}
		forget();
		alert("db", ALERT_ACKNOWLEDGED);
		expect("event 1 acknowledged\nalert acknowledged 1\n");
		alert("db", ALERT_RESOLVED);
		expect("event 1 resolved\nalert resolved 1\n");
		alert("db", ALERT_RESOLVED);
		expect("alert alone 0\n");
		assert_int_equal(world_teardown(state) | world_setup(state), 0);
	}
}

/* What mapping could not make an alert of, and an integration that is gone: failed, with the
 * reason. */
static void
test_engine_alert_failure(void **state)
{
	struct record record;

	(void)state;
	world_configure(PLAIN);
	record = make_alert("db", ALERT_CRITICAL);
	record.alert.failure = SLICE("message is missing");
	apply_alone(&record);
	expect("alert failed 0\n");
	assert_slice(trace_of(&record).error, "message is missing");
	record = make_alert("db", ALERT_CRITICAL);
	record.alert.integration = 9999;
	apply_alone(&record);
	expect("alert failed 0\n");
	assert_int_equal(trace_of(&record).state, TRACE_FAILED);
	assert_int_equal(rows_of("alerts"), 0);
	assert_int_equal(rows_of("incidents"), 0);
}

#define COLLATION CONF("'collation': 1, 'collation_time': 2,", "", HOOK("ops", ""))

static void
test_engine_alert_collation(void **state)
{
	(void)state;
	world_configure(COLLATION);
	alert("a", ALERT_CRITICAL);
	w.now += 2 * MINUTE;
	forget();
	alert("b", ALERT_CRITICAL); /* at the very end of the time */
	expect("alert joined 1\n");
	alert("c", ALERT_WARNING); /* would not create one: so it joins none */
	expect("alert alone 0\n");
	w.now++;
	alert("d", ALERT_CRITICAL);
	expect("head ops 2.1\nevent 2 triggered\nalert created 2\n");
	alert("e", ALERT_CRITICAL); /* the newest one counts */
	expect("alert joined 2\n");
	world_restart(COLLATION);
	forget();
	alert("b", ALERT_RESOLVED); /* its entity id stands for the incident it joined */
	expect("event 1 resolved\nalert resolved 1\n");
	alert("a", ALERT_INFO); /* and all of them go with it */
	expect("alert alone 0\n");
	alert("e", ALERT_ACKNOWLEDGED);
	expect("event 2 acknowledged\nalert acknowledged 2\n");
}

/* The newest open incident: a resolved one collects nothing, an older one that is open does. */
static void
test_engine_alert_collation_newest(void **state)
{
	(void)state;
	world_configure(PLAIN);
	alert("a", ALERT_CRITICAL);
	alert("b", ALERT_CRITICAL);
	world_configure(COLLATION);
	alert("b", ALERT_RESOLVED);
	forget();
	alert("b", ALERT_CRITICAL);
	expect("alert joined 1\n");
}

/* The entity id that joined is kept at once, however many heads wait to be saved. */
static void
test_engine_alert_collation_saved(void **state)
{
	enum { OTHERS = 40 };
	struct record record;
	char entity[16];

	(void)state;
	world_configure(PLAIN);
	for (int i = 0; i <= OTHERS; i++) {
		snprintf(entity, sizeof entity, "e%d", i);
		alert(entity, ALERT_CRITICAL);
	}
	world_configure(COLLATION);
	for (int i = 0; i <= OTHERS; i++) {
		snprintf(entity, sizeof entity, "e%d", i);
		record = make_alert(i < OTHERS ? entity : "new", ALERT_CRITICAL);
		apply(&record);
	}
	commit();
	world_restart(COLLATION);
	forget();
	alert("new", ALERT_INFO);
	expect("alert joined 41\n");
}

/* An incident stands for OPEN_KEYS_MAX entity ids at most; the next one gets an incident of
 * its own. */
static void
test_engine_alert_collation_full(void **state)
{
	char entity[16];

	(void)state;
	world_configure(COLLATION);
	for (int i = 0; i < OPEN_KEYS_MAX; i++) {
		struct record record;

		snprintf(entity, sizeof entity, "e%d", i);
		record = make_alert(entity, ALERT_CRITICAL);
		apply(&record);
	}
	commit();
	forget();
	alert("one more", ALERT_CRITICAL);
	expect("head ops 2.1\nevent 2 triggered\nalert created 2\n");
	alert("e199", ALERT_INFO);
	expect("alert joined 1\n");
}

/* The key is (integration, entity id), the integration by its name within its service. */
static void
test_engine_alert_integrations(void **state)
{
	static const char two[] =
	    "{'services': [{'name': 'A', 'integrations': [{'name': 'G', 'key': '1'},"
	    "                                             {'name': 'H', 'key': '2'}]},"
	    "              {'name': 'B', 'integrations': [{'name': 'G', 'key': '3'}]}]}";
	static const char moved[] =
	    "{'services': [{'name': 'B', 'integrations': [{'name': 'G', 'key': '9'}]},"
	    "              {'name': 'A', 'integrations': [{'name': 'H', 'key': '8'},"
	    "                                             {'name': 'G', 'key': '7'}]}]}";

	(void)state;
	world_configure(two);
	for (size_t i = 0; i < 3; i++) {
		struct record record = make_alert("db", ALERT_CRITICAL);

		record.alert.integration = w.conf->integrations[i].id;
		apply_alone(&record);
		assert_int_equal(trace_of(&record).number, i + 1);
	}
	world_configure(moved); /* new keys and places orphan nothing */
	for (size_t i = 0; i < 3; i++) {
		static const uint64_t numbers[] = {3, 2, 1};
		struct record record = make_alert("db", ALERT_INFO);

		record.alert.integration = w.conf->integrations[i].id;
		apply_alone(&record);
		assert_int_equal(trace_of(&record).number, numbers[i]);
	}
}

/* What rules say of a new incident beyond the sender's fields: whose it is, its task template. */
static void
test_engine_alert_assigned(void **state)
{
	struct record record;

	(void)state;
	world_configure("{'users': [{'username': 'bob'}], 'services': [{'name': 'S', 'assigned_to': 'bob',"
			" 'integrations': [{'name': 'I', 'key': 'k'}]}]}");
	record = make_alert("db", ALERT_CRITICAL);
	record.alert.alert.assigned_to = SLICE("ada");
	record.alert.alert.task_template = SLICE("template");
	apply_alone(&record);
	assert_slice(incident(1).assigned_to, "ada");
	assert_slice(incident(1).task_template, "template");
	record.alert.alert.assigned_to = SLICE("eve"); /* one that joins changes nothing */
	record.alert.trace = next_ids(1);
	record.alert.alert_id = next_ids(1);
	apply_alone(&record);
	assert_slice(incident(1).assigned_to, "ada");
	alert("disk", ALERT_CRITICAL);
	assert_slice(incident(2).assigned_to, "bob");
	assert_slice(incident(2).task_template, "");
}

/* Notes of rules go to the incident that the alert touched, in order, and nowhere if there is none;
 * their ids follow from the record's. */
static void
test_engine_alert_notes(void **state)
{
	static const enum alert_type types[] = {ALERT_INFO, ALERT_CRITICAL, ALERT_INFO,
	    ALERT_RESOLVED, ALERT_RESOLVED};
	static const char *const texts[] = {"one", "two"};
	struct uuid id = {{0}}, want;
	struct record records[COUNT_OF(types)];
	struct note_row row;

	(void)state;
	world_configure(PLAIN);
	for (size_t i = 0; i < COUNT_OF(types); i++, w.now += SECOND) {
		records[i] = make_alert("db", types[i]);
		records[i].alert.alert.notes = SLICE("\0\0\0\3one\0\0\0\3two");
		apply_alone(&records[i]);
	}
	assert_int_equal(rows_of("notes"), 6); /* the first and the last were alone */
	for (size_t i = 0; i < 6; i++) {
		const struct record *record = &records[1 + i / 2];

		assert_true(notes_next(look(), 1, &id, &row));
		want = delivery_id(&record->id, (uint32_t)(1 + i % 2));
		assert_memory_equal(&id, &want, sizeof id);
		assert_slice(row.text, texts[i % 2]);
		assert_slice(row.user, "");
		assert_int_equal(row.wall, record->wall);
	}
}

/* When the last incident of a key was created, only where rules ask, and under the entity id that
 * they ask with. */
static void
test_engine_alert_similar(void **state)
{
	struct record record;
	int64_t at;

	(void)state;
	world_configure(PLAIN);
	alert("plain", ALERT_CRITICAL);
	assert_int_equal(rows_of("similar"), 0);
	record = make_alert("made of it", ALERT_INFO);
	record.alert.similar = SLICE("as it came");
	apply_alone(&record); /* creates nothing */
	assert_int_equal(rows_of("similar"), 0);
	record = make_alert("made of it", ALERT_CRITICAL);
	record.alert.similar = SLICE("as it came");
	apply_alone(&record);
	assert_int_equal(rows_of("similar"), 1);
	assert_true(similar_get(look(), record.alert.integration, SLICE("as it came"), &at));
	assert_int_equal(at, w.now);
	w.now += SECOND;
	record.alert.trace = next_ids(1);
	record.alert.alert_id = next_ids(1);
	record.steady = w.now;
	apply_alone(&record); /* joins */
	assert_true(similar_get(look(), record.alert.integration, SLICE("as it came"), &at));
	assert_int_equal(at, w.now - SECOND);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {WORLD_TEST(test_engine_alert_life),
						  WORLD_TEST(test_engine_alert_types),
						  WORLD_TEST(test_engine_alert_threshold),
						  WORLD_TEST(test_engine_alert_facts),
						  WORLD_TEST(test_engine_alert_rows),
						  WORLD_TEST(test_engine_alert_suppressed),
						  WORLD_TEST(test_engine_alert_maintenance),
						  WORLD_TEST(test_engine_alert_failure),
						  WORLD_TEST(test_engine_alert_assigned),
						  WORLD_TEST(test_engine_alert_notes),
						  WORLD_TEST(test_engine_alert_similar),
						  WORLD_TEST(test_engine_alert_collation),
						  WORLD_TEST(test_engine_alert_collation_newest),
						  WORLD_TEST(test_engine_alert_collation_saved),
						  WORLD_TEST(test_engine_alert_collation_full),
						  WORLD_TEST(test_engine_alert_integrations)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
