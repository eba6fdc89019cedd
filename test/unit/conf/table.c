/*
 * The table of options: that it is sound, that the sample conf/tocsin.json shows all of it
 * (CONTRACT §10), and that its defaults are what an absent key means.
 *
 * Runs in the project's root, or with the sample's path as its argument.
 */
#include "parse.h"

#include "conf/table.h"

static const char *sample_path = "conf/tocsin.json";

/* One of everything, with nothing said that need not be. */
static const char least[] =
    "{'listen': [{'address': '127.0.0.1:1'}], 'tokens': [{'name': 'T', 'token': '0123456789abcdef'}],"
    " 'users': [{'username': 'u'}], 'services': [{'name': 'S', 'maintenance': [{'start':"
    " '2026-01-01T00:00:00Z', 'end': '2026-01-02T00:00:00Z'}], 'integrations': [{'name': 'I',"
    " 'key': 'k'}], 'webhooks': [{'name': 'W', 'url': 'http://a'}]}]}";

static bool
is_container(const struct option *option)
{
	return option->type == OPTION_SECTION || option->type == OPTION_SECTIONS ||
	    option->type == OPTION_LIST;
}

static const struct option *
find_opener(const char *section)
{
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].opens != NULL && strcmp(option_table[i].opens, section) == 0)
			return &option_table[i];
	return NULL;
}

static void
test_table_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		size_t n = strlen(o->help), count;

		if (n < 8 || o->help[n - 1] != '.')
			fail_msg("%s.%s has no sentence", o->section, o->name);
		if (is_container(o) != (o->opens != NULL) || (o->type == OPTION_LIST) != (o->size > 0))
			fail_msg("%s.%s opens a section or does not", o->section, o->name);
		if ((o->flags & OPTION_REQUIRED) && o->fallback != NULL)
			fail_msg("%s.%s is required and has a default", o->section, o->name);
		if (o->section[0] != '\0' && find_opener(o->section) == NULL)
			fail_msg("no option opens %s", o->section);
		for (size_t j = 0; j < i; j++)
			if (strcmp(option_table[j].section, o->section) == 0 &&
			    strcmp(option_table[j].name, o->name) == 0)
				fail_msg("%s.%s stands twice", o->section, o->name);
		assert_true(option_section(o->section, &count) <= o && count <= 32);
		assert_true(o < option_section(o->section, &count) + count);
	}
}

/* The struct that the rows of a section are kept in, in a configuration made of `least`. */
static const void *
struct_of(const struct conf *conf, const char *section)
{
	static const char *const of_conf[] = {"", "limits", "retention", "log"};

	for (size_t i = 0; i < COUNT_OF(of_conf); i++)
		if (strcmp(section, of_conf[i]) == 0)
			return conf;
	if (strncmp(section, "listen", 6) == 0)
		return conf->listeners;
	if (strcmp(section, "tokens") == 0)
		return conf->tokens;
	if (strcmp(section, "users") == 0)
		return conf->users;
	if (strcmp(section, "services.maintenance") == 0)
		return conf->services[0].windows;
	if (strncmp(section, "services.integrations", 21) == 0)
		return conf->integrations;
	if (strncmp(section, "services.webhooks", 17) == 0)
		return conf->webhooks;
	assert_string_equal(section, "services");
	return conf->services;
}

static int64_t
number_at(const struct option *option, const void *object)
{
	const char *p = (const char *)object + option->at;
	int64_t wide;
	int narrow;

	if (option->type == OPTION_BOOL)
		return *p;
	if (option->type == OPTION_INT || option->type == OPTION_WORD) {
		memcpy(&narrow, p, sizeof narrow);
		return narrow;
	}
	memcpy(&wide, p, sizeof wide);
	return wide;
}

/* What a default text means, by another way than the reader's. */
static int64_t
meaning(const struct option *option)
{
	const char *text = option->fallback;
	struct slice inner = {text + 1, strlen(text) - 2};
	const struct option_word *word = option->words;
	int64_t value = 0;

	if (option->type == OPTION_BOOL)
		return strcmp(text, "true") == 0;
	if (option->type == OPTION_WORD) {
		while (word->word != NULL && !slice_is(inner, slice_of(word->word)))
			word++;
		return word->value;
	}
	if (strcmp(text, "null") == 0)
		return 0;
	if (option->type == OPTION_TIME)
		assert_true(conf_parse_time(inner, &value));
	else if (option->type == OPTION_SIZE)
		assert_true(conf_parse_size(inner, &value));
	else
		value = strtoll(text, NULL, 10);
	return value;
}

static void
test_table_defaults(void **state)
{
	struct conf *conf = parse_good(least);
	size_t checked = 0;

	(void)state;
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		const void *object = struct_of(conf, o->section);

		if (o->fallback == NULL || o->at == OPTION_NOWHERE)
			continue;
		if (o->type == OPTION_TEXT || o->type == OPTION_ID) {
			struct slice got, want = {o->fallback + 1, strlen(o->fallback) - 2};

			memcpy(&got, (const char *)object + o->at, sizeof got);
			if (strcmp(o->fallback, "null") == 0)
				want.n = 0;
			if (!slice_is(got, want))
				fail_msg("%s.%s is not %s", o->section, o->name, o->fallback);
			checked++;
		} else if (o->type <= OPTION_DATE || o->type == OPTION_WORD) {
			if (number_at(o, object) != meaning(o))
				fail_msg("%s.%s is not %s", o->section, o->name, o->fallback);
			checked++;
		}
	}
	assert_true(checked > 50);
	conf_release(conf);
}

/* Every default written out is a configuration like any other, and nothing is refused. */
static void
test_table_defaults_written(void **state)
{
	struct buf b;

	(void)state;
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];

		if (o->section[0] != '\0' || o->fallback == NULL)
			continue;
		buf_init(&b, 4096);
		buf_printf(&b, "{\"%s\": %s}%c", o->name, o->fallback, '\0');
		assert_false(b.failed);
		conf_release(parse_good(b.p));
		buf_free(&b);
	}
}

static char *
read_sample(struct arena *arena, size_t *n)
{
	FILE *file = fopen(sample_path, "r");
	char *text = arena_zalloc(arena, 1 << 16);

	assert_non_null(file);
	*n = fread(text, 1, (1 << 16) - 1, file);
	fclose(file);
	return text;
}

/* The object of a section in the sample, whose lists have one element each where they have any. */
static const struct json *
section_of(const struct json *root, const char *section)
{
	char path[64], *rest = NULL;
	const struct json *at = root;

	snprintf(path, sizeof path, "%s", section);
	for (char *name = strtok_r(path, ".", &rest); name != NULL && at != NULL;
	     name = strtok_r(NULL, ".", &rest)) {
		at = json_get(at, name);
		if (at != NULL && at->type == JSON_ARRAY)
			at = at->first;
	}
	return at;
}

static bool
same(const struct json *a, const struct json *b)
{
	if (a->type != b->type || a->count != b->count || a->truth != b->truth ||
	    !slice_is(a->text, b->text))
		return false;
	a = a->first;
	for (b = b->first; a != NULL && b != NULL; a = a->next, b = b->next)
		if (!same(a, b))
			return false;
	return true;
}

static bool
is_default(struct arena *arena, const struct json *member, const char *fallback)
{
	char *copy = strcpy(arena_alloc(arena, strlen(fallback) + 1), fallback);
	struct json_error error;
	const struct json *tree = json_read(arena, copy, strlen(copy), 0, 8, &error);

	return tree != NULL && same(member, tree);
}

/* A key of its section, with its default there or in a remark; all in a remark where the section
 * itself is one; anywhere when it has no default. */
static bool
is_shown(struct arena *arena, const char *text, const struct json *root, const struct option *o)
{
	const struct json *section = section_of(root, o->section), *member = json_get(section, o->name);
	char remark[256];

	snprintf(remark, sizeof remark, "\"%s\": %s", o->name, o->fallback == NULL ? "" : o->fallback);
	if (o->fallback == NULL || section == NULL)
		return strstr(text, remark) != NULL;
	if (member == NULL)
		return false;
	return (is_container(o) && o->type != OPTION_SECTIONS) ||
	    is_default(arena, member, o->fallback) || strstr(text, remark) != NULL;
}

static void
test_table_sample_shows_all(void **state)
{
	struct json_error error;
	struct arena arena;
	struct json *root;
	char *text, *copy;
	size_t n;

	(void)state;
	arena_init(&arena, 1 << 22);
	text = read_sample(&arena, &n);
	copy = memcpy(arena_alloc(&arena, n), text, n);
	root = json_read(&arena, copy, n, JSON_COMMENTS, 32, &error);
	assert_non_null(root);
	for (size_t i = 0; i < option_count; i++)
		if (!is_shown(&arena, text, root, &option_table[i]))
			fail_msg("the sample does not show %s.%s with %s", option_table[i].section,
			    option_table[i].name, option_table[i].fallback);
	arena_free(&arena);
}

/* What `make run` starts. */
static void
test_table_sample_works(void **state)
{
	struct lines lines = {.n = 0};
	struct conf *conf = conf_load(sample_path, NULL, add_line, &lines);

	(void)state;
	if (conf == NULL)
		fail_msg("%s", lines.text);
	assert_string_equal(lines.text, "");
	assert_slice(conf->account, "demo1");
	assert_slice(conf->services[0].facts.name, "Payments");
	assert_non_null(conf_integration_by_key(conf, INTEGRATION_GENERIC,
	    SLICE("7e44896b-36c3-4fa2-b145-c292f543d8dc")));
	assert_slice(conf_webhook_by_name(conf, SLICE("demo"))->hmac_key, "demonstration-signing-key");
	assert_slice(conf->webhooks[0].authority, "127.0.0.1:9099");
	assert_int_equal(conf->token_count, 0);
	conf_release(conf);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_sound),
		cmocka_unit_test(test_table_defaults),
		cmocka_unit_test(test_table_defaults_written),
		cmocka_unit_test(test_table_sample_shows_all),
		cmocka_unit_test(test_table_sample_works),
	};

	if (argc > 1)
		sample_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
