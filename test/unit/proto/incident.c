/*
 * Incidents as text. What is expected stands here whole, as Python's json.dumps prints it, because
 * receivers compare bytes (CONTRACT §8).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/incident.h"

enum { CEILING = 64 * 1024 };

static const struct service_facts payments = {
	.name = {"Payments", 8},
	.summary = {"Test summary", 12},
	.description = {"caf\xc3\xa9 \xe2\x98\x83 \xf0\x9f\x98\x80 \"q\" / \x7f", 22},
	.unique_id = {{0x9e, 0xa1, 0xcd, 0x16, 0x22, 0xfe, 0x45, 0xc9, 0xa2, 0x2d, 0xb7, 0x4f, 0x95,
	    0x30, 0x5b, 0x6d}},
	.created = INT64_C(1552552611064063),
	.auto_resolve_timeout = 3600,
	.acknowledgement_timeout = 600,
	.collation_time = 5,
	.collation = 1,
	.status = 4,
	.under_maintenance = true,
	.created_by = {"a80cde9a-3e6a-48de-8a98-1", 25},
	.team_priority = {"0d1aab0c-9b9e-4e8e-9d0f-4a3c7f3b8b11", 36},
	.task_template = {"P1 template", 11},
	.escalation_policy = {"5FAC37B5-6283-4CDA-ADDA-2429B1A04F22", 36},
	.team = {"910825254a64446fae1fb94744ab343b", 32},
	.sla = {"47d8a04c-7b0d-4a4e-9b43-8b7b4be1f9a0", 36},
};

static const struct user_facts user = {
	.username = {"a80cde9a-3e6a-48de-8a98-1", 25},
	.first_name = {"TestFirstName", 13},
	.last_name = {"", 0},
	.email = {"test@test.com", 13},
};

static const struct incident full = {
	.number = 18446744073709551615u,
	.unique_id = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff}},
	.status = INCIDENT_RESOLVED,
	.urgency = 1,
	.created = INT64_C(1559947648431949),
	.acknowledged = INT64_C(1559947708000001),
	.resolved = INT64_C(1559948000000000),
	.title = {"Disk full", 9},
	.summary = {"93 %\n/var", 9},
	.incident_key = {"12345", 5},
	.priority = {"c1f7c5a5-6a1d-4a55-8a3e-1f2b3c4d5e6f", 36},
	.sla = {"47d8a04c-7b0d-4a4e-9b43-8b7b4be1f9a0", 36},
	.escalation_policy = {"5fac37b5-6283-4cda-adda-2429b1a04f22", 36},
	.tags = {"[\"d9d8a0a1-0000-4000-8000-000000000001\"]", 40},
	.assigned_to = {"a80cde9a-3e6a-48de-8a98-1", 25},
};

static const struct incident bare = {
	.number = 1,
	.status = INCIDENT_TRIGGERED,
};

static const struct service_facts bare_service = {
	.status = 1,
};

static void
check_webhook(const char *event_type, const struct incident *incident,
    const struct service_facts *service, const struct user_facts *assigned, const char *want)
{
	struct buf buf;

	buf_init(&buf, CEILING);
	incident_write_webhook(&buf, event_type, incident, service, assigned);
	assert_false(buf.failed);
	buf_putc(&buf, '\0');
	assert_string_equal(buf.p, want);
	buf_free(&buf);
}

static void
check_api(const struct incident *incident, const struct service_facts *service, const char *want)
{
	struct buf buf;
	struct json_writer w = {.buf = &buf};

	buf_init(&buf, CEILING);
	incident_write_api(&w, incident, service);
	assert_false(buf.failed);
	buf_putc(&buf, '\0');
	assert_string_equal(buf.p, want);
	buf_free(&buf);
}

/* Foreign keys without dashes, what is no UUID as it is, the incident's priority with dashes. */
static void
test_incident_webhook_full(void **state)
{
	(void)state;
	check_webhook("resolved", &full, &payments, &user,
	    "{\"payload\": {\"event_type\": \"resolved\", \"incident\": {"
	    "\"summary\": \"93 %\\n/var\", \"incident_number\": 18446744073709551615, "
	    "\"creation_date\": \"2019-06-07T22:47:28.431949Z\", \"status\": 3, "
	    "\"unique_id\": \"oZEq7ovRbLq6UnGMPwc8B5\", \"title\": \"Disk full\", "
	    "\"incident_key\": \"12345\", "
	    "\"service\": {\"name\": \"Payments\", \"creation_date\": "
	    "\"2019-03-14T08:36:51.064063Z\", "
	    "\"summary\": \"Test summary\", "
	    "\"description\": \"caf\\u00e9 \\u2603 \\ud83d\\ude00 \\\"q\\\" / \\u007f\", "
	    "\"unique_id\": \"9ea1cd16-22fe-45c9-a22d-b74f95305b6d\", \"auto_resolve_timeout\": "
	    "3600, "
	    "\"created_by\": \"a80cde9a-3e6a-48de-8a98-1\", "
	    "\"team_priority\": \"0d1aab0c9b9e4e8e9d0f4a3c7f3b8b11\", "
	    "\"task_template\": \"P1 template\", \"acknowledgement_timeout\": 600, \"status\": 4, "
	    "\"escalation_policy\": \"5fac37b562834cdaadda2429b1a04f22\", "
	    "\"team\": \"910825254a64446fae1fb94744ab343b\", "
	    "\"sla\": \"47d8a04c7b0d4a4e9b438b7b4be1f9a0\", \"collation_time\": 5, \"collation\": "
	    "1}, "
	    "\"priority\": \"c1f7c5a5-6a1d-4a55-8a3e-1f2b3c4d5e6f\", \"urgency\": 1, "
	    "\"merged_with\": null, \"assigned_to\": {\"username\": \"a80cde9a-3e6a-48de-8a98-1\", "
	    "\"first_name\": \"TestFirstName\", \"last_name\": \"\", \"email\": "
	    "\"test@test.com\"}, "
	    "\"resolved_date\": \"2019-06-07T22:53:20.000000Z\", "
	    "\"acknowledged_date\": \"2019-06-07T22:48:28.000001Z\", "
	    "\"context_window_start\": \"2019-06-07T22:17:28.431000Z\", "
	    "\"context_window_end\": \"2019-06-07T22:47:28.431000Z\"}}}");
}

/* What nobody set is null, numbers are 0, texts "". */
static void
test_incident_webhook_bare(void **state)
{
	(void)state;
	check_webhook("triggered", &bare, &bare_service, NULL,
	    "{\"payload\": {\"event_type\": \"triggered\", \"incident\": {"
	    "\"summary\": \"\", \"incident_number\": 1, \"creation_date\": null, \"status\": 1, "
	    "\"unique_id\": \"2222222222222222222222\", \"title\": \"\", \"incident_key\": null, "
	    "\"service\": {\"name\": \"\", \"creation_date\": null, \"summary\": \"\", "
	    "\"description\": \"\", \"unique_id\": \"00000000-0000-0000-0000-000000000000\", "
	    "\"auto_resolve_timeout\": 0, \"created_by\": null, \"team_priority\": null, "
	    "\"task_template\": null, \"acknowledgement_timeout\": 0, \"status\": 1, "
	    "\"escalation_policy\": null, \"team\": null, \"sla\": null, \"collation_time\": 0, "
	    "\"collation\": 0}, \"priority\": null, \"urgency\": 0, \"merged_with\": null, "
	    "\"assigned_to\": null, \"resolved_date\": null, \"acknowledged_date\": null, "
	    "\"context_window_start\": null, \"context_window_end\": null}}}");
}

static void
test_incident_api_full(void **state)
{
	(void)state;
	check_api(&full, &payments,
	    "{\"summary\": \"93 %\\n/var\", \"incident_number\": 18446744073709551615, "
	    "\"creation_date\": \"2019-06-07T22:47:28.431949Z\", \"status\": 3, "
	    "\"unique_id\": \"oZEq7ovRbLq6UnGMPwc8B5\", "
	    "\"service_object\": {\"name\": \"Payments\", "
	    "\"creation_date\": \"2019-03-14T08:36:51.064063Z\", \"summary\": \"Test summary\", "
	    "\"description\": \"caf\\u00e9 \\u2603 \\ud83d\\ude00 \\\"q\\\" / \\u007f\", "
	    "\"unique_id\": \"9ea1cd16-22fe-45c9-a22d-b74f95305b6d\", \"auto_resolve_timeout\": "
	    "3600, "
	    "\"created_by\": \"a80cde9a-3e6a-48de-8a98-1\", "
	    "\"team_priority\": \"0d1aab0c-9b9e-4e8e-9d0f-4a3c7f3b8b11\", "
	    "\"task_template\": \"P1 template\", \"acknowledgement_timeout\": 600, \"status\": 4, "
	    "\"escalation_policy\": \"5FAC37B5-6283-4CDA-ADDA-2429B1A04F22\", "
	    "\"team\": \"910825254a64446fae1fb94744ab343b\", "
	    "\"sla\": \"47d8a04c-7b0d-4a4e-9b43-8b7b4be1f9a0\", \"collation_time\": 5, "
	    "\"collation\": 1, \"under_maintenance\": true}, "
	    "\"title\": \"Disk full\", \"incident_key\": \"12345\", "
	    "\"service\": \"9ea1cd16-22fe-45c9-a22d-b74f95305b6d\", \"urgency\": 1, "
	    "\"merged_with\": null, \"assigned_to\": \"a80cde9a-3e6a-48de-8a98-1\", "
	    "\"escalation_policy\": \"5fac37b5-6283-4cda-adda-2429b1a04f22\", "
	    "\"escalation_policy_object\": null, \"assigned_to_name\": \"\", "
	    "\"resolved_date\": \"2019-06-07T22:53:20.000000Z\", "
	    "\"acknowledged_date\": \"2019-06-07T22:48:28.000001Z\", "
	    "\"context_window_start\": \"2019-06-07T22:17:28.431000Z\", "
	    "\"context_window_end\": \"2019-06-07T22:47:28.431000Z\", "
	    "\"tags\": [\"d9d8a0a1-0000-4000-8000-000000000001\"], "
	    "\"sla\": \"47d8a04c-7b0d-4a4e-9b43-8b7b4be1f9a0\", \"sla_object\": null, "
	    "\"team_priority\": \"c1f7c5a5-6a1d-4a55-8a3e-1f2b3c4d5e6f\", "
	    "\"team_priority_object\": null}");
}

/* Of a service that is no longer configured nothing is known. */
static void
test_incident_api_bare(void **state)
{
	(void)state;
	check_api(&bare, NULL,
	    "{\"summary\": \"\", \"incident_number\": 1, \"creation_date\": null, \"status\": 1, "
	    "\"unique_id\": \"2222222222222222222222\", \"service_object\": null, \"title\": \"\", "
	    "\"incident_key\": null, \"service\": null, \"urgency\": 0, \"merged_with\": null, "
	    "\"assigned_to\": null, \"escalation_policy\": null, \"escalation_policy_object\": "
	    "null, "
	    "\"assigned_to_name\": \"\", \"resolved_date\": null, \"acknowledged_date\": null, "
	    "\"context_window_start\": null, \"context_window_end\": null, \"tags\": [], "
	    "\"sla\": null, \"sla_object\": null, \"team_priority\": null, "
	    "\"team_priority_object\": null}");
}

/* Two in one answer: the writer's commas are right around them. */
static void
test_incident_api_in_list(void **state)
{
	struct buf buf;
	struct json_writer w = {.buf = &buf};

	(void)state;
	buf_init(&buf, CEILING);
	json_open(&w, '[');
	incident_write_api(&w, &bare, NULL);
	incident_write_api(&w, &bare, NULL);
	json_close(&w, ']');
	buf_putc(&buf, '\0');
	assert_false(buf.failed);
	assert_memory_equal(buf.p, "[{\"summary\": \"\", ", 17);
	assert_non_null(strstr(buf.p, "\"team_priority_object\": null}, {\"summary\": \"\", "));
	assert_string_equal(buf.p + buf.n - 8, " null}]");
	buf_free(&buf);
}

static void
test_incident_over_ceiling(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	incident_write_webhook(&buf, "triggered", &bare, &bare_service, NULL);
	assert_true(buf.failed);
	buf_free(&buf);
}

static void
test_incident_cut(void **state)
{
	static const struct {
		const char *in;
		size_t max;
		const char *want;
	} rows[] = {
		{"", 10, ""},
		{"0123456789", 10, "0123456789"},
		{"0123456789a", 10, "0123456..."},
		{"012345\xc3\xa9xyz", 11, "012345\xc3\xa9xyz"},
		{"012345\xc3\xa9xyz", 10, "012345..."},
		{"01234\xc3\xa9wxyz", 10, "01234\xc3\xa9..."},
		{"\xf0\x9f\x98\x80zzzzzz", 6, "..."},
		{"abcd", 3, "..."},
		{"abcd", 2, "ab"},
		{"a\xc3\xa9z", 2, "a"},
		{"abcd", 0, ""},
	};
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct slice got = incident_cut(&arena, slice_of(rows[i].in), rows[i].max);

		if (!slice_is(got, slice_of(rows[i].want)))
			fail_msg("row %zu: %.*s", i, (int)got.n, got.p);
	}
	arena_free(&arena);
	arena_init(&arena, 0);
	assert_int_equal(incident_cut(&arena, SLICE("0123456789"), 9).n, 0);
	assert_true(arena.failed);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_incident_webhook_full),
		cmocka_unit_test(test_incident_webhook_bare),
		cmocka_unit_test(test_incident_api_full),
		cmocka_unit_test(test_incident_api_bare),
		cmocka_unit_test(test_incident_api_in_list),
		cmocka_unit_test(test_incident_over_ceiling),
		cmocka_unit_test(test_incident_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
