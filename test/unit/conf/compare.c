/*
 * What is different between two configurations, and what may not be while a process runs
 * (CONTRACT §10, Reload).
 */
#include "parse.h"

#include <sodium.h>
#include <unistd.h>

static struct lines told;

static void
see(void *arg, const struct conf_difference *d)
{
	static const char signs[] = "+-*";
	char line[256];

	(void)arg;
	snprintf(line, sizeof line, "%c%s %.*s%s%.*s", signs[d->change], d->kind, (int)d->within.n,
		 d->within.p, d->within.n > 0 ? "/" : "", (int)d->name.n, d->name.p);
	add_line(&told, line);
}

static void
assert_differ(const char *was, const char *is, const char *want)
{
	struct conf *a = parse_good(was), *b = parse_good(is);

	memset(&told, 0, sizeof told);
	assert_true(conf_compare(a, b, see, NULL));
	conf_release(a);
	conf_release(b);
	assert_string_equal(told.text, want);
}

#define SERVICES(inner) "{'services': [" inner "]}"
#define INTEGRATION(name, key, more) "{'name': '" name "', 'key': '" key "'" more "}"
#define WEBHOOK(name, more) "{'name': '" name "', 'url': 'http://h/'" more "}"
#define SERVICE(name, integrations, webhooks, more)                             \
	"{'name': '" name "', 'integrations': [" integrations "], 'webhooks': [" \
	webhooks "]" more "}"

static void
test_compare_alike(void **state)
{
	(void)state;
	assert_differ("{}", "{}", "");
	/* The order of members, defaults that are written out, other units: no difference. */
	assert_differ("{'drain': '60s', 'limits': {'depth': 20, 'body': '1MiB'}}",
		      "{'limits': {'body': '1024KiB', 'depth': 20}, 'log': {}, 'drain': '1m'}", "");
	assert_differ(
	    SERVICES(SERVICE("S", INTEGRATION("I", "k", ""), WEBHOOK("W", ""), "")),
	    SERVICES(SERVICE("S", INTEGRATION("I", "k", ", 'enabled': true"),
			     WEBHOOK("W", ", 'deadline': '3000ms', 'auth': {'type': 'none'}"), "")),
	    "");
	/* Nor does the order of objects. */
	assert_differ(SERVICES(SERVICE("S", INTEGRATION("I", "k", "") "," INTEGRATION("J", "l", ""),
				       "", "")),
		      SERVICES(SERVICE("S", INTEGRATION("J", "l", "") "," INTEGRATION("I", "k", ""),
				       "", "")),
		      "");
}

static void
test_compare_settings(void **state)
{
	(void)state;
	assert_differ("{}",
		      "{'drain': '1s', 'account': 'other', 'limits': {'depth': 9},"
		      " 'retention': {'trace': '2h'}, 'log': {'level': 'debug'}, 'retry': ['1s'],"
		      " 'allow_networks': ['10.0.0.0/8'], 'trusted_proxies': ['10.0.0.0/8']}",
		      "*setting trusted_proxies\n*setting account\n*setting allow_networks\n"
		      "*setting retry\n*setting drain\n*setting limits.depth\n"
		      "*setting retention.trace\n*setting log.level\n");
}

static void
test_compare_objects(void **state)
{
	(void)state;
	assert_differ("{'listen': [{'address': '127.0.0.1:1'}, {'address': '127.0.0.1:2'}]}",
		      "{'listen': [{'address': '127.0.0.1:2', 'serve': ['ops']},"
		      " {'address': '127.0.0.1:3'}]}",
		      "-listener 127.0.0.1:1\n*listener 127.0.0.1:2\n+listener 127.0.0.1:3\n");
	assert_differ("{'tokens': [{'name': 'a', 'token': '0123456789abcdef'},"
		      " {'name': 'b', 'token': '0123456789abcdeg'}], 'users': [{'username': 'u'}]}",
		      "{'tokens': [{'name': 'a', 'token': '0123456789abcdeh'},"
		      " {'name': 'c', 'token': '0123456789abcdeg'}],"
		      " 'users': [{'username': 'u', 'email': 'e'}]}",
		      "*token a\n-token b\n+token c\n*user u\n");
	assert_differ(SERVICES(SERVICE("S", INTEGRATION("I", "k", ""), WEBHOOK("W", ""), "") ","
			       SERVICE("T", INTEGRATION("I", "l", ""), "", "")),
		      SERVICES(SERVICE("S", INTEGRATION("I", "m", ""), "", ", 'summary': 's'") ","
			       SERVICE("U", INTEGRATION("I", "l", ""), WEBHOOK("W", ""), "")),
		      "*service S\n-service T\n+service U\n*integration S/I\n-integration T/I\n"
		      "+integration U/I\n*webhook U/W\n");
}

/* Each of these is told as a change of the object that it belongs to, and of no other. */
static void
test_compare_values(void **state)
{
	static const char *const webhooks[] = {
	    ", 'headers': {'A': '1', 'B': '2'}", ", 'headers': {'A': '2', 'B': '1'}",
	    ", 'auth': {'type': 'hmac', 'key': 'k'}", ", 'auth': {'type': 'hmac', 'key': 'l'}",
	    ", 'auth': {'type': 'standard-webhooks', 'keys': ['whsec_" "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3']}",
	    ", 'auth': {'type': 'standard-webhooks', 'keys': ['whsec_" "MTEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3']}",
	    ", 'events': ['triggered']", ", 'max_in_flight': 1", ", 'deadline': '1s'",
	    ", 'retry': ['1s', '2s']", ", 'retry': ['2s', '1s']", ", 'tls': {'ca_file': 'a'}",
	    ", 'tls': {'insecure_skip_verify': true}"};
	static const char *const services[] = {
	    ", 'maintenance': [{'start': '2026-01-01T00:00:00Z', 'end': '2026-01-02T00:00:00Z'}]",
	    ", 'maintenance': [{'start': '2026-01-01T00:00:00Z', 'end': '2026-01-03T00:00:00Z'}]",
	    ", 'unique_id': 'c3f5f1e0-6f7b-4e39-9f0e-0a1b2c3d4e5f'", ", 'assigned_to': 'u'",
	    ", 'team': 'c3f5f1e0-6f7b-4e39-9f0e-0a1b2c3d4e5f'",
	    ", 'creation_date': '2026-01-01T00:00:00Z'", ", 'auto_resolve_timeout': 5"};
	char was[1024], is[1024];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(webhooks); i++)
		for (size_t j = 0; j < COUNT_OF(webhooks); j++) {
			snprintf(was, sizeof was, SERVICES(SERVICE("S", "", "%s%s}", "")),
				 "{'name': 'W', 'url': 'http://h/'", webhooks[i]);
			snprintf(is, sizeof is, SERVICES(SERVICE("S", "", "%s%s}", "")),
				 "{'name': 'W', 'url': 'http://h/'", webhooks[j]);
			assert_differ(was, is, i == j ? "" : "*webhook S/W\n");
		}
	for (size_t i = 0; i < COUNT_OF(services); i++)
		for (size_t j = 0; j < COUNT_OF(services); j++) {
			static const char form[] = "{'users': [{'username': 'u'}], 'services': ["
						   "{'name': 'S'%s}]}";

			snprintf(was, sizeof was, form, services[i]);
			snprintf(is, sizeof is, form, services[j]);
			assert_differ(was, is, i == j ? "" : "*service S\n");
		}
}

/* ---- files ---------------------------------------------------------------------------------- */

static char path[] = "/tmp/tocsin-compare-XXXXXX", secret_path[] = "/tmp/tocsin-compared-XXXXXX";

static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	for (; *text != '\0'; text++)
		fputc(*text == '\'' ? '"' : *text, file);
	fclose(file);
}

static struct conf *
load_again(const struct conf *running, const char *text)
{
	write_file(path, text);
	memset(&told, 0, sizeof told);
	return conf_load_again(path, running, NULL, add_line, &told);
}

static void
assert_refused(const struct conf *running, const char *text, const char *want)
{
	char lines[1024];

	snprintf(lines, sizeof lines, "%s:%s\n", path, want);
	assert_null(load_again(running, text));
	assert_string_equal(told.text, lines);
}

static void
test_compare_fixed(void **state)
{
	static const char needs[] = " is another than the one in force, which needs a restart";
	struct conf *running = parse_good("{'data': 'd', 'node': 3, 'limits': {'store': '1GiB'}}");
	struct conf *conf;
	char want[256];

	(void)state;
	conf = load_again(running, "{'node': 3, 'data': 'd', 'limits': {'store': '1024MiB'}}");
	if (conf == NULL)
		fail_msg("%s", told.text);
	conf_release(conf);
	snprintf(want, sizeof want, "1:15: data:%s", needs);
	assert_refused(running, "{     'data': 'e', 'node': 3, 'limits': {'store': '1GiB'}}", want);
	snprintf(want, sizeof want, "2:1: node:%s", needs);
	assert_refused(running, "\n{'data': 'd', 'limits': {'store': '1GiB'}}", want);
	snprintf(want, sizeof want, "1:36: limits.store:%s", needs);
	assert_refused(running, "{'data': 'd', 'node': 3, 'limits': {}}", want);
	/* One fault for one mistake. */
	assert_refused(running, "{'data': 'd', 'node': 300, 'limits': {'store': '1GiB'}}",
		       "1:23: node: must be between 0 and 255");
	conf_release(running);
}

static void
test_compare_secret_file(void **state)
{
	static char text[256];
	struct conf *was, *is;

	(void)state;
	write_file(secret_path, "the-first-secret");
	snprintf(text, sizeof text, "{'tokens': [{'name': 'a', 'token': {'file': '%s'}}]}",
		 secret_path);
	was = parse_good("{}");
	is = load_again(was, text);
	assert_non_null(is);
	conf_release(was);
	was = is;
	write_file(secret_path, "the-other-secret");
	is = load_again(was, text);
	assert_non_null(is);
	memset(&told, 0, sizeof told);
	assert_true(conf_compare(was, is, see, NULL));
	assert_string_equal(told.text, "*token a\n");
	conf_release(was);
	conf_release(is);
}

static void
test_compare_no_file(void **state)
{
	struct conf *running = parse_good("{}");

	(void)state;
	memset(&told, 0, sizeof told);
	assert_null(conf_load_again("/dev/null", running, NULL, add_line, &told));
	assert_string_equal(told.text, "/dev/null: cannot be read: it is not a regular file\n");
	conf_release(running);
}

static int
make_files(void **state)
{
	(void)state;
	close(mkstemp(path));
	close(mkstemp(secret_path));
	return 0;
}

static int
remove_files(void **state)
{
	(void)state;
	unlink(path);
	unlink(secret_path);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_compare_alike),
	    cmocka_unit_test(test_compare_settings),
	    cmocka_unit_test(test_compare_objects),
	    cmocka_unit_test(test_compare_values),
	    cmocka_unit_test(test_compare_fixed),
	    cmocka_unit_test(test_compare_secret_file),
	    cmocka_unit_test(test_compare_no_file),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, make_files, remove_files);
}
