/* Templates (CONTRACT §7): what they are made of, and what they make. */
#include "compile.h"

#include "proto/template.h"

static const char body[] = "{'title': 'Disk full', 'host': {'name': 'db1', 'cpu': 0.90}, 'id': 11,"
			   " 'on': true, 'off': null, 'blank': ' \\t', 'list': ['a', {'b': 1}],"
			   " 'uni': 'caf\xc3\xa9 \\ud83d\\ude00'}";

static const struct {
	const char *template, *text; /* text NULL: no value */
} made[] = {
	{"{{title}}", "Disk full"},
	{"{{ title }}", "Disk full"},
	{"{{\\t title\\n}}", "Disk full"},
	{"{{ title }} on {{ host.name }}!", "Disk full on db1!"},
	{"{{ title }}{{ id }}", "Disk full11"},
	{"plain", "plain"},
	{" plain }} { text", " plain }} { text"},
	{"{{ host.cpu }}", "0.90"},
	{"{{ on }}", "true"},
	{"{{ host }}", "{\"name\":\"db1\",\"cpu\":0.90}"},
	{"{{ list }}", "[\"a\",{\"b\":1}]"},
	{"{{ list.1.b }}", "1"},
	{"{{ uni }}", "caf\xc3\xa9 \xf0\x9f\x98\x80"},
	{"<{{ missing }}>", NULL},   /* all paths missing, whatever stands around them */
	{"<{{ off }}>", NULL},       /* null is as good as missing */
	{"{{ missing }}", NULL},
	{"{{ blank }}", NULL},
	{"{{ blank }} {{ title }}", " \t Disk full"},
	{"<{{ missing }}|{{ id }}>", "<|11>"},
	{"<{{ blank }}>", "< \t>"},
};

static bool
compile(const char *text, struct template *t)
{
	struct compiler c = new_compiler();
	char line[512];

	snprintf(line, sizeof line, "'%s'", text);
	return template_compile(&c, tree(line), t);
}

static void
test_template_render(void **state)
{
	struct scope scope = {.here = tree(body), .arena = &arena, .lasting = &arena, .limits = {32, 1000}};
	struct template t;
	struct slice text;
	bool value;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(made); i++) {
		if (!compile(made[i].template, &t))
			fail_msg("%s: %s", made[i].template, complaints);
		value = template_render(&t, &scope, &text);
		if (value != (made[i].text != NULL))
			fail_msg("%s: %s", made[i].template, value ? "a value" : "no value");
		if (value)
			check_slice(made[i].template, text, made[i].text);
	}
}

/* A template that is one path gives what it leads to, without a copy. */
static void
test_template_node(void **state)
{
	struct json *json = tree(body);
	struct scope scope = {.here = json, .arena = &arena, .lasting = &arena, .limits = {32, 1000}};
	struct template t;
	struct slice text;

	(void)state;
	assert_true(compile("{{ list }}", &t));
	assert_ptr_equal(template_node(&t, &scope), json_get(json, "list"));
	assert_true(compile("{{ title }}", &t));
	assert_true(template_render(&t, &scope, &text));
	assert_ptr_equal(text.p, json_get(json, "title")->text.p);
	assert_true(compile(" {{ list }}", &t));
	assert_null(template_node(&t, &scope));
	assert_true(compile("list", &t));
	assert_null(template_node(&t, &scope));
	assert_true(compile("{{ missing }}", &t));
	assert_null(template_node(&t, &scope));
}

static void
test_template_literal(void **state)
{
	struct template t;
	struct slice text;

	(void)state;
	assert_true(compile("just text", &t) && template_literal(&t, &text));
	check_slice("literal", text, "just text");
	assert_true(compile("{{ a }}", &t));
	assert_false(template_literal(&t, &text));
	assert_true(compile("a {{ a }}", &t));
	assert_false(template_literal(&t, &text));
}

/* Numbers and booleans of the configuration stand for their text. */
static void
test_template_of_scalars(void **state)
{
	struct compiler c = new_compiler();
	struct template t;
	struct slice text;

	(void)state;
	assert_true(template_compile(&c, tree("7.50"), &t) && template_literal(&t, &text));
	check_slice("number", text, "7.50");
	assert_true(template_compile(&c, tree("true"), &t) && template_literal(&t, &text));
	check_slice("boolean", text, "true");
	assert_false(template_compile(&c, tree("null"), &t));
	assert_false(template_compile(&c, tree("['a']"), &t));
	check_complaints("others", "0: must be a text\n0: must be a text\n");
}

static const struct {
	const char *text, *complaint;
} wrong[] = {
	{"", "0: must not be empty\n"},
	{" \\t", "0: must not be empty\n"},
	{"{{ a", "0: has {{ without }}\n"},
	{"{{", "0: has {{ without }}\n"},
	{"{{ a }} {{ b }", "0: has {{ without }}\n"},
	{"{{}}", "0: is empty\n"},
	{"{{   }}", "0: is empty\n"},
	{"{{ a | upper }}", "0: has a character that belongs in [\"...\"]\n"},
	{"{{{ a }}}", "0: has a step without a name\n"},
	{"x {{ a. }}", "0: has a step without a name\n"},
};

static void
test_template_wrong(void **state)
{
	struct template t;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		assert_false(compile(wrong[i].text, &t));
		check_complaints(wrong[i].text, wrong[i].complaint);
	}
}

/* A text is cut at TEMPLATE_MOST, between characters. */
static void
test_template_cut(void **state)
{
	size_t n = TEMPLATE_MOST / 2 + 1;
	char *huge = arena_alloc(&arena, 2 * n);
	struct json *json = tree("{'a': 'x'}");
	struct scope scope = {.here = json, .arena = &arena, .lasting = &arena, .limits = {32, 1000}};
	struct template t;
	struct slice text;

	(void)state;
	assert_non_null(huge);
	for (size_t i = 0; i < n; i++)
		memcpy(huge + 2 * i, "\xc3\xa9", 2);
	json->first->text = (struct slice){huge, 2 * n};
	assert_true(compile("{{ a }}", &t) && template_render(&t, &scope, &text));
	assert_int_equal(text.n, TEMPLATE_MOST);
	assert_true(compile("-{{ a }}{{ a }}-", &t) && template_render(&t, &scope, &text));
	assert_int_equal(text.n, TEMPLATE_MOST - 1);
	json->first->text.n = TEMPLATE_MOST - 2;
	assert_true(compile("-{{ a }}-", &t) && template_render(&t, &scope, &text));
	assert_int_equal(text.n, TEMPLATE_MOST);
	assert_int_equal(text.p[text.n - 1], '-');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_template_render, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_template_node, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_template_literal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_template_of_scalars, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_template_wrong, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_template_cut, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
