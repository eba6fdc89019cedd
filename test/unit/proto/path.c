/* Paths: what they look like, where they lead, and what is told of others (CONTRACT §7). */
#include "compile.h"

#include "proto/path.h"

/* JSON within JSON cannot be written with ' alone. */
static struct json *
read_body(void)
{
	static const char inner[] = "{\"k\": [1, {\"l\": \"in\"}]}", twice[] = "\"[7]\"";
	struct json *json = tree("{'a': {'b': [10, {'c': 'deep'}, [true, null]], '0': 'zero', "
				 "'x.y': {'z': -0.50}, 'q k': 'odd', 'root': 'mine', "
				 "'json()': 'named'}, 'root': 'top', '@t-s$': 'sign', "
				 "'caf\xc3\xa9': 'e', 'nothing': null, 'text': 't', 'bad': '{k', "
				 "'blank': '', 'twice': 't'}");

	((struct json *)json_get(json, "text"))->text = slice_of(inner);
	((struct json *)json_get(json, "twice"))->text = slice_of(twice);
	return json;
}

static const struct {
	const char *path, *text; /* text NULL: leads nowhere */
} ways[] = {
	{"a.b.0", "10"},
	{"a.b[0]", "10"},
	{"a.b.1.c", "deep"},
	{"a.b[1].c", "deep"},
	{"a[\"b\"][1][\"c\"]", "deep"},
	{"[\"a\"].b.2.0", "true"},
	{"a.b.2[1]", ""},
	{"a.b.2", "[true,null]"},
	{"a.b", "[10,{\"c\":\"deep\"},[true,null]]"},
	{"a.b.3", NULL},
	{"a.b[999999]", NULL},
	{"a.b.9999999", NULL},
	{"a.b.00", "10"},
	{"a.b.c", NULL},
	{"a.b[\"0\"]", NULL}, /* a name in quotes is no number */
	{"a.0", "zero"},
	{"a[0]", "zero"},
	{"a[\"0\"]", "zero"},
	{"a[\"x.y\"].z", "-0.50"},
	{"a[\"x.y\"]", "{\"z\":-0.50}"},
	{"a.x.y", NULL},
	{"a[\"q k\"]", "odd"},
	{"a[\"json()\"]", "named"},
	{"@t-s$", "sign"},
	{"caf\xc3\xa9", "e"},
	{"nothing", ""},
	{"nothing.x", NULL},
	{"missing", NULL},
	{"a.b.0.x", NULL},
	{"root", "top"},
	{"text.json()", "{\"k\":[1,{\"l\":\"in\"}]}"},
	{"text.json().k[1].l", "in"},
	{"text.json().k.0", "1"},
	{"text.json().none", NULL},
	{"text.k", NULL},
	{"twice.json()", "[7]"},
	{"twice.json().json().0", "7"},
	{"bad.json().k", NULL},
	{"blank.json()", NULL},
	{"a.json()", NULL},
	{"a.b.0.json()", NULL},
};

static void
check_way(struct scope *scope, const char *text, const char *want)
{
	struct path path;
	const char *why;
	const struct json *node;

	if (!path_compile(&arena, slice_of(text), &path, &why))
		fail_msg("%s %s", text, why);
	check_slice(text, path.text, text);
	scope->found = NULL; /* it knows paths by where they are */
	node = path_find(&path, scope);
	if (want == NULL && node != NULL)
		fail_msg("%s leads somewhere", text);
	if (want != NULL && node == NULL)
		fail_msg("%s leads nowhere", text);
	check_slice(text, path_text(node, scope), want == NULL ? "" : want);
}

static void
test_path_find(void **state)
{
	struct scope scope = {.here = read_body(), .arena = &arena, .lasting = &arena, .limits = {32, 1000}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ways); i++)
		check_way(&scope, ways[i].path, ways[i].text);
}

/* With a root the first step of that name leads there; in quotes it stays a member. */
static void
test_path_root(void **state)
{
	struct json *whole = read_body();
	struct scope scope = {
	    .here = json_get(whole, "a"), .root = whole, .arena = &arena, .lasting = &arena, .limits = {32, 1000}};

	(void)state;
	check_way(&scope, "root.root", "top");
	check_way(&scope, "root.a.root", "mine");
	check_way(&scope, "[\"root\"]", "mine");
	check_way(&scope, "b.0", "10");
	check_way(&scope, "a", NULL);
	scope.root = NULL;
	check_way(&scope, "root", "mine");
}

static void
test_path_json_depth_and_reuse(void **state)
{
	static const char deep[] = "[[[[\"x\"]]]]";
	struct json *json = tree("{'t': 'x'}");
	struct scope scope = {.here = json, .arena = &arena, .lasting = &arena, .limits = {4, 1000}};
	size_t used;

	(void)state;
	((struct json *)json->first)->text = slice_of(deep);
	check_way(&scope, "t.json()[0][0][0][0]", "x");
	used = arena.used;
	check_way(&scope, "t.json().0.0.0.0", "x"); /* read once */
	assert_in_range(arena.used - used, 1, 1000);
	scope.texts = NULL;
	scope.limits.depth = 3;
	check_way(&scope, "t.json()", NULL);
	scope.texts = NULL;
	scope.limits = (struct json_limits){4, 4};
	check_way(&scope, "t.json()", NULL); /* there are five */
}

/* What is read in an element goes with it; what is read in the root stays. */
static void
test_path_json_of_elements(void **state)
{
	static const char inner[] = "{\"k\": \"v\"}";
	struct json *whole = tree("{'t': 'x'}");
	struct arena element;
	struct scope scope = {
	    .here = whole, .root = whole, .arena = &element, .lasting = &arena, .limits = {4, 1000}};

	(void)state;
	((struct json *)whole->first)->text = slice_of(inner);
	arena_init(&element, 1 << 20);
	check_way(&scope, "t.json().k", "v");
	assert_non_null(scope.texts);
	assert_null(scope.root_texts);
	check_way(&scope, "root.t.json().k", "v");
	arena_free(&element);
	scope.texts = NULL;
	check_way(&scope, "root.t.json().k", "v");
}

/* A path into the root is followed once, whatever `here` is. */
static void
test_path_root_once(void **state)
{
	struct json *whole = tree("{'a': 'first', 'b': 'x'}"), *b = (struct json *)json_get(whole, "b");
	struct scope scope = {
	    .here = whole, .root = whole, .arena = &arena, .lasting = &arena, .limits = {4, 1000}};
	struct path path;
	const char *why;

	(void)state;
	assert_true(path_compile(&arena, SLICE("root.a"), &path, &why));
	check_slice("first", path_text(path_find(&path, &scope), &scope), "first");
	scope.here = b;
	((struct json *)whole->first)->key = SLICE("c");
	check_slice("known", path_text(path_find(&path, &scope), &scope), "first");
	scope.found = NULL;
	assert_null(path_find(&path, &scope));
}

static const struct {
	const char *text, *why;
} wrong[] = {
	{"", "is empty"},
	{".", "has a step without a name"},
	{"a.", "has a step without a name"},
	{".a", "has a step without a name"},
	{"a..b", "has a step without a name"},
	{"a b", "has a character that belongs in [\"...\"]"},
	{"a|upper", "has a character that belongs in [\"...\"]"},
	{"a{b", "has a character that belongs in [\"...\"]"},
	{"a[0]b", "has a character that belongs in [\"...\"]"},
	{"a]", "has a character that belongs in [\"...\"]"},
	{"a[", "has a step without a name"},
	{"a[]", "has a step without a name"},
	{"a[b]", "has neither a number nor a name in quotes between brackets"},
	{"a[-1]", "has neither a number nor a name in quotes between brackets"},
	{"a[1", "has [ without ]"},
	{"a[\"b", "has [\" without \"]"},
	{"a[\"b\"", "has [\" without \"]"},
	{"a[\"b\\", "has [\" without \"]"},
	{"a.length()", "has a step with () that is not json()"},
	{"a.json()b", "has a character that belongs in [\"...\"]"},
};

static void
test_path_wrong(void **state)
{
	struct path path;
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		if (path_compile(&arena, slice_of(wrong[i].text), &path, &why))
			fail_msg("%s is accepted", wrong[i].text);
		if (strcmp(why, wrong[i].why) != 0)
			fail_msg("%s: %s", wrong[i].text, why);
	}
	assert_false(path_compile(&arena, SLICE("a\0b"), &path, &why));
}

static void
test_path_first(void **state)
{
	struct path path;
	const char *why;

	(void)state;
	assert_true(path_compile(&arena, SLICE("payload.a"), &path, &why));
	check_slice("plain", path_first(&path), "payload");
	assert_true(path_compile(&arena, SLICE("[\"payload\"].a"), &path, &why));
	check_slice("quoted", path_first(&path), "");
	assert_true(path_compile(&arena, SLICE("json().a"), &path, &why));
	check_slice("json", path_first(&path), "");
}

/* Objects become at most so much text, and end where a key or a value would not fit. */
static void
test_path_text_cut(void **state)
{
	struct json *list = tree("['first', 'x', 'last']");
	char *huge = arena_alloc(&arena, PATH_TEXT_MOST);
	struct scope scope = {.here = list, .arena = &arena, .lasting = &arena, .limits = {32, 1000}};

	(void)state;
	assert_non_null(huge);
	memset(huge, 'h', PATH_TEXT_MOST);
	list->first->next->text = (struct slice){huge, PATH_TEXT_MOST};
	check_slice("cut", path_text(list, &scope), "[\"first\",\"");
	list->first->next->text.n = PATH_TEXT_MOST - 19;
	assert_int_equal(path_text(list, &scope).n, PATH_TEXT_MOST);
	assert_int_equal(path_text(list->first->next, &scope).n, PATH_TEXT_MOST - 19);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_path_find, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_path_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_path_json_depth_and_reuse, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_path_json_of_elements, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_path_root_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_path_wrong, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_path_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_path_text_cut, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
