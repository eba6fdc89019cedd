/* A webhook's keys of Standard Webhooks (CONTRACT §8, §10): decoded, refused, and wiped. */
#include "parse.h"

#include <sodium.h>

#define SHARED    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define SEED      "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc="
#define PUBLIC    "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
#define AUTH(value) \
	"{'services': [{'name': 'S', 'webhooks': [{'name': 'W', 'url': 'http://a/', 'auth': " value \
	"}]}]}"
#define KEYS(list) AUTH("{'type': 'standard-webhooks', 'keys': [" list "]}")

/* libsodium's own, and whether it was called for all of what is watched. */
static struct slice watched;
static bool wiped;

void
sodium_memzero(void *const p, const size_t n)
{
	uintptr_t from = (uintptr_t)p, want = (uintptr_t)watched.p;

	if (watched.n > 0 && want >= from && want + watched.n <= from + n)
		wiped = true;
	explicit_bzero(p, n);
}

static void
test_signing_decoded(void **state)
{
	struct conf *conf = parse_good(KEYS("'" SHARED "', '" SEED "'"));
	const struct conf_webhook *webhook = &conf->webhooks[0];

	(void)state;
	assert_int_equal(webhook->auth, AUTH_STANDARD);
	assert_int_equal(webhook->signing_key_count, 2);
	assert_int_equal(webhook->signing_keys[0].type, SIGN_KEY_SHARED);
	assert_int_equal(webhook->signing_keys[0].n, 24);
	assert_memory_equal(webhook->signing_keys[0].bytes, "\x31\xf2\x90\xf6", 4);
	assert_int_equal(webhook->signing_keys[1].type, SIGN_KEY_PRIVATE);
	assert_memory_equal(webhook->signing_keys[1].bytes, "\xe9\x76\xff\x74", 4);
	conf_release(conf);
}

static void
test_signing_from_environment(void **state)
{
	struct conf *conf;

	(void)state;
	assert_int_equal(setenv("TOCSIN_TEST_KEY", SHARED, 1), 0);
	conf = parse_good(KEYS("{'env': 'TOCSIN_TEST_KEY'}"));
	assert_int_equal(conf->webhooks[0].signing_keys[0].n, 24);
	conf_release(conf);
}

static void
test_signing_with_others(void **state)
{
	static const struct {
		const char *other;
		unsigned bit;
	} rows[] = {
		{"{'type': 'hmac', 'key': 'k'}", AUTH_HMAC},
		{"{'type': 'basic', 'username': 'u', 'password': 'p'}", AUTH_BASIC},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct conf *conf;

		snprintf(text, sizeof text,
		    AUTH("[{'type': 'standard-webhooks', 'keys': ['" SHARED "']}, %s]"),
		    rows[i].other);
		conf = parse_good(text);
		assert_int_equal(conf->webhooks[0].auth, AUTH_STANDARD | rows[i].bit);
		conf_release(conf);
	}
}

static void
test_signing_refused(void **state)
{
	static const struct {
		const char *text, *key, *what;
	} rows[] = {
		{KEYS(""), ".keys", "must have 1 to 16 elements"},
		{AUTH("{'type': 'standard-webhooks'}"), ".keys", "is missing"},
		{AUTH("{'type': 'standard-webhooks', 'keys': '" SHARED "'}"), ".keys",
		    "must be a list"},
		{AUTH("{'type': 'hmac', 'key': 'k', 'keys': ['" SHARED "']}"), ".keys",
		    "is not used by type \"hmac\""},
		{KEYS("'" SHARED "', 'whsec_short'"), ".keys[1]",
		    "must be whsec_ and the base64, with padding, of 24 to 64 bytes"},
		{KEYS("'secret-value'"), ".keys[0]", "must begin with whsec_ or whsk_"},
		{KEYS("''"), ".keys[0]", "must begin with whsec_ or whsk_"},
		{KEYS("'" PUBLIC "'"), ".keys[0]",
		    "is a public key, which cannot sign; give its whsk_ key"},
		{KEYS("7"), ".keys[0]",
		    "must be a text, {\"file\": \"path\"} or {\"env\": \"NAME\"}"},
		{KEYS("{'env': 'TOCSIN_TEST_UNSET'}"), ".keys[0].env",
		    "needs \"TOCSIN_TEST_UNSET\" in the environment"},
		{AUTH("[{'type': 'standard-webhooks', 'keys': ['" SHARED "']},"
		      " {'type': 'standard-webhooks', 'keys': ['" SEED "']}]"), "[1].type",
		    "is given twice"},
		{AUTH("[{'type': 'none'}, {'type': 'standard-webhooks', 'keys': ['" SHARED "']}]"),
		    "[0].type", "must not stand beside another"},
		{AUTH("[{'type': 'hmac', 'key': 'k'}, {'type': 'none'}]"), "[1].type",
		    "must not stand beside another"},
	};
	struct lines lines;
	char want[256];

	(void)state;
	unsetenv("TOCSIN_TEST_UNSET");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		snprintf(want, sizeof want, ": services[0].webhooks[0].auth%s: %s\n", rows[i].key,
		    rows[i].what);
		if (parse(rows[i].text, &lines) != NULL || strstr(lines.text, want) == NULL)
			fail_msg("%s: \"%s\" is not \"%s\"", rows[i].text, lines.text, want);
		if (strchr(lines.text, '\n')[1] != '\0')
			fail_msg("more than one line: %s", lines.text);
	}
}

/* The place is the key's own; nothing of it is shown. */
static void
test_signing_place(void **state)
{
	static const char text[] = KEYS("'" SHARED "', 'whsec_c2VjcmV0'");
	struct lines lines;
	char want[32];

	(void)state;
	snprintf(want, sizeof want, "t:1:%zu: ", (size_t)(strstr(text, "'whsec_c2V") - text) + 1);
	assert_null(parse(text, &lines));
	assert_memory_equal(lines.text, want, strlen(want));
	assert_null(strstr(lines.text, "c2VjcmV0"));
}

/* The last reference takes the decoded keys with it. */
static void
test_signing_wiped(void **state)
{
	struct conf *conf = parse_good(KEYS("'" SHARED "', '" SEED "'"));

	(void)state;
	watched = (struct slice){(const char *)conf->webhooks[0].signing_keys,
	    2 * sizeof(struct sign_key)};
	wiped = false;
	conf_release(conf_hold(conf));
	assert_false(wiped);
	conf_release(conf);
	assert_true(wiped);
	watched.n = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signing_decoded),
		cmocka_unit_test(test_signing_from_environment),
		cmocka_unit_test(test_signing_with_others),
		cmocka_unit_test(test_signing_refused),
		cmocka_unit_test(test_signing_place),
		cmocka_unit_test(test_signing_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
