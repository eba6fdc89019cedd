/* PagerTree's format: what is read from a body, what is left as its payload, what is no alert
 * (CONTRACT §6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

#include "proto/buf.h"
#include "proto/pagertree.h"

#define CREATE "\"event_type\": \"create\", \"Title\": \"t\""

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

static struct json *
tree(const char *text)
{
	struct json_error error;
	struct json *body;
	size_t n = strlen(text);

	assert_in_range(n, 1, sizeof source - 1);
	memcpy(source, text, n + 1);
	body = json_read(&arena, source, n, 0, 32, &error);
	if (body == NULL)
		fail_msg("%s: %s", text, error.what);
	return body;
}

static struct alert
read_alert(const char *text, bool capture)
{
	struct alert alert;
	struct slice why;

	if (pagertree_read(tree(text), capture, SLICE("made"), &arena, &alert, &why) !=
	    PAGERTREE_ALERT)
		fail_msg("%s: %.*s", text, (int)why.n, why.p);
	return alert;
}

static void
check_slice(const char *what, struct slice got, const char *want)
{
	if (!slice_is(got, slice_of(want)))
		fail_msg("%s\ngot  %.*s\nwant %s", what, (int)got.n, got.p == NULL ? "" : got.p,
		    want);
}

static void
test_pagertree_documented(void **state)
{
	struct alert alert = read_alert(
	    "{\"event_type\": \"create\", \"Id\": \"example-id-123\",\n"
	    "\"Title\": \"Example Incident Title\",\n"
	    "\"Description\": \"Example Incident Description\", \"Tags\": [\"a\", \"b\", \"c\"],\n"
	    "\"Meta\": {\"incident\": true, \"incident_severity\": \"SEV-1\",\n"
	    "\"incident_message\": \"Please join conference bridge 1-800-123-4567\"}}",
	    false);

	(void)state;
	assert_int_equal(alert.type, ALERT_CRITICAL);
	assert_false(alert.suppressed);
	assert_int_equal(alert.urgency, -1);
	check_slice("message", alert.message, "Example Incident Title");
	check_slice("summary", alert.summary, "Example Incident Description");
	check_slice("entity_id", alert.entity_id, "example-id-123");
	check_slice("tags", alert.tags, "[\"a\", \"b\", \"c\"]");
	check_slice("sla", alert.sla, "");
	check_slice("escalation_policy", alert.escalation_policy, "");
	check_slice("priority", alert.priority, "");
	check_slice("fields", alert.fields,
	    "{\"message\": \"Example Incident Title\", \"alert_type\": \"critical\", "
	    "\"entity_id\": \"example-id-123\", \"summary\": \"Example Incident Description\", "
	    "\"payload\": {\"tags\": [\"a\", \"b\", \"c\"], \"meta\": {\"incident\": true, "
	    "\"incident_severity\": \"SEV-1\", "
	    "\"incident_message\": \"Please join conference bridge 1-800-123-4567\"}}}");
}

static void
test_pagertree_least(void **state)
{
	struct alert alert = read_alert("{" CREATE "}", true);

	(void)state;
	check_slice("entity_id", alert.entity_id, "made");
	check_slice("summary", alert.summary, "");
	check_slice("tags", alert.tags, "");
	check_slice("fields", alert.fields,
	    "{\"message\": \"t\", \"alert_type\": \"critical\", \"entity_id\": \"made\", "
	    "\"summary\": \"\", \"payload\": {}}");
}

/* One thing each: the type, the entity id, the message. */
static void
test_pagertree_events(void **state)
{
	static const struct {
		const char *text;
		enum alert_type type;
		const char *entity, *message;
	} cases[] = {
	    {"{\"event_type\": \" Create\\n\", \"title\": \"t\", \"id\": \"x\"}", ALERT_CRITICAL,
		"x", "t"},
	    {"{\"EVENT_TYPE\": \"ACKNOWLEDGE\", \"ID\": \"x\"}", ALERT_ACKNOWLEDGED, "x", ""},
	    {"{\"Event_Type\": \"resolve\", \"iD\": \"x\"}", ALERT_RESOLVED, "x", ""},
	    {"{\"event_type\": \"resolve\", \"id\": 7, \"title\": null}", ALERT_RESOLVED, "7", ""},
	    {"{\"event_type\": \"resolve\", \"id\": 7, \"title\": \"up\"}", ALERT_RESOLVED, "7",
		"up"},
	    {"{" CREATE ", \"Id\": 7}", ALERT_CRITICAL, "7", "t"},
	    {"{" CREATE ", \"Id\": 1e400}", ALERT_CRITICAL, "1e400", "t"},
	    {"{" CREATE ", \"Id\": null}", ALERT_CRITICAL, "made", "t"},
	    {"{" CREATE ", \"Id\": \"\"}", ALERT_CRITICAL, "made", "t"},
	    {"{" CREATE ", \"Id\": [1]}", ALERT_CRITICAL, "made", "t"},
	    {"{" CREATE ", \"Id\": \" x \"}", ALERT_CRITICAL, " x ", "t"},
	    {"{\"event_type\": \"create\", \"Title\": 500}", ALERT_CRITICAL, "made", "500"},
	    {"{\"event_type\": \"create\", \"Title\": \" t \"}", ALERT_CRITICAL, "made", " t "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct alert alert = read_alert(cases[i].text, false);

		assert_int_equal(alert.type, cases[i].type);
		check_slice(cases[i].text, alert.entity_id, cases[i].entity);
		check_slice(cases[i].text, alert.message, cases[i].message);
	}
}

/* Keys alike but for their case: the last one in the document counts, whatever its case. */
static void
test_pagertree_key_case(void **state)
{
	static const struct {
		const char *text, *entity;
	} cases[] = {
	    {"{" CREATE ", \"Id\": \"first\", \"id\": \"last\"}", "last"},
	    {"{" CREATE ", \"id\": \"first\", \"Id\": \"last\"}", "last"},
	    {"{" CREATE ", \"id\": \"1\", \"ID\": \"2\", \"Id\": \"3\", \"iD\": \"4\"}", "4"},
	    {"{\"Id\": \"1\", \"id\": \"last\", " CREATE ", \"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,"
	     "\"f\":1}", "last"},
	    {"{" CREATE ", \"Id\": \"given\", \"id\": null}", "made"},
	};
	struct alert alert;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check_slice(cases[i].text, read_alert(cases[i].text, false).entity_id,
		    cases[i].entity);
	alert = read_alert("{" CREATE ", \"Zone\": 1, \"x\": 2, \"zONE\": 3, \"\xc3\x84\": 4}", true);
	check_slice("captured", alert.fields,
	    "{\"message\": \"t\", \"alert_type\": \"critical\", \"entity_id\": \"made\", "
	    "\"summary\": \"\", \"payload\": {\"zone\": 3, \"x\": 2, \"\\u00c4\": 4}}");
}

static void
test_pagertree_long_id(void **state)
{
	char text[400];
	char id[257];

	(void)state;
	memset(id, 'e', sizeof id - 1);
	id[256] = '\0';
	snprintf(text, sizeof text, "{" CREATE ", \"Id\": \"%s\"}", id);
	check_slice("long", read_alert(text, false).entity_id, LONG_HASH);
}

/* What stands in the payload for a value of the body, and which tags the incident gets. */
static void
test_pagertree_payload(void **state)
{
	static const struct {
		const char *members, *tags, *payload;
	} cases[] = {
	    {"\"Tags\": []", "", "{\"tags\": []}"},
	    {"\"Tags\": [\"b\", \"a\", \"b\", \"\", \" \\t\", \"B\"]", "[\"b\", \"a\", \"B\"]",
		"{\"tags\": [\"b\", \"a\", \"B\"]}"},
	    {"\"tags\": [1, 1.0, \"1\", true, null, [\"x\"], {\"x\": 1}, 1]",
		"[\"1\", \"1.0\", \"true\"]", "{\"tags\": [\"1\", \"1.0\", \"true\"]}"},
	    {"\"tags\": [\" a \", \"a\", \"caf\xc3\xa9\"]", "[\" a \", \"a\", \"caf\\u00e9\"]",
		"{\"tags\": [\" a \", \"a\", \"caf\\u00e9\"]}"},
	    {"\"tags\": [1,2,3,4,5,6,7,8,9,10,1,11,2,\"10\"]",
		"[\"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\", \"11\"]",
		"{\"tags\": [\"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\", "
		"\"11\"]}"},
	    {"\"tags\": \"one\"", "[\"one\"]", "{\"tags\": [\"one\"]}"},
	    {"\"tags\": 7", "[\"7\"]", "{\"tags\": [\"7\"]}"},
	    {"\"tags\": \" \"", "", "{\"tags\": []}"},
	    {"\"tags\": null", "", "{}"},
	    {"\"tags\": {\"a\": 1}", "", "{}"},
	    {"\"Meta\": {\"Incident\": \"false\", \"x\": [1.50]}", "",
		"{\"meta\": {\"Incident\": \"false\", \"x\": [1.50]}}"},
	    {"\"Meta\": [1]", "", "{}"},
	    {"\"Meta\": \"x\"", "", "{}"},
	    {"\"urgency\": \"odd\"", "", "{\"urgency\": \"odd\"}"},
	    {"\"urgency\": 1", "", "{\"urgency\": 1}"},
	    {"\"urgency\": {}", "", "{}"},
	    {"\"zone\": 1, \"dedup_keys\": [\"x\"]", "", "{}"},
	};
	char text[512], fields[512];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct alert alert;

		snprintf(text, sizeof text, "{" CREATE ", %s}", cases[i].members);
		snprintf(fields, sizeof fields,
		    "{\"message\": \"t\", \"alert_type\": \"critical\", \"entity_id\": \"made\", "
		    "\"summary\": \"\", \"payload\": %s}",
		    cases[i].payload);
		alert = read_alert(text, false);
		check_slice(text, alert.tags, cases[i].tags);
		check_slice(text, alert.fields, fields);
	}
}

/* The body itself is the payload afterwards: what paths of rules walk. */
static void
test_pagertree_payload_tree(void **state)
{
	struct json *body = tree("{" CREATE ", \"Id\": 1, \"Description\": \"d\", \"Tags\": \"a\", "
	    "\"Monitor\": {\"Name\": \"web\"}, \"URGENCY\": \"low\", \"message\": \"kept\"}");
	struct alert alert;
	struct slice why, text;

	(void)state;
	assert_int_equal(pagertree_read(body, true, SLICE("made"), &arena, &alert, &why),
	    PAGERTREE_ALERT);
	assert_int_equal(body->count, 4);
	assert_true(json_scalar(json_get(json_get(body, "monitor"), "Name"), &text));
	check_slice("monitor.Name", text, "web");
	assert_true(json_scalar(json_get(body, "tags")->first, &text));
	check_slice("tags.0", text, "a");
	assert_int_equal(json_get(body, "tags")->count, 1);
	assert_true(json_scalar(json_get(body, "message"), &text));
	check_slice("message", text, "kept");
	assert_null(json_get(body, "id"));
	check_slice("message", alert.message, "t");
}

static void
test_pagertree_urgency(void **state)
{
	static const struct {
		const char *value;
		int urgency;
	} cases[] = {
	    {"\"critical\"", 1}, {"\"high\"", 1}, {"\"medium\"", 0}, {"\"low\"", 0},
	    {"\"CRITICAL\"", 1}, {" \" Very High! \"", 1}, {"\"sub-low\"", 0}, {"\"lowhigh\"", 1},
	    {"\"medium to low\"", 0}, {"\"low or critical\"", 1}, {"\"silent\"", -1}, {"\"\"", -1},
	    {"\"hig\"", -1}, {"\"igh\"", -1}, {"1", -1}, {"null", -1}, {"[\"high\"]", -1},
	    {"{\"high\": 1}", -1},
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		snprintf(text, sizeof text, "{" CREATE ", \"urgency\": %s}", cases[i].value);
		if (read_alert(text, false).urgency != cases[i].urgency)
			fail_msg("%s", text);
	}
}

static void
test_pagertree_description(void **state)
{
	(void)state;
	check_slice("text", read_alert("{" CREATE ", \"description\": \"<b>d</b>\"}", false).summary,
	    "<b>d</b>");
	check_slice("number", read_alert("{" CREATE ", \"Description\": 5}", false).summary, "5");
	check_slice("null", read_alert("{" CREATE ", \"Description\": null}", false).summary, "");
	check_slice("array", read_alert("{" CREATE ", \"Description\": [1]}", false).summary, "");
}

/* What is no alert, and what is said about it. */
static void
test_pagertree_no_alert(void **state)
{
	static const struct {
		const char *text;
		enum pagertree_result result;
		const char *why;
	} cases[] = {
	    {"{}", PAGERTREE_NOTHING, "event_type is missing"},
	    {"{\"Title\": \"t\", \"Id\": 1}", PAGERTREE_NOTHING, "event_type is missing"},
	    {"{\"event_type\": null}", PAGERTREE_NOTHING, "event_type is not a text"},
	    {"{\"event_type\": [\"create\"]}", PAGERTREE_NOTHING, "event_type is not a text"},
	    {"{\"event_type\": \"trigger\", \"incident_key\": \"x\"}", PAGERTREE_NOTHING,
		"event_type \"trigger\" is not one of create, acknowledge, resolve"},
	    {"{\"event_type\": \"resolved\", \"Id\": 1}", PAGERTREE_NOTHING,
		"event_type \"resolved\" is not one of create, acknowledge, resolve"},
	    {"{\"event_type\": 1}", PAGERTREE_NOTHING,
		"event_type \"1\" is not one of create, acknowledge, resolve"},
	    {"{\"event_type\": \"\"}", PAGERTREE_NOTHING,
		"event_type \"\" is not one of create, acknowledge, resolve"},
	    {"{\"event_type\": \"cre ate\\u0000\\n\"}", PAGERTREE_NOTHING,
		"event_type \"cre ate\\u0000\\n\" is not one of create, acknowledge, resolve"},
	    {"{\"event_type\": \"0123456789012345678901234567890123456789x\"}", PAGERTREE_NOTHING,
		"event_type \"0123456789012345678901234567890123456789\"... is not one of create, "
		"acknowledge, resolve"},
	    {"{\"event_type\": \"resolve\"}", PAGERTREE_NOTHING,
		"Id is missing, so there is nothing to acknowledge or resolve"},
	    {"{\"event_type\": \"acknowledge\", \"Id\": null, \"Title\": \"t\"}", PAGERTREE_NOTHING,
		"Id is missing, so there is nothing to acknowledge or resolve"},
	    {"{\"event_type\": \"resolve\", \"Id\": {\"x\": 1}}", PAGERTREE_NOTHING,
		"Id is missing, so there is nothing to acknowledge or resolve"},
	    {"{\"event_type\": \"create\"}", PAGERTREE_WRONG, "Title is missing"},
	    {"{\"event_type\": \"create\", \"title\": null}", PAGERTREE_WRONG, "Title is missing"},
	    {"{\"event_type\": \"create\", \"title\": \"t\", \"Title\": null}", PAGERTREE_WRONG,
		"Title is missing"},
	    {"{\"event_type\": \"create\", \"Title\": \"\"}", PAGERTREE_WRONG, "Title is empty"},
	    {"{\"event_type\": \"create\", \"Title\": \" \\n\"}", PAGERTREE_WRONG, "Title is empty"},
	    {"{\"event_type\": \"create\", \"Title\": {}}", PAGERTREE_WRONG,
		"Title is not a text, a number or a boolean"},
	    {"[]", PAGERTREE_WRONG, "the body is not a JSON object"},
	    {"\"create\"", PAGERTREE_WRONG, "the body is not a JSON object"},
	    {"null", PAGERTREE_WRONG, "the body is not a JSON object"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct alert alert;
		struct slice why = {NULL, 0};
		enum pagertree_result result = pagertree_read(tree(cases[i].text), false,
		    SLICE("made"), &arena, &alert, &why);

		if (result != cases[i].result)
			fail_msg("%s: %d", cases[i].text, result);
		check_slice(cases[i].text, why, cases[i].why);
	}
}

/* Many keys and tags that differ by case or not at all take no more than sorting them does. */
static void
test_pagertree_many(void **state)
{
	enum { MANY = 40000 };
	struct arena large;
	struct json_error error;
	struct json *body;
	struct alert alert;
	struct slice why;
	struct buf b;

	(void)state;
	buf_init(&b, 4 << 20);
	arena_init(&large, 64 << 20);
	buf_puts(&b, "{" CREATE ", \"Tags\": [\"x\"");
	for (int i = 0; i < MANY; i++)
		buf_printf(&b, ",\"%d\"", i % (MANY / 2));
	buf_puts(&b, "]");
	for (int i = 0; i < MANY; i++)
		buf_printf(&b, ",\"%c%d\":1", i % 2 == 0 ? 'K' : 'k', i / 2);
	buf_putc(&b, '}');
	body = json_read(&large, b.p, b.n, 0, 32, &error);
	assert_non_null(body);
	assert_int_equal(pagertree_read(body, true, SLICE("made"), &large, &alert, &why),
	    PAGERTREE_ALERT);
	assert_int_equal(json_get(body, "tags")->count, 1 + MANY / 2);
	assert_int_equal(body->count, 1 + MANY / 2);
	arena_free(&large);
	buf_free(&b);
}

/* With less and less memory it is refused, and never half read. */
static void
test_pagertree_without_room(void **state)
{
	static const char text[] =
	    "{" CREATE ", \"Id\": 1, \"Description\": \"d\", \"Tags\": [\"a\", \"b\"], \"Meta\": {}}";
	bool read = false;

	(void)state;
	for (size_t ceiling = 512; !read && ceiling < 1 << 20; ceiling += 64) {
		struct arena small;
		struct json_error error;
		struct json *body;
		struct alert alert;
		struct slice why = {NULL, 0};

		arena_init(&small, ceiling);
		memcpy(source, text, sizeof text);
		body = json_read(&small, source, sizeof text - 1, 0, 32, &error);
		if (body != NULL) {
			read = pagertree_read(body, true, SLICE("made"), &small, &alert, &why) ==
			       PAGERTREE_ALERT;
			if (!read)
				check_slice("full", why, "the alert is too large");
			else
				check_slice("tags", alert.tags, "[\"a\", \"b\"]");
		}
		arena_free(&small);
	}
	assert_true(read);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pagertree_documented),
	    cmocka_unit_test(test_pagertree_least),
	    cmocka_unit_test(test_pagertree_events),
	    cmocka_unit_test(test_pagertree_key_case),
	    cmocka_unit_test(test_pagertree_long_id),
	    cmocka_unit_test(test_pagertree_payload),
	    cmocka_unit_test(test_pagertree_payload_tree),
	    cmocka_unit_test(test_pagertree_urgency),
	    cmocka_unit_test(test_pagertree_description),
	    cmocka_unit_test(test_pagertree_no_alert),
	    cmocka_unit_test(test_pagertree_many),
	    cmocka_unit_test(test_pagertree_without_room),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
