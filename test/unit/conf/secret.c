/* Secrets (CONTRACT §10): where they come from, and that nothing shows them. */
#include "parse.h"

#include <sys/stat.h>
#include <unistd.h>

/* What each test calls "SECRET" in its files; no line may show it. */
#define SECRET "the-secret-value-0123"

static char directory[] = "/tmp/tocsin-secret-XXXXXX";

static int
make_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) == NULL ? -1 : 0;
}

static void
put_file(const char *name, const void *bytes, size_t n, mode_t mode)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int
remove_directory(void **state)
{
	static const char *const names[] = {"secret", "open", "two", "none", "latin", "large", "bare"};
	char path[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		snprintf(path, sizeof path, "%s/%s", directory, names[i]);
		unlink(path);
	}
	return rmdir(directory);
}

/* A file in our directory whose one token is `token`. */
static struct conf *
parse_token(const char *token, struct lines *lines)
{
	char name[256], text[1024];

	snprintf(name, sizeof name, "%s/conf.json", directory);
	snprintf(text, sizeof text, "{'tokens': [{'name': 'T', 'token': %s}]}", token);
	return parse_as(name, text, lines);
}

static void
assert_token(const char *token, const char *want)
{
	struct lines lines;
	struct conf *conf = parse_token(token, &lines);

	if (conf == NULL)
		fail_msg("%s", lines.text);
	assert_string_equal(lines.text, "");
	assert_slice(conf->tokens[0].token, want);
	conf_release(conf);
}

static void
test_secret_sources(void **state)
{
	char absolute[300];

	(void)state;
	put_file("secret", SECRET "\n", strlen(SECRET) + 1, 0600);
	put_file("bare", SECRET, strlen(SECRET), 0400);
	assert_int_equal(setenv("TOCSIN_TEST_SECRET", SECRET, 1), 0);
	assert_token("'" SECRET "'", SECRET);
	assert_token("'\\u0074he-secret-value-0123'", SECRET);
	assert_token("{'file': 'secret'}", SECRET);
	assert_token("{'file': 'bare'}", SECRET);
	assert_token("{'env': 'TOCSIN_TEST_SECRET'}", SECRET);
	snprintf(absolute, sizeof absolute, "{'file': '%s/secret'}", directory);
	assert_token(absolute, SECRET);
}

/* One newline is the editor's; a second one is a mistake that the shape of a token shows. */
static void
test_secret_newline(void **state)
{
	struct lines lines;

	(void)state;
	put_file("two", SECRET "\n\n", strlen(SECRET) + 2, 0600);
	assert_null(parse_token("{'file': 'two'}", &lines));
	assert_non_null(strstr(lines.text, "tokens[0].token: must have visible ASCII characters only"));
	assert_null(strstr(lines.text, "secret-value"));
}

/* Readable by others: works, with a warning behind the place. */
static void
test_secret_warning(void **state)
{
	static const mode_t modes[] = {0640, 0604};
	char want[512];
	struct lines lines;
	struct conf *conf;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		put_file("open", SECRET, strlen(SECRET), modes[i]);
		conf = parse_token("{'file': 'open'}", &lines);
		assert_non_null(conf);
		conf_release(conf);
		snprintf(want, sizeof want,
		    "%s/conf.json:1:45: warning: tokens[0].token.file: \"%s/open\" may be read by others "
		    "than its owner\n",
		    directory, directory);
		assert_string_equal(lines.text, want);
	}
}

static void
test_secret_refused(void **state)
{
	static const char all[70000];
	static const struct {
		const char *token, *why;
	} rows[] = {
		{"{'file': 'absent'}", "tokens[0].token.file: cannot read \"/tmp/tocsin-secret-"},
		{"{'file': 'absent'}", "/absent\": No such file or directory\n"},
		{"{'file': '.'}", "not a regular file\n"},
		{"{'file': '/dev/zero'}", "not a regular file\n"},
		{"{'file': ''}", "tokens[0].token.file: names no file\n"},
		{"{'file': 'a\\u0000b'}", "names no file\n"},
		{"{'file': 'none'}", "tokens[0].token: must not be empty\n"},
		{"{'file': 'latin'}", "tokens[0].token.file: is not UTF-8 text\n"},
		{"{'file': 'large'}", "is in a file larger than 64KiB\n"},
		{"{'env': 'TOCSIN_TEST_UNSET'}", "token.env: needs \"TOCSIN_TEST_UNSET\" in the environment\n"},
		{"{'env': ''}", "names no environment variable\n"},
		{"{'env': 'A\\u0000B'}", "names no environment variable\n"},
		{"{}", "tokens[0].token: must be a text, {\"file\": \"path\"} or {\"env\": \"NAME\"}\n"},
		{"{'file': 7}", "tokens[0].token: must be a text, "},
		{"{'files': 'secret'}", "tokens[0].token: must be a text, "},
		{"{'file': 'secret', 'env': 'X'}", "tokens[0].token: must be a text, "},
		{"['" SECRET "']", "tokens[0].token: must be a text, "},
		{"'" SECRET "', 'token': '" SECRET "'", "token: is already given on line 1\n"},
		{"'" SECRET " '", "tokens[0].token: must have visible ASCII characters only\n"},
		{"'" SECRET "'}, {'name': 'U', 'token': '" SECRET "'",
		    "tokens[1].token: is already used on line 1\n"},
	};
	struct lines lines;

	(void)state;
	put_file("none", "\n", 1, 0600);
	put_file("latin", "\xe4" SECRET, strlen(SECRET) + 1, 0600);
	put_file("large", all, sizeof all, 0600);
	unsetenv("TOCSIN_TEST_UNSET");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct conf *conf = parse_token(rows[i].token, &lines);

		if (conf != NULL || strstr(lines.text, rows[i].why) == NULL)
			fail_msg("%s: got %s", rows[i].token, lines.text);
		assert_null(strstr(lines.text, "secret-value"));
	}
}

/* Credentials in a webhook's address, headers and auth are secrets as well. */
static void
test_secret_webhook(void **state)
{
	static const char *const members[] = {
		"'url': 'http://" SECRET "@a/'",
		"'url': 'http://a/?key=" SECRET "#x'",
		"'url': 'ftp://" SECRET "'",
		"'url': 'http://a/', 'headers': {'Authorization': '" SECRET "\\n'}",
		"'url': 'http://a/', 'auth': {'type': 'basic', 'username': 'u', 'password': '" SECRET "\\n'}",
		"'url': 'http://a/', 'auth': {'type': 'hmac', 'key': ['" SECRET "']}",
	};
	char text[512];
	struct lines lines;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		snprintf(text, sizeof text,
		    "{'services': [{'name': 'S', 'webhooks': [{'name': 'W', %s}]}]}", members[i]);
		assert_null(parse(text, &lines));
		assert_int_not_equal(lines.n, 0);
		assert_null(strstr(lines.text, "secret-value"));
	}
}

static void
test_secret_header_value(void **state)
{
	struct conf *conf;

	(void)state;
	assert_int_equal(setenv("TOCSIN_TEST_SECRET", "Bearer " SECRET, 1), 0);
	conf = parse_good("{'services': [{'name': 'S', 'webhooks': [{'name': 'W', 'url': 'http://a/',"
			  " 'headers': {'Authorization': {'env': 'TOCSIN_TEST_SECRET'}}}]}]}");
	assert_slice(conf->webhooks[0].headers[0].value, "Bearer " SECRET);
	conf_release(conf);
}

static void
test_secret_url(void **state)
{
	struct conf *conf;

	(void)state;
	assert_int_equal(setenv("TOCSIN_TEST_SECRET", "http://a/?" SECRET, 1), 0);
	conf = parse_good("{'services': [{'name': 'S', 'webhooks': [{'name': 'W',"
			  " 'url': {'env': 'TOCSIN_TEST_SECRET'}}]}]}");
	assert_slice(conf->webhooks[0].target, "/?" SECRET);
	conf_release(conf);
}

/* How often the secret stands in the C library's heap (a sanitizer has a heap of its own). */
static size_t
count_in_heap(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long from = 0, to = 0;
	char line[512];
	size_t n = 0;

	assert_non_null(maps);
	while (fgets(line, sizeof line, maps) != NULL && strstr(line, "[heap]") == NULL)
		;
	fclose(maps);
	if (strstr(line, "[heap]") == NULL || sscanf(line, "%lx-%lx", &from, &to) != 2)
		return 0;
	for (const char *p = (const char *)from, *end = (const char *)to;
	     (p = memmem(p, (size_t)(end - p), SECRET, strlen(SECRET))) != NULL; p++)
		n++;
	return n;
}

/* One copy while it is needed, none behind the last reference. */
static void
test_secret_wiped(void **state)
{
	static const char text[] = "{\"tokens\": [{\"name\": \"T\", \"token\": \"" SECRET "\"}]}";
	size_t before = count_in_heap(), held;
	struct lines lines = {.n = 0};
	struct conf *conf;

	(void)state;
	conf = conf_parse("t", SLICE(text), add_line, &lines);
	assert_non_null(conf);
	held = count_in_heap();
	conf_release(conf_hold(conf));
	assert_int_equal(count_in_heap(), held);
	conf_release(conf);
	if (held == 0)
		return; /* a sanitizer's heap */
	assert_int_equal(held, before + 1);
	assert_int_equal(count_in_heap(), before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret_wiped), /* first: others leave copies of their own */
		cmocka_unit_test(test_secret_sources),
		cmocka_unit_test(test_secret_newline),
		cmocka_unit_test(test_secret_warning),
		cmocka_unit_test(test_secret_refused),
		cmocka_unit_test(test_secret_webhook),
		cmocka_unit_test(test_secret_header_value),
		cmocka_unit_test(test_secret_url),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
