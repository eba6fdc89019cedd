/* Custom mapping (CONTRACT §7): what is set, what is taken from the body, what is told. */
#include "compile.h"

#include "proto/alert.h"
#include "proto/json_write.h"
#include "proto/mapping.h"

#define ID  "cadfe35f-e3b1-4175-b118-a595bff9a214"
#define ID2 "0e5b3b8c-12d4-4a0e-9f7b-6a5d4c3b2a19"

static struct mapping *
compile(const char *text)
{
	struct compiler c = new_compiler();

	return mapping_compile(&c, tree(text));
}

static struct json *
map_in(const char *mapping, struct scope *scope)
{
	struct mapping *m = compile(mapping);

	if (m == NULL)
		fail_msg("%s: %s", mapping, complaints);
	return mapping_apply(m, scope);
}

static struct json *
map(const char *mapping, const char *body)
{
	struct scope scope = {.here = tree(body), .arena = &arena, .lasting = &arena, .limits = {32, 1000}};

	return map_in(mapping, &scope);
}

/* The mapped body without its payload, with ' for ". */
static void
check_mapped(const char *what, struct json *body, const char *want)
{
	struct buf buf;
	struct json_writer w = {.buf = &buf, .compact = true};

	assert_string_equal(body->type == JSON_OBJECT ? "object" : "other", "object");
	for (struct json **p = &body->first; *p != NULL;)
		if (slice_is((*p)->key, SLICE("payload")))
			*p = (*p)->next;
		else
			p = &(*p)->next;
	buf_init(&buf, 1 << 20);
	json_tree(&w, body);
	for (size_t i = 0; i < buf.n; i++)
		if (buf.p[i] == '"')
			buf.p[i] = '\'';
	check_slice(what, buf_slice(&buf), want);
	buf_free(&buf);
}

static const struct {
	const char *mapping, *body, *mapped;
} maps[] = {
	/* The vendor's example payload, mapped directly. */
	{"[{'set': {'message': '{{ title }}', 'summary': '{{ description }}', 'entity_id': '{{ id }}',"
	 " 'urls': '{{ url }}'}}]",
	    "{'title': 'test', 'alert_type': 'error', 'description': 'description', 'url': 'example.com/1',"
	    " 'id': 11, 'status': 'Open'}",
	    "{'message':'test','alert_type':'error','entity_id':'11','summary':'description',"
	    "'urls':['example.com/1']}"},
	/* Every field that can be set; others of the body only if they are known. */
	{"[{'set': {'message': 'M', 'alert_type': 'Critical', 'entity_id': 5, 'summary': 'S',"
	 " 'suppressed': true, 'urls': ['u', {'link_url': '{{ l }}', 'link_text': 'L'}], 'sla': '" ID "',"
	 " 'escalation_policy': '{{ id }}', 'priority': '" ID2 "', 'tags': ['" ID "', '{{ id }}']}}]",
	    "{'l': 'https://l/', 'id': '" ID "', 'stakeholders': {'users': []}, 'stakeholders_comms': {},"
	    " 'other': 1}",
	    "{'message':'M','alert_type':'Critical','entity_id':'5','summary':'S','suppressed':'true',"
	    "'urls':['u',{'link_url':'https://l/','link_text':'L'}],'sla':'" ID "',"
	    "'escalation_policy':'" ID "','priority':'" ID2 "','tags':['" ID "','" ID "'],"
	    "'stakeholders':{'users':[]},'stakeholders_comms':{}}"},
	/* A later block overrides where it yields a value. */
	{"[{'set': {'message': 'first', 'summary': 'kept'}}, {'set': {'message': 'second',"
	 " 'summary': '{{ missing }}'}}]",
	    "{}", "{'message':'second','summary':'kept'}"},
	/* Conditions choose blocks. */
	{"[{'set': {'message': 'up'}}, {'when': {'field': 'down', 'op': 'exists'},"
	 " 'set': {'message': 'down', 'alert_type': 'critical'}}]",
	    "{'down': 1}", "{'message':'down','alert_type':'critical'}"},
	{"[{'set': {'message': 'up'}}, {'when': {'field': 'down', 'op': 'exists'},"
	 " 'set': {'message': 'down', 'alert_type': 'critical'}}]",
	    "{}", "{'message':'up'}"},
	/* What no block sets, or sets to no value, is the body's own. */
	{"[{'set': {'message': '{{ title }}', 'entity_id': ' {{ none }} '}}]",
	    "{'message': 'own', 'entity_id': 7, 'alert_type': 'info', 'suppressed': false}",
	    "{'message':'own','alert_type':'info','entity_id':7,'suppressed':false}"},
	{"[{'set': {'message': '{{ title }}'}}]", "{'title': '  '}", "{}"},
	{"[{'set': {'message': '{{ title }}'}}]", "{'title': null}", "{}"},
	/* Maps: by text, nothing ignored; default where nothing fits or there is nothing. */
	{"[{'set': {'message': 'm', 'alert_type': {'from': '{{ s }}', 'map': {'firing': 'critical',"
	 " 'ok': 'resolved', '3': 'error'}, 'default': 'info'}}}]",
	    "{'s': 'firing'}", "{'message':'m','alert_type':'critical'}"},
	{"[{'set': {'message': 'm', 'alert_type': {'from': '{{ s }}', 'map': {'firing': 'critical',"
	 " '3': 'error'}, 'default': 'info'}}}]",
	    "{'s': 3}", "{'message':'m','alert_type':'error'}"},
	{"[{'set': {'message': 'm', 'alert_type': {'from': '{{ s }}', 'map': {'firing': 'critical'},"
	 " 'default': 'info'}}}]",
	    "{'s': 'Firing'}", "{'message':'m','alert_type':'info'}"},
	{"[{'set': {'message': 'm', 'alert_type': {'from': '{{ s }}', 'map': {'firing': 'critical'},"
	 " 'default': 'info'}}}]",
	    "{'s': 'firing '}", "{'message':'m','alert_type':'info'}"},
	{"[{'set': {'message': 'm', 'alert_type': {'from': '{{ s }}', 'map': {'firing': 'critical'},"
	 " 'default': 'info'}}}]",
	    "{}", "{'message':'m','alert_type':'info'}"},
	{"[{'set': {'message': 'm', 'alert_type': {'from': '{{ s }}', 'map': {'firing': 'critical'}}}}]",
	    "{'s': 'x'}", "{'message':'m'}"},
	{"[{'set': {'message': {'from': '{{ a }}/{{ b }}', 'map': {'1/2': '{{ a }} of {{ b }}'},"
	 " 'default': 'other {{ a }}'}}}]",
	    "{'a': 1, 'b': 2}", "{'message':'1 of 2'}"},
	{"[{'set': {'message': 'm', 'tags': {'from': '{{ s }}', 'map': {'db': '" ID "'}}}}]",
	    "{'s': 'db'}", "{'message':'m','tags':['" ID "']}"},
	/* Lists: a path to one is that list, what yields nothing is left out. */
	{"[{'set': {'message': 'm', 'urls': '{{ links }}', 'tags': '{{ t }}'}}]",
	    "{'links': ['a', {'link_url': 'b'}], 't': ['" ID "']}",
	    "{'message':'m','urls':['a',{'link_url':'b'}],'tags':['" ID "']}"},
	{"[{'set': {'message': 'm', 'urls': ['{{ x }}', {'link_url': '{{ y }}', 'link_text': '{{ z }}'},"
	 " {'link_url': 'u', 'link_text': '{{ z }}'}]}}]",
	    "{}", "{'message':'m','urls':[{'link_url':'u'}]}"},
	{"[{'set': {'message': 'm', 'urls': ['{{ x }}']}}]", "{'urls': ['own']}",
	    "{'message':'m','urls':['own']}"},
	{"[{'set': {'message': 'm', 'urls': '{{ x }}'}}]", "{}", "{'message':'m'}"},
};

static void
test_mapping_maps(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(maps); i++)
		check_mapped(maps[i].mapping, map(maps[i].mapping, maps[i].body), maps[i].mapped);
}

/* The payload is what the mapping started from, whole. */
static void
test_mapping_payload(void **state)
{
	struct scope scope = {.here = tree("{'payload': {'source': 'web'}, 'title': 't'}"),
	    .arena = &arena, .lasting = &arena, .limits = {32, 1000}};
	struct json *body = map_in("[{'set': {'message': '{{ payload.source }}'}}]", &scope);
	const struct json *payload = json_get(body, "payload");

	(void)state;
	check_slice("message", json_get(body, "message")->text, "web");
	assert_int_equal(payload->count, 2);
	check_slice("inner", json_get(json_get(payload, "payload"), "source")->text, "web");
}

/* An element that is no object maps like one without members. */
static void
test_mapping_root(void **state)
{
	struct json *whole = tree("{'receiver': 'ops', 'alerts': [{'n': 1}, 'text']}");
	struct json *alerts = (struct json *)json_get(whole, "alerts");
	struct scope scope = {.here = alerts->first, .root = whole, .arena = &arena, .lasting = &arena, .limits = {32, 1000}};
	const char *mapping = "[{'set': {'message': '{{ root.receiver }}: {{ n }}'}}]";

	(void)state;
	check_mapped("element", map_in(mapping, &scope), "{'message':'ops: 1'}");
	scope.here = alerts->first->next;
	check_mapped("text", map_in(mapping, &scope), "{'message':'ops: '}");
}

/* The result is what alert_read() takes. */
static void
test_mapping_is_read(void **state)
{
	struct alert alert;
	struct slice why;
	struct json *body = map("[{'set': {'message': '{{ t }}', 'alert_type': 'warning', 'suppressed': '{{ q }}'}}]",
	    "{'t': 'T', 'q': true, 'x': [1]}");

	(void)state;
	assert_true(alert_read(body, -1, SLICE("made"), &arena, &alert, &why));
	assert_true(alert.suppressed);
	check_slice("fields", alert.fields,
	    "{\"message\": \"T\", \"alert_type\": \"warning\", \"entity_id\": \"made\", "
	    "\"suppressed\": true, \"payload\": {\"t\": \"T\", \"q\": true, \"x\": [1]}}");
	body = map("[{'set': {'message': '{{ t }}', 'alert_type': 'warning'}}]", "{}");
	assert_false(alert_read(body, -1, SLICE("made"), &arena, &alert, &why));
	check_slice("why", why, "message is missing");
}

static const struct {
	const char *text, *complaints;
} wrong[] = {
	{"{}", "0: must be a list\n"},
	{"[7]", "1: must be an object\n"},
	{"[{}]", "1 set: is missing\n"},
	{"[{'set': {}}]", "0: never sets message\n"},
	{"[{'set': {'summary': 's'}}, {'set': {'entity_id': 'e'}}]", "0: never sets message\n"},
	{"[{'set': {'message': ''}}]", "21: must not be empty\n"},
	{"[{'set': {'message': ' \\t'}}]", "21: must not be empty\n"},
	{"[{'set': {'message': {'from': '{{ a }}', 'map': {'x': ' '}}}}]", "54: must not be empty\n"},
	{"[{'set': {'message': 'm', 'title': 't', 'payload': 'p', 'stakeholders': 's'}}]",
	    "26 key: is not a field that can be set\n40 key: is not a field that can be set\n"
	    "56 key: is not a field that can be set\n"},
	{"[{'set': {'message': 'm', 'message': 'n'}}]", "26 key: is given twice\n"},
	{"[{'set': [], 'then': 1}]", "13 key: is not known here\n9: must be an object\n"},
	{"[{'when': {'field': 'a', 'op': 'x'}, 'set': {'message': 'm'}}]", "31: is not an operator\n"},
	{"[{'set': {'message': '{{ a'}}]", "21: has {{ without }}\n"},
	{"[{'set': {'message': ['a']}}]", "21: must be a text\n"},
	{"[{'set': {'message': 'm', 'alert_type': 'fatal'}}]",
	    "40: is not one of critical, error, warning, info, acknowledged, resolved\n"},
	{"[{'set': {'message': 'm', 'alert_type': {'from': '{{ s }}', 'map': {'a': 'fatal'},"
	 " 'default': 'worse'}}}]",
	    "73: is not one of critical, error, warning, info, acknowledged, resolved\n"
	    "94: is not one of critical, error, warning, info, acknowledged, resolved\n"},
	{"[{'set': {'message': 'm', 'suppressed': 'yes'}}]", "40: must be true or false\n"},
	{"[{'set': {'message': 'm', 'sla': 'gold'}}]", "33: must be a UUID\n"},
	{"[{'set': {'message': 'm', 'tags': ['{{ t }}', 'gold', {}]}}]",
	    "46: must be a UUID\n54: must be a text\n"},
	{"[{'set': {'message': 'm', 'urls': []}}]", "34: must not be empty\n"},
	{"[{'set': {'message': 'm', 'urls': [{'link_text': 't', 'href': 'u'}]}}]",
	    "35 link_url: is missing\n54 key: is not known here\n"},
	{"[{'set': {'message': {'map': {'a': 'b'}}}}]", "21 from: is missing\n"},
	{"[{'set': {'message': {'from': 'x'}}}]", "21 map: is missing\n"},
	{"[{'set': {'message': {'from': 'x', 'map': {}}}}]", "42: must not be empty\n"},
	{"[{'set': {'message': {'from': 'x', 'map': ['a']}}}]", "42: must be an object\n"},
	{"[{'set': {'message': {'from': 'x', 'map': {'a': 'b', 'a': 'c'}, 'else': 1}}}]",
	    "64 key: is not known here\n53 key: is given twice\n"},
};

static void
test_mapping_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		if (compile(wrong[i].text) != NULL)
			fail_msg("%s is accepted", wrong[i].text);
		check_complaints(wrong[i].text, wrong[i].complaints);
	}
	assert_null(compile("[]"));
	check_complaints("an empty list is no mapping", "");
}

static void
test_mapping_observed(void **state)
{
	const struct observer observer = {.see = tell_observation};
	struct scope scope = {.here = tree("{'a': 'A', 'l': ['x']}"), .arena = &arena, .lasting = &arena, .limits = {32, 1000},
	    .observer = &observer};

	(void)state;
	told[0] = '\0';
	map_in("[{'when': {'field': 'b', 'op': 'exists'}, 'set': {'message': 'never'}},"
	       " {'set': {'message': '{{ a }}', 'urls': '{{ l }}'}}, {'set': {'message': '{{ b }}'}}]",
	    &scope);
	assert_string_equal(told, "test 0 b:  ->  0\nblock 1 :  ->  0\nblock 2 :  ->  1\n"
				  "value 0 message:  -> A 0\nvalue 0 urls:  -> [\"x\"] 0\n"
				  "block 3 :  ->  1\nvalue 0 message: A ->  0\n");
}

/* Without room nothing is made up: the arena tells. */
static void
test_mapping_full(void **state)
{
	struct arena small;
	struct mapping *m = compile("[{'set': {'message': '{{ a }}-', 'urls': ['{{ a }}']}}]");
	struct scope scope = {.here = tree("{'a': 'A'}"), .arena = &small, .lasting = &small, .limits = {32, 1000}};

	(void)state;
	for (size_t ceiling = 0; ceiling < 2000; ceiling += 16) {
		arena_init(&small, ceiling);
		if (mapping_apply(m, &scope) == NULL)
			assert_true(small.failed);
		arena_free(&small);
	}
	arena_init(&small, 2000);
	assert_non_null(mapping_apply(m, &scope));
	assert_false(small.failed);
	arena_free(&small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_mapping_maps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mapping_payload, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mapping_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mapping_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mapping_wrong, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mapping_observed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mapping_full, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
