/* Alert rules (CONTRACT §7): what they ask for, what they do, what is told of wrong ones. */
#include "compile.h"

#include "proto/rules.h"

#define ID  "cadfe35f-e3b1-4175-b118-a595bff9a214"
#define ID2 "0e5b3b8c-12d4-4a0e-9f7b-6a5d4c3b2a19"
#define ANY "'when': {'field': 'message', 'op': 'exists'}"

/* 2026-11-21T22:45:10Z, a Saturday */
#define WALL ((int64_t)1795301110 * 1000000)

static struct subject_facts facts;
static struct slice matched;

static struct rules *
compile(const char *text)
{
	struct compiler c = new_compiler();

	return rules_compile(&c, tree(text));
}

/* An alert with a payload, as a mapping or a sender would have it. */
static struct alert
new_alert(void)
{
	struct json *body = tree("{'message': 'CPU high', 'alert_type': 'critical', 'entity_id': 'high-cpu',"
				 " 'summary': 'on db1', 'payload': {'a': {'b': [1, 'two']}, 'n': 7},"
				 " 'tags': ['" ID "'], 'zone': 'eu'}");
	struct alert alert;
	struct slice why;

	assert_true(alert_read(body, -1, SLICE("made"), &arena, &alert, &why));
	facts = (struct subject_facts){.wall = WALL,
	    .since_similar = 600,
	    .default_urgency = 1,
	    .limits = {32, 1000},
	    .payload = json_get(body, "payload")};
	return alert;
}

static struct alert
apply(const char *text)
{
	struct alert alert = new_alert();
	struct rules *rules = compile(text);

	if (rules == NULL)
		fail_msg("%s: %s", text, complaints);
	rules_apply(rules, &arena, &facts, &alert, &matched, NULL);
	assert_false(arena.failed);
	return alert;
}

static bool
holds(const char *condition)
{
	char text[512];

	snprintf(text, sizeof text, "[{'when': %s, 'then': [{'suppress': true}]}]", condition);
	return apply(text).suppressed;
}

/* ---- conditions -------------------------------------------------------------------------- */

static const struct {
	const char *condition;
	bool holds;
} conditions[] = {
	{"{'field': 'message', 'op': 'equals', 'value': 'CPU high'}", true},
	{"{'field': 'summary', 'op': 'contains', 'value': 'db1'}", true},
	{"{'field': 'entity_id', 'op': 'matches', 'value': '^high-'}", true},
	{"{'field': 'alert_type', 'op': 'in', 'value': ['critical', 'error']}", true},
	{"{'field': 'alert_type', 'op': 'equals', 'value': 'info'}", false},
	{"{'field': 'urgency', 'op': 'equals', 'value': 'high'}", true},
	{"{'field': 'suppressed', 'op': 'equals', 'value': false}", true},
	{"{'field': 'payload.a.b.1', 'op': 'equals', 'value': 'two'}", true},
	{"{'field': 'payload.n', 'op': 'less_or_equal', 'value': 10}", true},
	{"{'field': 'payload.x', 'op': 'exists'}", false},
	{"{'field': 'payload', 'op': 'is_not_empty'}", true},
	{"{'field': 'alert_time', 'op': 'equals', 'value': '22:45'}", true},
	{"{'field': 'alert_time', 'op': 'less_or_equal', 'value': '22:45'}", true},
	{"{'field': 'alert_time', 'op': 'less_or_equal', 'value': '22:44'}", false},
	{"{'field': 'alert_time', 'op': 'greater_or_equal', 'value': '09:00'}", true},
	{"{'field': 'alert_time', 'op': 'between', 'value': ['22:45', '23:00']}", true},
	{"{'field': 'alert_time', 'op': 'between', 'value': ['22:00', '22:45']}", true},
	{"{'field': 'alert_time', 'op': 'between', 'value': ['09:00', '17:00']}", false},
	/* through midnight */
	{"{'field': 'alert_time', 'op': 'between', 'value': ['22:30', '06:00']}", true},
	{"{'field': 'alert_time', 'op': 'between', 'value': ['23:30', '22:45']}", true},
	{"{'field': 'alert_time', 'op': 'between', 'value': ['23:30', '06:00']}", false},
	{"{'field': 'alert_date', 'op': 'equals', 'value': '2026-11-21'}", true},
	{"{'field': 'alert_date', 'op': 'between', 'value': ['2026-11-21', '2026-12-01']}", true},
	{"{'field': 'alert_date', 'op': 'less_or_equal', 'value': '2026-11-20'}", false},
	{"{'field': 'day_of_week', 'op': 'equals', 'value': 'saturday'}", true},
	{"{'field': 'day_of_week', 'op': 'equals', 'value': 'Saturday', 'ignore_case': true}", true},
	{"{'field': 'day_of_week', 'op': 'not_in', 'value': ['saturday', 'sunday']}", false},
	{"{'field': 'seconds_since_similar', 'op': 'less_or_equal', 'value': 600}", true},
	{"{'field': 'seconds_since_similar', 'op': 'less_or_equal', 'value': 90}", false},
	{"{'field': 'seconds_since_similar', 'op': 'exists'}", true},
};

static void
test_rules_conditions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(conditions); i++)
		if (holds(conditions[i].condition) != conditions[i].holds)
			fail_msg("%s", conditions[i].condition);
}

static const char *
day_at(int64_t wall)
{
	static const char *const days[] = {"monday", "tuesday", "wednesday", "thursday", "friday",
	    "saturday", "sunday"};
	char text[256];
	struct alert alert;
	struct rules *rules;

	for (size_t i = 0; i < COUNT_OF(days); i++) {
		alert = new_alert();
		facts.wall = wall;
		snprintf(text, sizeof text, "[{'when': {'field': 'day_of_week', 'op': 'equals', "
		    "'value': '%s'}, 'then': [{'suppress': true}]}]", days[i]);
		rules = compile(text);
		assert_non_null(rules);
		rules_apply(rules, &arena, &facts, &alert, &matched, NULL);
		if (alert.suppressed)
			return days[i];
	}
	return "no day";
}

static void
test_rules_days(void **state)
{
	const int64_t day = INT64_C(86400000000);

	(void)state;
	assert_string_equal(day_at(0), "thursday");
	assert_string_equal(day_at(day - 1), "thursday");
	assert_string_equal(day_at(day), "friday");
	assert_string_equal(day_at(-1), "wednesday");
	assert_string_equal(day_at(-8 * day), "wednesday");
	assert_string_equal(day_at(WALL + day), "sunday");
}

/* An alert without urgency has its integration's; one without a similar incident has no seconds. */
static void
test_rules_absent(void **state)
{
	struct rules *rules = compile("[{'when': {'all': [{'field': 'urgency', 'op': 'equals', 'value': 'low'},"
				      " {'not': {'field': 'seconds_since_similar', 'op': 'exists'}},"
				      " {'field': 'payload.n', 'op': 'is_empty'}]},"
				      " 'then': [{'suppress': true}]}]");
	struct alert alert = new_alert();

	(void)state;
	facts.default_urgency = 0;
	facts.since_similar = -1;
	facts.payload = NULL;
	rules_apply(rules, &arena, &facts, &alert, &matched, NULL);
	assert_true(alert.suppressed);
	alert = new_alert();
	facts.default_urgency = 0;
	facts.since_similar = -1;
	facts.payload = NULL;
	alert.urgency = 1;
	rules_apply(rules, &arena, &facts, &alert, &matched, NULL);
	assert_false(alert.suppressed);
}

static void
test_rules_want_similar(void **state)
{
	(void)state;
	assert_false(rules_want_similar(compile("[{'then': [{'suppress': true}]}]")));
	assert_true(rules_want_similar(compile("[{'when': {'not': {'field': 'seconds_since_similar',"
					       " 'op': 'exists'}}, 'then': [{'suppress': true}]}]")));
	assert_true(rules_want_similar(
	    compile("[{'then': [{'add_note': 'last {{ seconds_since_similar }} s ago'}]}]")));
}

/* ---- actions ----------------------------------------------------------------------------- */

static const struct {
	const char *then, *fields; /* fields with ' for " */
} actions[] = {
	{"{'set_alert_type': 'warning'}", "{'message': 'CPU high', 'alert_type': 'warning', 'entity_id': 'high-cpu',"},
	{"{'set_message': '{{ message }} ({{ payload.a.b.1 }})'}", "{'message': 'CPU high (two)', "},
	{"{'set_message': '{{ payload.x }}'}", "{'message': 'CPU high', "},
	{"{'set_summary': '{{ payload.a }}'}", "'summary': '{\\'b\\':[1,\\'two\\']}', "},
	{"{'set_entity_id': 'cpu-{{ payload.n }}'}", "'entity_id': 'cpu-7', "},
	{"{'set_entity_id': '{{ payload.x }}'}", "'entity_id': 'high-cpu', "},
	{"{'suppress': true}", "'suppressed': true, "},
	{"{'set_priority': '" ID2 "'}", "'priority': '" ID2 "', "},
	{"{'set_sla': '0E5B3B8C12D44A0E9F7B6A5D4C3B2A19'}", "'sla': '" ID2 "', "},
	{"{'set_escalation_policy': '" ID2 "'}", "'escalation_policy': '" ID2 "', "},
	{"{'add_tags': ['" ID2 "', '{{ payload.x }}', 'not {{ message }}']}", "'tags': ['" ID "', '" ID2 "'], "},
	{"{'add_tags': ['" ID "']}", "'tags': ['" ID "'], "},
	{"{'add_tags': ['{{ message }}']}", "'tags': ['" ID "'], "},
};

static void
test_rules_fields(void **state)
{
	char text[512];
	struct alert alert;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(actions); i++) {
		struct slice want = quoted(actions[i].fields);

		snprintf(text, sizeof text, "[{'then': [%s]}]", actions[i].then);
		alert = apply(text);
		if (memmem(alert.fields.p, alert.fields.n, want.p, want.n) == NULL)
			fail_msg("%s: %.*s", text, (int)alert.fields.n, alert.fields.p);
		/* What rules do not touch stays, unknown fields too. */
		assert_non_null(memmem(alert.fields.p, alert.fields.n, "\"zone\": \"eu\"}", 13));
		check_slice("matched", matched, "[\"rule 1\"]");
	}
}

static void
test_rules_values(void **state)
{
	struct alert alert = apply("[{'then': [{'set_alert_type': 'Error'}, {'suppress': true},"
				   " {'set_message': 'M'}, {'set_summary': 'S'}, {'set_entity_id': 'E'},"
				   " {'set_urgency': 'low'}, {'set_priority': '" ID2 "'}, {'set_sla': '" ID2 "'},"
				   " {'set_escalation_policy': '" ID2 "'}, {'assign_to': 'ada'},"
				   " {'add_tags': ['" ID2 "']}, {'add_note': 'was {{ message }}'},"
				   " {'add_note': '{{ payload.x }}'}, {'add_note': 'and more'},"
				   " {'set_task_template': '" ID2 "'}]}]");
	struct slice note;

	(void)state;
	assert_int_equal(alert.type, ALERT_ERROR);
	assert_true(alert.suppressed);
	assert_int_equal(alert.urgency, 0);
	check_slice("message", alert.message, "M");
	check_slice("summary", alert.summary, "S");
	check_slice("entity_id", alert.entity_id, "E");
	check_slice("priority", alert.priority, ID2);
	check_slice("sla", alert.sla, ID2);
	check_slice("escalation_policy", alert.escalation_policy, ID2);
	check_slice("task_template", alert.task_template, ID2);
	check_slice("assigned_to", alert.assigned_to, "ada");
	check_slice("tags", alert.tags, "[\"" ID "\", \"" ID2 "\"]");
	assert_true(alert_note(&alert.notes, &note));
	check_slice("note", note, "was CPU high");
	assert_true(alert_note(&alert.notes, &note));
	check_slice("note", note, "and more");
	assert_false(alert_note(&alert.notes, &note));
	alert = apply("[{'then': [{'suppress': true, 'set_urgency': 'high'}, {'suppress': false}]}]");
	assert_false(alert.suppressed);
	assert_int_equal(alert.urgency, 1);
	check_slice("no notes", alert.notes, "");
}

/* The first 32 digits of `printf high-cpu | sha256sum` and `printf cpu-7 | sha256sum`. */
static void
test_rules_hash(void **state)
{
	struct slice first = apply("[{'then': [{'hash_entity_id': true}]}]").entity_id, then;

	(void)state;
	check_slice("as it came", first, "8d74479aa6dfdd722e3bc0f7634bd5f4");
	then = apply("[{'then': [{'set_entity_id': 'cpu-{{ payload.n }}'}]}, {'then': [{'hash_entity_id': true}]}]")
		   .entity_id;
	check_slice("as it was set", then, "c564b8263db0cbd5b2a8e8bace723dbd");
}

/* An entity id that becomes longer than 255 bytes is hashed, whole: `printf 'x%.0s' $(seq 300) |
 * sha256sum`. */
static void
test_rules_long_entity(void **state)
{
	char text[512] = "[{'then': [{'set_entity_id': '", x[301];

	(void)state;
	memset(x, 'x', sizeof x);
	x[255] = '\0';
	snprintf(text + strlen(text), sizeof text - strlen(text), "%s'}]}]", x);
	check_slice("255", apply(text).entity_id, x);
	x[255] = 'x';
	x[300] = '\0';
	snprintf(text, sizeof text, "[{'then': [{'set_entity_id': '%s'}]}]", x);
	check_slice("300", apply(text).entity_id,
	    "0d4e2ca9e9cbced7a7a5380eb29e1a3783b9b6d0db72de36a1051038e1c1fbc7");
}

/* ---- lists of rules ---------------------------------------------------------------------- */

/* Conditions and templates see the alert as it came; later rules win; stop ends the list. */
static void
test_rules_order(void **state)
{
	struct alert alert = apply(
	    "[{'description': 'first', 'then': [{'set_message': 'one'}, {'set_urgency': 'low'}]},"
	    " {'when': {'field': 'message', 'op': 'equals', 'value': 'one'}, 'then': [{'suppress': true}]},"
	    " {'description': 'sees what came', 'when': {'field': 'message', 'op': 'equals',"
	    " 'value': 'CPU high'}, 'then': [{'set_message': '{{ message }}!'}]},"
	    " {'when': {'field': 'message', 'op': 'exists'}, 'then': [{'set_summary': 'stop'}], 'stop': true},"
	    " {'then': [{'set_message': 'never'}]}]");

	(void)state;
	check_slice("message", alert.message, "CPU high!");
	check_slice("summary", alert.summary, "stop");
	assert_int_equal(alert.urgency, 0);
	assert_false(alert.suppressed);
	check_slice("matched", matched, "[\"first\", \"sees what came\", \"rule 4\"]");
}

/* Nothing holds: nothing is done, not even a copy. */
static void
test_rules_none(void **state)
{
	struct alert before = new_alert(), alert = before;
	struct rules *rules = compile("[{'when': {'field': 'payload.x', 'op': 'exists'},"
				      " 'then': [{'suppress': true}]}, {'when': {'field': 'message',"
				      " 'op': 'is_empty'}, 'stop': true}]");

	(void)state;
	rules_apply(rules, &arena, &facts, &alert, &matched, NULL);
	assert_memory_equal(&alert, &before, sizeof alert);
	check_slice("matched", matched, "");
}

/* A stop alone is a rule too. */
static void
test_rules_stop_alone(void **state)
{
	struct alert alert = apply("[{'description': 'leave it', 'stop': true}, {'then': [{'suppress': true}]}]");

	(void)state;
	assert_false(alert.suppressed);
	check_slice("matched", matched, "[\"leave it\"]");
}

static const struct {
	const char *text, *complaints;
} wrong[] = {
	{"{}", "0: must be a list\n"},
	{"[7]", "1: must be an object\n"},
	{"[{}]", "1 then: is missing\n"},
	{"[{'then': []}]", "10: must not be empty\n"},
	{"[{'then': {}}]", "10: must be a list\n"},
	{"[{'then': [{}]}]", "11: must not be empty\n"},
	{"[{'then': ['suppress']}]", "11: must be an object\n"},
	{"[{'then': [{'page': 'ada'}]}]", "12 key: is not an action\n"},
	{"[{'then': [{'suppress': true, 'suppress': true}]}]", "30 key: is given twice\n"},
	{"[{'then': [{'suppress': 'yes'}]}]", "24: must be true or false\n"},
	{"[{'then': [{'hash_entity_id': false}]}]", "30: must be true\n"},
	{"[{'then': [{'set_alert_type': 'fatal'}]}]",
	    "30: is not one of critical, error, warning, info, acknowledged, resolved\n"},
	{"[{'then': [{'set_alert_type': 3}]}]", "30: must be a text\n"},
	{"[{'then': [{'set_urgency': 'middle'}]}]", "27: must be \"high\" or \"low\"\n"},
	{"[{'then': [{'set_priority': 'P1'}]}]", "28: must be a UUID\n"},
	{"[{'then': [{'set_sla': 7}]}]", "23: must be a text\n"},
	{"[{'then': [{'set_task_template': '{{ message }}'}]}]", "33: must be a UUID\n"},
	{"[{'then': [{'assign_to': 'eve'}]}]", "25: is not the username of one of users\n"},
	{"[{'then': [{'set_message': ''}]}]", "27: must not be empty\n"},
	{"[{'then': [{'set_summary': '{{ oops'}]}]", "27: has {{ without }}\n"},
	{"[{'then': [{'set_message': '{{ title }}'}]}]", "27: has a path that is not in an alert\n"},
	{"[{'then': [{'add_note': '{{ message.text }}'}]}]", "24: has a path that is not in an alert\n"},
	{"[{'then': [{'add_tags': 'x'}]}]", "24: must be a list\n"},
	{"[{'then': [{'add_tags': ['x', ' ']}]}]", "25: must be a UUID\n30: must not be empty\n"},
	{"[{'then': [{'suppress': true}], 'stop': 1}]", "40: must be true or false\n"},
	{"[{'then': [{'suppress': true}], 'description': 1}]", "47: must be a text\n"},
	{"[{'then': [{'suppress': true}], 'if': 1}]", "32 key: is not known here\n"},
	{"[{'when': {'field': 'alert.message', 'op': 'exists'}, 'stop': true}]",
	    "20: has a path that is not in an alert\n"},
	{"[{'when': {'field': '[\\'message\\']', 'op': 'exists'}, 'stop': true}]",
	    "20: has a path that is not in an alert\n"},
#define WRONG_VALUE(field, value, what) \
	{"[{'when': {'field': '" field "', 'op': 'equals', 'value': '" value "'}, 'stop': true}]", what}
	WRONG_VALUE("alert_type", "Critical",
	    "59: is not one of critical, error, warning, info, acknowledged, resolved\n"),
	WRONG_VALUE("urgency", "1", "56: must be high or low\n"),
	WRONG_VALUE("suppressed", "yes", "59: must be true or false\n"),
	WRONG_VALUE("alert_time", "9:00", "59: must be a time such as 22:30\n"),
	WRONG_VALUE("alert_time", "24:00", "59: must be a time such as 22:30\n"),
	WRONG_VALUE("alert_time", "12:60", "59: must be a time such as 22:30\n"),
	WRONG_VALUE("alert_date", "2026-02-30", "59: must be a date such as 2026-11-21\n"),
	WRONG_VALUE("alert_date", "21.11.2026", "59: must be a date such as 2026-11-21\n"),
	WRONG_VALUE("day_of_week", "Monday", "60: must be a day such as monday\n"),
	WRONG_VALUE("seconds_since_similar", "86401", "70: must be seconds, 86400 at most\n"),
	WRONG_VALUE("seconds_since_similar", "1h", "70: must be seconds, 86400 at most\n"),
	{"[{'when': {'field': 'alert_date', 'op': 'between', 'value': ['2026-11-21', '2026-11-20']},"
	 " 'stop': true}]",
	    "60: ends before it begins\n"},
};

static void
test_rules_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		if (compile(wrong[i].text) != NULL)
			fail_msg("%s is accepted", wrong[i].text);
		check_complaints(wrong[i].text, wrong[i].complaints);
	}
	assert_null(compile("[]"));
	check_complaints("an empty list is no rules", "");
	/* Parts of words are looked for in anything. */
	assert_non_null(compile("[{'when': {'field': 'alert_type', 'op': 'contains', 'value': 'r'}, 'stop': true}]"));
	assert_non_null(compile("[{'when': {'field': 'alert_time', 'op': 'matches', 'value': '^2'}, 'stop': true}]"));
}

static void
test_rules_observed(void **state)
{
	const struct observer observer = {.see = tell_observation};
	struct alert alert = new_alert();
	struct rules *rules = compile("[{'description': 'off', 'when': {'field': 'urgency', 'op': 'equals',"
				      " 'value': 'low'}, 'stop': true}, {'then': [{'set_alert_type': 'info'},"
				      " {'suppress': true}, {'set_message': 'm'}, {'set_urgency': 'low'},"
				      " {'add_note': 'n'}, {'set_summary': '{{ payload.x }}'}]}]");

	(void)state;
	told[0] = '\0';
	rules_apply(rules, &arena, &facts, &alert, &matched, &observer);
	assert_string_equal(told,
	    "test 0 urgency:  -> high 0\nrule 1 off:  ->  0\nrule 2 rule 2:  ->  1\n"
	    "value 0 set_alert_type: critical -> info 0\nvalue 0 suppress: false -> true 0\n"
	    "value 0 set_message: CPU high -> m 0\nvalue 0 set_urgency:  -> low 0\n"
	    "value 0 add_note:  -> n 0\nvalue 0 set_summary: on db1 ->  0\n");
}

/* Without room nothing is made up: the arena tells. */
static void
test_rules_full(void **state)
{
	struct rules *rules = compile("[{'then': [{'set_message': '{{ payload }} {{ message }}'},"
				      " {'add_note': 'n'}, {'add_tags': ['" ID2 "']}, {'hash_entity_id': true}]}]");
	struct arena small;
	struct alert alert;
	size_t ceiling;

	(void)state;
	for (ceiling = 0;; ceiling += 64) {
		alert = new_alert();
		arena_init(&small, ceiling);
		rules_apply(rules, &small, &facts, &alert, &matched, NULL);
		if (!small.failed)
			break;
		arena_free(&small);
	}
	assert_int_equal(alert.notes.n, 5);
	arena_free(&small);
	assert_in_range(ceiling, 1000, 100000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rules_conditions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rules_days, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rules_absent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rules_want_similar, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rules_fields, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rules_values, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rules_hash, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rules_long_entity, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rules_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rules_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rules_stop_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rules_wrong, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rules_observed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rules_full, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
