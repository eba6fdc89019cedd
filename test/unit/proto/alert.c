/* The generic format: what is read from a body, kept for the record, or refused (CONTRACT §3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <sodium.h>

#include "proto/alert.h"

#define ID "cadfe35f-e3b1-4175-b118-a595bff9a214"
#define ID_UNDASHED_UPPER "CADFE35FE3B14175B118A595BFF9A214"
#define LEAST "\"message\": \"m\", \"alert_type\": \"critical\""

/* printf 'e%.0s' $(seq 256) | sha256sum */
#define LONG_HASH "e1635e58048b522e638f365669e21e22a4d053b1dcee4c515fe4c33013080e0d"

static struct arena arena;
static char source[8192];

static int
set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1 << 20);
	return sodium_init() < 0 ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static bool
read_with_default(const char *text, int default_type, struct alert *alert, struct slice *why)
{
	struct json_error error;
	struct json *body;
	size_t n = strlen(text);

	assert_in_range(n, 1, sizeof source - 1);
	memcpy(source, text, n + 1);
	body = json_read(&arena, source, n, 0, 32, &error);
	if (body == NULL)
		fail_msg("%s: %s", text, error.what);
	return alert_read(body, default_type, SLICE("made"), &arena, alert, why);
}

static struct alert
read_good(const char *text)
{
	struct alert alert;
	struct slice why;

	if (!read_with_default(text, -1, &alert, &why))
		fail_msg("%s: %.*s", text, (int)why.n, why.p);
	return alert;
}

static void
check_slice(struct slice got, const char *want)
{
	if (!slice_is(got, slice_of(want)))
		fail_msg("\ngot  %.*s\nwant %s", (int)got.n, got.p == NULL ? "" : got.p, want);
}

static void
test_alert_least(void **state)
{
	struct alert alert = read_good("{" LEAST "}");

	(void)state;
	check_slice(alert.message, "m");
	assert_int_equal(alert.type, ALERT_CRITICAL);
	assert_false(alert.suppressed);
	assert_int_equal(alert.urgency, -1);
	check_slice(alert.summary, "");
	check_slice(alert.entity_id, "made");
	check_slice(alert.sla, "");
	check_slice(alert.escalation_policy, "");
	check_slice(alert.priority, "");
	check_slice(alert.tags, "");
	check_slice(alert.fields, "{\"message\": \"m\", \"alert_type\": \"critical\", "
	    "\"entity_id\": \"made\"}");
}

/* Every field, given in another order than it is kept in, with unknown ones between. */
static void
test_alert_all_fields(void **state)
{
	struct alert alert = read_good(
	    "{\"zone\":{\"b\":[1.50,null],\"a\":1e400},\"stakeholder_comms\":{\"subject\":\"s\"},"
	    "\"stakeholders\":{\"users\":[\"u\"]},\"tags\":[\"" ID_UNDASHED_UPPER "\",\"x\",7,\""
	    ID "\"],"
	    "\"priority\":\"" ID "\",\"escalation_policy\":\"" ID_UNDASHED_UPPER "\",\"sla\":\""
	    ID "\","
	    "\"urls\":[\"https://a/\",{\"link_text\":\"B\",\"link_url\":\"https://b/\",\"x\":1},"
	    "{\"link_url\":\"https://c/\"},{\"link_text\":\"no url\"},7,null,[]],"
	    "\"payload\":{\"k\":\"caf\xc3\xa9\"},\"suppressed\":\"TRUE\",\"summary\":true,"
	    "\"entity_id\":12345,\"\":\"empty name\",\"alert_type\":\" ReSolvEd "
	    "\",\"message\":-0.0}");

	(void)state;
	check_slice(alert.message, "-0.0");
	assert_int_equal(alert.type, ALERT_RESOLVED);
	assert_true(alert.suppressed);
	check_slice(alert.summary, "true");
	check_slice(alert.entity_id, "12345");
	check_slice(alert.sla, ID);
	check_slice(alert.escalation_policy, ID);
	check_slice(alert.priority, ID);
	check_slice(alert.tags, "[\"" ID "\", \"" ID "\"]");
	check_slice(alert.fields,
	    "{\"message\": \"-0.0\", \"alert_type\": \"resolved\", \"entity_id\": \"12345\", "
	    "\"summary\": \"true\", \"suppressed\": true, \"payload\": {\"k\": \"caf\\u00e9\"}, "
	    "\"urls\": [{\"link_url\": \"https://a/\", \"link_text\": \"\"}, "
	    "{\"link_url\": \"https://b/\", \"link_text\": \"B\"}, "
	    "{\"link_url\": \"https://c/\", \"link_text\": \"\"}], "
	    "\"sla\": \"" ID "\", \"escalation_policy\": \"" ID "\", \"priority\": \"" ID "\", "
	    "\"tags\": [\"" ID "\", \"" ID "\"], \"stakeholders\": {\"users\": [\"u\"]}, "
	    "\"stakeholders_comms\": {\"subject\": \"s\"}, "
	    "\"zone\": {\"b\": [1.50, null], \"a\": 1e400}, \"\": \"empty name\"}");
}

/* What is not of its kind is left out, and never a reason to refuse. */
static void
test_alert_wrong_optional(void **state)
{
	static const char *const rows[] = {
		"\"entity_id\": []", "\"entity_id\": {}", "\"entity_id\": null",
		"\"entity_id\": \"\"",
		"\"summary\": null", "\"summary\": []", "\"suppressed\": 1",
		"\"suppressed\": \"yes\"",
		"\"suppressed\": null", "\"suppressed\": [true]", "\"payload\": \"p\"",
		"\"payload\": []",
		"\"urls\": \"https://a/\"", "\"urls\": {}", "\"sla\": \"x\"", "\"sla\": 7",
		"\"sla\": null",
		"\"sla\": 12345678901234567890123456789012", "\"sla\": \"" ID "0\"",
		"\"sla\": \"{" ID "}\"", "\"escalation_policy\": {}",
		"\"priority\": \"P1\"", "\"tags\": \"" ID "\"", "\"stakeholders\": []",
		"\"stakeholders_comms\": \"s\"", "\"stakeholder_comms\": null",
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct alert alert;

		snprintf(text, sizeof text, "{" LEAST ", %s}", rows[i]);
		alert = read_good(text);
		assert_false(alert.suppressed);
		check_slice(alert.fields,
		    "{\"message\": \"m\", \"alert_type\": \"critical\", \"entity_id\": \"made\"}");
	}
}

static void
test_alert_comms_names(void **state)
{
	static const struct {
		const char *in, *kept;
	} rows[] = {
		{"\"stakeholders_comms\": {\"a\": 1}", "{\"a\": 1}"},
		{"\"stakeholder_comms\": {\"b\": 2}", "{\"b\": 2}"},
		{"\"stakeholder_comms\": {\"b\": 2}, \"stakeholders_comms\": {\"a\": 1}",
		    "{\"a\": 1}"},
		{"\"stakeholders_comms\": null, \"stakeholder_comms\": {\"b\": 2}", "{\"b\": 2}"},
	};
	char text[200], want[200];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		snprintf(text, sizeof text, "{" LEAST ", %s}", rows[i].in);
		snprintf(want, sizeof want, "{\"message\": \"m\", \"alert_type\": \"critical\", "
		    "\"entity_id\": \"made\", \"stakeholders_comms\": %s}", rows[i].kept);
		check_slice(read_good(text).fields, want);
	}
}

static void
test_alert_scalars_as_text(void **state)
{
	static const struct {
		const char *json, *text;
	} rows[] = {
		{"\"a\"", "a"}, {"12345", "12345"}, {"-1.50", "-1.50"}, {"1e400", "1e400"},
		{"18446744073709551616", "18446744073709551616"}, {"true", "true"},
		{"false", "false"},
		{"\"  padded \"", "  padded "}, {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
		{"\"cut \\ud83d\"", "cut \xef\xbf\xbd"},
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct alert alert;

		snprintf(text, sizeof text, "{\"message\": %s, \"entity_id\": %s, \"summary\": %s, "
		    "\"alert_type\": \"info\"}", rows[i].json, rows[i].json, rows[i].json);
		alert = read_good(text);
		check_slice(alert.message, rows[i].text);
		check_slice(alert.entity_id, rows[i].text);
		check_slice(alert.summary, rows[i].text);
	}
}

static void
test_alert_nul_is_a_character(void **state)
{
	struct alert alert = read_good("{\"message\": \"a\\u0000b\", \"alert_type\": \"info\"}");

	(void)state;
	assert_int_equal(alert.message.n, 3);
	assert_memory_equal(alert.message.p, "a\0b", 3);
	check_slice(alert.fields,
	    "{\"message\": \"a\\u0000b\", \"alert_type\": \"info\", \"entity_id\": \"made\"}");
}

static void
test_alert_last_duplicate_counts(void **state)
{
	struct alert alert = read_good("{\"message\": \"first\", \"alert_type\": \"bogus\", "
	    "\"x\": 1, "
	    "\"message\": \"last\", \"alert_type\": \"error\", \"x\": 2}");

	(void)state;
	check_slice(alert.fields,
	    "{\"message\": \"last\", \"alert_type\": \"error\", \"entity_id\": \"made\", \"x\": 2}");
}

static void
test_alert_refused(void **state)
{
	static const struct {
		const char *body, *why;
	} rows[] = {
		{"[]", "the body is not a JSON object"},
		{"\"message\"", "the body is not a JSON object"},
		{"null", "the body is not a JSON object"},
		{"{}", "message is missing"},
		{"{\"alert_type\": \"info\"}", "message is missing"},
		{"{\"Message\": \"m\", \"alert_type\": \"info\"}", "message is missing"},
		{"{\"message\": null, \"alert_type\": \"info\"}", "message is missing"},
		{"{\"message\": \"\", \"alert_type\": \"info\"}", "message is empty"},
		{"{\"message\": \" \\t\\r\\n\", \"alert_type\": \"info\"}", "message is empty"},
		{"{\"message\": {}, \"alert_type\": \"info\"}",
		    "message is not a text, a number or a boolean"},
		{"{\"message\": [\"m\"], \"alert_type\": \"info\"}",
		    "message is not a text, a number or a boolean"},
		{"{\"message\": \"m\"}", "alert_type is missing"},
		{"{\"message\": \"m\", \"alert_type\": null}", "alert_type is missing"},
		{"{\"message\": \"m\", \"alert_type\": []}", "alert_type is not a text"},
#define NOT_ONE_OF " is not one of critical, error, warning, info, acknowledged, resolved"
		{"{\"message\": \"m\", \"alert_type\": \"fatal\"}", "alert_type \"fatal\""
		    NOT_ONE_OF},
		{"{\"message\": \"m\", \"alert_type\": \"\"}", "alert_type is empty"},
		{"{\"message\": \"m\", \"alert_type\": \" \\t\"}", "alert_type is empty"},
		{"{\"message\": \"m\", \"alert_type\": 3}", "alert_type \"3\"" NOT_ONE_OF},
		{"{\"message\": \"m\", \"alert_type\": \"crit\\u001b\\\"\xc3\xa9\"}",
		    "alert_type \"crit\\u001b\\\"\\u00e9\"" NOT_ONE_OF},
		/* Cut between characters: 39 and 2 bytes are more than 40. */
		{"{\"message\": \"m\", \"alert_type\": "
		    "\"123456789012345678901234567890123456789\xc3\xa9\"}",
		    "alert_type \"123456789012345678901234567890123456789\"..." NOT_ONE_OF},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct alert alert;
		struct slice why = {NULL, 0};

		assert_false(read_with_default(rows[i].body, -1, &alert, &why));
		check_slice(why, rows[i].why);
	}
}

static void
test_alert_default_type(void **state)
{
	struct alert alert;
	struct slice why;

	(void)state;
	assert_true(read_with_default("{\"message\": \"m\"}", ALERT_ERROR, &alert, &why));
	assert_int_equal(alert.type, ALERT_ERROR);
	assert_true(read_with_default("{\"message\": \"m\", \"alert_type\": null}", 0, &alert,
	    &why));
	assert_int_equal(alert.type, ALERT_INFO);
	assert_true(read_with_default("{" LEAST "}", ALERT_INFO, &alert, &why));
	assert_int_equal(alert.type, ALERT_CRITICAL);
	/* It stands in for a type that is not there, not for one that is wrong. */
	assert_false(read_with_default("{\"message\": \"m\", \"alert_type\": \"ok\"}", ALERT_ERROR,
	    &alert, &why));
}

static void
test_alert_entity_length(void **state)
{
	char id[ALERT_ENTITY_MAX + 1];

	(void)state;
	memset(id, 'e', sizeof id);
	assert_ptr_equal(alert_entity(&arena, (struct slice){id, ALERT_ENTITY_MAX}).p, id);
	check_slice(alert_entity(&arena, (struct slice){id, sizeof id}), LONG_HASH);
	check_slice(alert_entity(&arena, (struct slice){NULL, 0}), "");
}

static void
test_alert_long_entity_in_record(void **state)
{
	char text[600], id[ALERT_ENTITY_MAX + 2];
	struct alert alert;

	(void)state;
	memset(id, 'e', ALERT_ENTITY_MAX + 1);
	id[ALERT_ENTITY_MAX + 1] = '\0';
	snprintf(text, sizeof text, "{" LEAST ", \"entity_id\": \"%s\"}", id);
	alert = read_good(text);
	check_slice(alert.entity_id, LONG_HASH);
	check_slice(alert.fields, "{\"message\": \"m\", \"alert_type\": \"critical\", "
	    "\"entity_id\": \"" LONG_HASH "\"}");
}

static void
test_alert_type_names(void **state)
{
	static const char *const names[] = {
		"info", "warning", "error", "critical", "acknowledged", "resolved",
	};

	(void)state;
	for (int i = 0; i < (int)COUNT_OF(names); i++) {
		assert_string_equal(alert_type_name(i), names[i]);
		assert_int_equal(alert_type_parse(slice_of(names[i])), i);
	}
	assert_null(alert_type_name(-1));
	assert_null(alert_type_name(6));
	assert_int_equal(alert_type_parse(SLICE("\r\n CRITICAL\t")), ALERT_CRITICAL);
	assert_int_equal(alert_type_parse(SLICE("critical\0")), -1);
	assert_int_equal(alert_type_parse(SLICE("crit")), -1);
	assert_int_equal(alert_type_parse((struct slice){NULL, 0}), -1);
}

/* No room for the record: refused with a sentence, whatever the ceiling. */
static void
test_alert_without_memory(void **state)
{
	char text[] = "{" LEAST ", \"entity_id\": 7, \"sla\": \""
	    ID "\", \"payload\": {\"a\": \"b\"}}";
	struct json_error error;
	bool accepted = false, refused = false;

	(void)state;
	for (size_t ceiling = 0; ceiling < 65536 && !accepted; ceiling += 16) {
		struct arena small;
		struct alert alert;
		struct slice why = {NULL, 0};
		struct json *body;

		arena_init(&small, ceiling);
		memcpy(source, text, sizeof text);
		body = json_read(&small, source, sizeof text - 1, 0, 32, &error);
		if (body != NULL) {
			accepted = alert_read(body, -1, SLICE("made"), &small, &alert, &why);
			refused = refused || !accepted;
			assert_true(accepted || slice_is(why, SLICE("the alert is too large")));
		}
		arena_free(&small);
	}
	assert_true(accepted);
	assert_true(refused);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alert_least),
		cmocka_unit_test(test_alert_all_fields),
		cmocka_unit_test(test_alert_wrong_optional),
		cmocka_unit_test(test_alert_comms_names),
		cmocka_unit_test(test_alert_scalars_as_text),
		cmocka_unit_test(test_alert_nul_is_a_character),
		cmocka_unit_test(test_alert_last_duplicate_counts),
		cmocka_unit_test(test_alert_refused),
		cmocka_unit_test(test_alert_default_type),
		cmocka_unit_test(test_alert_entity_length),
		cmocka_unit_test(test_alert_long_entity_in_record),
		cmocka_unit_test(test_alert_type_names),
		cmocka_unit_test(test_alert_without_memory),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
