/* Conditions (CONTRACT §7): every operator and group, what is told of wrong ones and of tests. */
#include "compile.h"

#include "proto/condition.h"

static const char body[] = "{'s': 'Disk Full', 'e': '', 'b': ' \\t', 'z': null, 'n': 42, 'f': 4.50, 't': true,"
			   " 'list': ['x', 1], 'none': [], 'empty': {}, 'o': {'k': 'v'}, 'time': '23:15',"
			   " 'word': 'b'}";

static const struct {
	const char *test; /* of a condition's field, op and value */
	bool holds;
} tests[] = {
	{"'s', 'op': 'equals', 'value': 'Disk Full'", true},
	{"'s', 'op': 'equals', 'value': 'disk full'", false},
	{"'s', 'op': 'equals', 'value': 'disk full', 'ignore_case': true", true},
	{"'s', 'op': 'equals', 'value': 'disk full', 'ignore_case': false", false},
	{"'s', 'op': 'equals', 'value': 'Disk'", false},
	{"'n', 'op': 'equals', 'value': 42", true},
	{"'n', 'op': 'equals', 'value': '42'", true},
	{"'n', 'op': 'equals', 'value': '42.0'", false}, /* as text */
	{"'f', 'op': 'equals', 'value': '4.50'", true},
	{"'t', 'op': 'equals', 'value': true", true},
	{"'o', 'op': 'equals', 'value': '{\\'k\\':\\'v\\'}'", true},
	{"'missing', 'op': 'equals', 'value': ''", true},
	{"'missing', 'op': 'equals', 'value': 'x'", false},
	{"'z', 'op': 'equals', 'value': 'null'", false},
	{"'s', 'op': 'not_equals', 'value': 'Disk Full'", false},
	{"'s', 'op': 'not_equals', 'value': 'other'", true},
	{"'missing', 'op': 'not_equals', 'value': 'x'", true},
	{"'s', 'op': 'not_equals', 'value': 'DISK FULL', 'ignore_case': true", false},

	{"'s', 'op': 'contains', 'value': 'k F'", true},
	{"'s', 'op': 'contains', 'value': 'k f'", false},
	{"'s', 'op': 'contains', 'value': 'K f', 'ignore_case': true", true},
	{"'missing', 'op': 'contains', 'value': 'x'", false},
	{"'list', 'op': 'contains', 'value': '\\'x\\''", true},
	{"'n', 'op': 'contains', 'value': 2", true},
	{"'s', 'op': 'not_contains', 'value': 'k F'", false},
	{"'s', 'op': 'not_contains', 'value': 'xyz'", true},
	{"'s', 'op': 'not_contains', 'value': 'FULL', 'ignore_case': true", false},
	{"'missing', 'op': 'not_contains', 'value': 'x'", true},

	{"'s', 'op': 'matches', 'value': '^Disk .*l$'", true},
	{"'s', 'op': 'matches', 'value': 'isk'", true},
	{"'s', 'op': 'matches', 'value': 'isk$'", false},
	{"'s', 'op': 'matches', 'value': '^D\\\\w+ f', 'ignore_case': true", true},
	{"'s', 'op': 'matches', 'value': 'FULL', 'ignore_case': true", true},
	{"'s', 'op': 'matches', 'value': '\\\\D{9}', 'ignore_case': true", true}, /* no \d of it */
	{"'missing', 'op': 'matches', 'value': '^$'", true},
	{"'s', 'op': 'not_matches', 'value': 'isk'", false},
	{"'s', 'op': 'not_matches', 'value': 'isk$'", true},
	{"'missing', 'op': 'not_matches', 'value': 'x'", true},

	{"'missing', 'op': 'is_empty'", true},
	{"'z', 'op': 'is_empty'", true},
	{"'e', 'op': 'is_empty'", true},
	{"'b', 'op': 'is_empty'", true},
	{"'none', 'op': 'is_empty'", true},
	{"'empty', 'op': 'is_empty'", true},
	{"'s', 'op': 'is_empty'", false},
	{"'list', 'op': 'is_empty'", false},
	{"'n', 'op': 'is_empty'", false},
	{"'missing', 'op': 'is_not_empty'", false},
	{"'b', 'op': 'is_not_empty'", false},
	{"'s', 'op': 'is_not_empty'", true},
	{"'o', 'op': 'is_not_empty'", true},

	{"'s', 'op': 'exists'", true},
	{"'z', 'op': 'exists'", true},
	{"'e', 'op': 'exists'", true},
	{"'o.k', 'op': 'exists'", true},
	{"'o.x', 'op': 'exists'", false},
	{"'missing', 'op': 'exists'", false},

	{"'word', 'op': 'in', 'value': ['a', 'b']", true},
	{"'word', 'op': 'in', 'value': ['a', 'c']", false},
	{"'word', 'op': 'in', 'value': ['A', 'B']", false},
	{"'word', 'op': 'in', 'value': ['A', 'B'], 'ignore_case': true", true},
	{"'n', 'op': 'in', 'value': [41, 42]", true},
	{"'missing', 'op': 'in', 'value': ['a']", false},
	{"'word', 'op': 'not_in', 'value': ['a', 'b']", false},
	{"'word', 'op': 'not_in', 'value': ['a', 'c']", true},
	{"'missing', 'op': 'not_in', 'value': ['a']", true},

	{"'n', 'op': 'less_or_equal', 'value': 42", true},
	{"'n', 'op': 'less_or_equal', 'value': '100'", true}, /* numbers: as text 100 is less */
	{"'n', 'op': 'less_or_equal', 'value': 41.9", false},
	{"'f', 'op': 'less_or_equal', 'value': '4.5'", true},
	{"'word', 'op': 'less_or_equal', 'value': 'c'", true},
	{"'word', 'op': 'less_or_equal', 'value': 'a'", false},
	{"'n', 'op': 'less_or_equal', 'value': 'x'", true}, /* texts: one is no number */
	{"'missing', 'op': 'less_or_equal', 'value': 1", false},
	{"'z', 'op': 'less_or_equal', 'value': 1", false},
	{"'n', 'op': 'greater_or_equal', 'value': 42", true},
	{"'n', 'op': 'greater_or_equal', 'value': 5", true},
	{"'n', 'op': 'greater_or_equal', 'value': 42.1", false},
	{"'missing', 'op': 'greater_or_equal', 'value': ''", false},
	{"'n', 'op': 'between', 'value': [42, 50]", true},
	{"'n', 'op': 'between', 'value': [5, '42']", true},
	{"'n', 'op': 'between', 'value': [43, 50]", false},
	{"'n', 'op': 'between', 'value': [1, 41]", false},
	{"'time', 'op': 'between', 'value': ['22:30', '23:30']", true},
	{"'missing', 'op': 'between', 'value': [0, 9]", false},
};

static struct condition *
compile(const char *text)
{
	struct compiler c = new_compiler();

	return condition_compile(&c, tree(text));
}

static bool
holds(const char *text)
{
	struct scope scope = {.here = tree(body), .arena = &arena, .lasting = &arena, .limits = {32, 1000}};
	struct condition *condition = compile(text);

	if (condition == NULL)
		fail_msg("%s: %s", text, complaints);
	return condition_holds(condition, &scope);
}

static void
test_condition_operators(void **state)
{
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(tests); i++) {
		snprintf(text, sizeof text, "{'field': %s}", tests[i].test);
		if (holds(text) != tests[i].holds)
			fail_msg("%s %s", text, tests[i].holds ? "does not hold" : "holds");
	}
}

#define YES "{'field': 's', 'op': 'exists'}"
#define NO  "{'field': 'missing', 'op': 'exists'}"

static const struct {
	const char *text;
	bool holds;
} groups[] = {
	{"{'all': [" YES "]}", true},
	{"{'all': [" YES "," YES "]}", true},
	{"{'all': [" YES "," NO "]}", false},
	{"{'all': [" NO "," YES "]}", false},
	{"{'any': [" NO "," YES "]}", true},
	{"{'any': [" NO "," NO "]}", false},
	{"{'none': [" NO "," NO "]}", true},
	{"{'none': [" NO "," YES "]}", false},
	{"{'not': " YES "}", false},
	{"{'not': " NO "}", true},
	{"{'not': {'all': [" YES "," NO "]}}", true}, /* NAND */
	{"{'all': [{'any': [" NO "," YES "]}, {'none': [" NO "]}, {'not': {'not': " YES "}}]}", true},
	{"{'any': [{'all': [" YES ",{'not': " YES "}]}, {'none': [" YES "]}]}", false},
};

static void
test_condition_groups(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(groups); i++)
		if (holds(groups[i].text) != groups[i].holds)
			fail_msg("%s", groups[i].text);
}

static const struct {
	const char *text, *complaints;
} wrong[] = {
	{"7", "0: must be an object\n"},
	{"{}", "0 field: is missing\n0 op: is missing\n"},
	{"{'field': 's'}", "0 op: is missing\n"},
	{"{'field': 's', 'op': 'like', 'value': 1}", "21: is not an operator\n"},
	{"{'field': 's', 'op': 7, 'value': 1}", "21: must be a text\n"},
	{"{'field': 7, 'op': 'exists'}", "10: must be a text\n"},
	{"{'field': 'a..b', 'op': 'exists'}", "10: has a step without a name\n"},
	{"{'field': 's', 'op': 'equals'}", "0 value: is missing\n"},
	{"{'field': 's', 'op': 'equals', 'value': ['a']}", "40: must be a text\n"},
	{"{'field': 's', 'op': 'equals', 'value': null}", "40: must be a text\n"},
	{"{'field': 's', 'op': 'exists', 'value': true}", "31 key: is not used by exists\n"},
	{"{'field': 's', 'op': 'is_empty', 'value': 1}", "33 key: is not used by is_empty\n"},
	{"{'field': 's', 'op': 'in', 'value': 'a'}", "36: must be a list\n"},
	{"{'field': 's', 'op': 'in', 'value': []}", "36: must not be empty\n"},
	{"{'field': 's', 'op': 'in', 'value': ['a', {}, null]}", "42: must be a text\n46: must be a text\n"},
	{"{'field': 's', 'op': 'between', 'value': [1]}", "41: must have two elements, from and to\n"},
	{"{'field': 's', 'op': 'between', 'value': [1, 2, 3]}", "41: must have two elements, from and to\n"},
	{"{'field': 's', 'op': 'between', 'value': [10, 9]}", "41: ends before it begins\n"},
	{"{'field': 's', 'op': 'between', 'value': ['b', 'a']}", "41: ends before it begins\n"},
	{"{'field': 's', 'op': 'matches', 'value': '(a'}", "41: has ( without )\n"},
	{"{'field': 's', 'op': 'matches', 'value': ''}", "41: must not be empty\n"},
	{"{'field': 's', 'op': 'equals', 'value': 1, 'ignore_case': 1}", "58: must be true or false\n"},
	{"{'field': 's', 'op': 'exists', 'ignore_case': true}", "31 key: is not used by exists\n"},
	{"{'field': 's', 'op': 'between', 'value': [1, 2], 'ignore_case': true}", "49 key: is not used by between\n"},
	{"{'field': 's', 'op': 'exists', 'when': 1, 'op': 'exists'}",
	    "31 key: is not known here\n42 key: is given twice\n"},
	{"{'all': []}", "8: must not be empty\n"},
	{"{'all': {}}", "8: must be a list\n"},
	{"{'not': [" YES "]}", "8: must be an object\n"},
	{"{'all': [" YES "], 'any': [" YES "]}", "42 key: is not known here\n"},
	{"{'any': [1, {'field': 's', 'op': 'x'}]}", "9: must be an object\n33: is not an operator\n"},
};

static void
test_condition_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		if (compile(wrong[i].text) != NULL)
			fail_msg("%s is accepted", wrong[i].text);
		check_complaints(wrong[i].text, wrong[i].complaints);
	}
}

static void
tell(void *arg, const struct observation *o)
{
	size_t n = strlen(told);

	(void)arg;
	assert_int_equal(o->kind, OBSERVED_TEST);
	snprintf(told + n, sizeof told - n, "%.*s%s %.*s %.*s %.*s %d\n", (int)o->name.n, o->name.p,
	    o->exists ? "" : "(missing)", (int)o->found.n, o->found.p == NULL ? "" : o->found.p,
	    (int)o->op.n, o->op.p, (int)o->wanted.n, o->wanted.p == NULL ? "" : o->wanted.p, o->held);
}

/* What was looked at is told, and what needed no look is not. */
static void
test_condition_observed(void **state)
{
	const struct observer observer = {.see = tell};
	struct scope scope = {.here = tree(body), .arena = &arena, .lasting = &arena, .limits = {32, 1000}, .observer = &observer};
	struct condition *condition = compile("{'any': [{'field': 'n', 'op': 'in', 'value': ['a', 7]},"
					      "{'field': 'x.y', 'op': 'not_equals', 'value': 'v'}," YES "]}");

	(void)state;
	assert_true(condition_holds(condition, &scope));
	assert_string_equal(told, "n 42 in [\"a\",7] 0\nx.y(missing)  not_equals \"v\" 1\n");
}

int
main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test_setup_teardown(test_condition_operators, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_condition_groups, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_condition_wrong, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_condition_observed, set_up, tear_down),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
