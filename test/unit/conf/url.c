/* Addresses of webhooks (CONTRACT §8, §10): what is taken goes onto the wire as it is. */
#include "parse.h"

#include "conf/url.h"

static const struct good {
	const char *text, *host;
	int port;
	const char *authority, *target;
	bool https;
} good[] = {
	{"http://example.org", "example.org", 80, "example.org", "/", false},
	{"https://example.org/", "example.org", 443, "example.org", "/", true},
	{"HTTP://Example.ORG/A", "Example.ORG", 80, "Example.ORG", "/A", false},
	{"http://example.org:80/x", "example.org", 80, "example.org", "/x", false},
	{"https://example.org:443", "example.org", 443, "example.org", "/", true},
	{"https://example.org:80/", "example.org", 80, "example.org:80", "/", true},
	{"http://example.org:8080/a/b?c=d&e=@:/?", "example.org", 8080, "example.org:8080",
	    "/a/b?c=d&e=@:/?", false},
	{"http://127.0.0.1:9099/hook", "127.0.0.1", 9099, "127.0.0.1:9099", "/hook", false},
	{"http://[::1]/", "::1", 80, "[::1]", "/", false},
	{"http://[2001:db8::1]:65535/", "2001:db8::1", 65535, "[2001:db8::1]:65535", "/", false},
	{"http://[::ffff:10.0.0.1]:1/", "::ffff:10.0.0.1", 1, "[::ffff:10.0.0.1]:1", "/", false},
	{"http://hook_receiver/", "hook_receiver", 80, "hook_receiver", "/", false},
	{"http://1.example/", "1.example", 80, "1.example", "/", false},
	{"http://a/~%7E{}|\\^`", "a", 80, "a", "/~%7E{}|\\^`", false},
};

static const struct bad {
	const char *text, *why;
} bad[] = {
	{"", "must begin"},
	{"example.org", "must begin"},
	{"ftp://example.org/", "must begin"},
	{"http:/example.org/", "must begin"},
	{"http://", "host"},
	{"http:///path", "host"},
	{"http://:80/", "host"},
	{"http://a..b/", "host"},
	{"http://.a/", "host"},
	{"http://a./", "host"},
	{"http://a!b/", "host"},
	{"http://127.1/", "host"},
	{"http://2130706433/", "host"},
	{"http://0x7f000001/", "host"},
	{"http://127.0.0.0x1/", "host"},
	{"http://256.0.0.1/", "host"},
	{"http://127.0.0.1.5/", "host"},
	{"http://user@example.org/", "auth"},
	{"http://user:password@example.org/", "auth"},
	{"http://example.org:/", "port"},
	{"http://example.org:0/", "port"},
	{"http://example.org:65536/", "port"},
	{"http://example.org:8x/", "port"},
	{"http://example.org:-1/", "port"},
	{"http://example.org:000080/", "port"},
	{"http://[::1/", "bracket"},
	{"http://[]/", "brackets"},
	{"http://[127.0.0.1]/", "brackets"},
	{"http://[example.org]/", "brackets"},
	{"http://[::1%25eth0]/", "brackets"},
	{"http://[::1]x/", "host"},
	{"http://::1/", "host"},
	{"http://example.org?x=1", "query without a path"},
	{"http://example.org/#top", "fragment"},
	{"http://example.org/a b", "space"},
	{"http://example.org/\t", "space"},
	{"http://example.org/\r\nHost: other", "space"},
	{"http://example.org/\x7f", "space"},
	{"http://example.org/\xc3\xa4", "space"},
	{" http://example.org/", "space"},
};

static void
test_url_good(void **state)
{
	struct url url;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		const char *wrong = url_parse(slice_of(good[i].text), &url);

		if (wrong != NULL)
			fail_msg("%s: %s", good[i].text, wrong);
		assert_slice(url.host, good[i].host);
		assert_int_equal(url.port, good[i].port);
		assert_slice(url.authority, good[i].authority);
		assert_slice(url.target, good[i].target);
		assert_int_equal(url.https, good[i].https);
	}
}

static void
test_url_bad(void **state)
{
	struct url url;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		const char *wrong = url_parse(slice_of(bad[i].text), &url);

		if (wrong == NULL || strstr(wrong, bad[i].why) == NULL)
			fail_msg("\"%s\": %s", bad[i].text, wrong == NULL ? "taken" : wrong);
	}
}

static void
test_url_host_length(void **state)
{
	char text[400] = "http://";
	size_t n = strlen(text);
	struct url url;

	(void)state;
	memset(text + n, 'a', 63);
	assert_null(url_parse(slice_of(text), &url));
	text[n + 63] = 'a';
	assert_non_null(url_parse(slice_of(text), &url));
	for (size_t i = 0; i < 253; i++)
		text[n + i] = i % 50 == 49 ? '.' : 'a';
	assert_null(url_parse(slice_of(text), &url));
	text[n + 253] = 'a';
	assert_non_null(url_parse(slice_of(text), &url));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url_good),
		cmocka_unit_test(test_url_bad),
		cmocka_unit_test(test_url_host_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
