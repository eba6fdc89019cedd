/* What proves to a receiver who sent a webhook (CONTRACT §8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sodium.h>

#include "proto/sign.h"

#define VECTOR                                                                          \
	"{\"payload\": {\"event_type\": \"triggered\", \"incident\": {\"incident_number\": 60," \
	" \"title\": \"caf\\u00e9 \\u2603 \\ud83d\\ude00 \\\"q\\\" / \\u007f\","                \
	" \"priority\": null}}}"

static int
start_sodium(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

/* The first row is the vector that the contract names, then come RFC 4231's cases 2, 3 and 6, and
 * keys about as long as a block, by Python's hmac. */
static void
test_sign_hmac_vectors(void **state)
{
	char long_key[131], long_body[50];
	const struct {
		struct slice key, body;
		const char *want;
	} rows[] = {
		{SLICE("test-signing-key"), SLICE(VECTOR),
		    "OveAZfOgqdopTNbYX5xzvsAP2PwZCNHQvdwUlrCQqT8="},
		{SLICE("Jefe"), SLICE("what do ya want for nothing?"),
		    "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="},
		{{long_key, 20},
		    {long_body, sizeof long_body}, "dz6pHjaADkaFTbjr0JGBpylZCYs++MEi2WNVFM7VZf4="},
		{{long_key, sizeof long_key},
		    SLICE("Test Using Larger Than Block-Size Key - Hash Key First"),
		    "YOQxWR7gtn8Niiaqy/W3f44LxiE3KMUUBUYEDw7jf1Q="},
		{{long_key, 63},
		    {long_body, sizeof long_body}, "kDFX9GN6O6htdrUIwnmK/V6NXz0s3u3GIpXol7KeZII="},
		{{long_key, 64},
		    {long_body, sizeof long_body}, "47c+7w/hrZMN++J8EI2SUjTmSl2ajGzxqHq93JURxCs="},
		{{long_key, 65},
		    {long_body, sizeof long_body}, "tmAWqh+bavIobdwrL2NH+SWB6sdS9ZVwTlMLJ8UAOWU="},
		{{NULL, 0}, {NULL, 0}, "thNnmggU2ex3L5XXeMNfxf8Wl8STcVZTxscSFEKSxa0="},
	};
	char text[SIGN_HMAC_TEXT];

	(void)state;
	memset(long_key, 0xaa, sizeof long_key);
	memset(long_body, 0xdd, sizeof long_body);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_true(sign_hmac(rows[i].key, rows[i].body, text));
		assert_string_equal(text, rows[i].want);
		assert_true(sign_hmac_verify(rows[i].key, rows[i].body, slice_of(rows[i].want)));
	}
}

static void
test_sign_hmac_verify_refuses(void **state)
{
	struct slice key = SLICE("test-signing-key"), body = SLICE(VECTOR);

	(void)state;
	assert_false(sign_hmac_verify(key, body, SLICE("")));
	assert_false(sign_hmac_verify(key, body, (struct slice){NULL, 0}));
	assert_false(sign_hmac_verify(key, body,
	    SLICE("OveAZfOgqdopTNbYX5xzvsAP2PwZCNHQvdwUlrCQqT8")));
	assert_false(sign_hmac_verify(key, body,
	    SLICE("OveAZfOgqdopTNbYX5xzvsAP2PwZCNHQvdwUlrCQqT9=")));
	assert_false(sign_hmac_verify(SLICE("test-signing-kez"), body,
	    SLICE("OveAZfOgqdopTNbYX5xzvsAP2PwZCNHQvdwUlrCQqT8=")));
	body.n--;
	assert_false(sign_hmac_verify(key, body,
	    SLICE("OveAZfOgqdopTNbYX5xzvsAP2PwZCNHQvdwUlrCQqT8=")));
}

static void
test_sign_basic_text(void **state)
{
	static const struct {
		const char *user, *password, *want;
	} rows[] = {
		{"Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
		{"test", "123\xc2\xa3", "Basic dGVzdDoxMjPCow=="},
		{"", "", "Basic Og=="},
		{"ab", "", "Basic YWI6"},
		{"", "ab", "Basic OmFi"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct slice user = slice_of(rows[i].user), password = slice_of(rows[i].password);
		size_t n = strlen(rows[i].want);

		assert_int_equal(sign_basic(user, password, out, sizeof out), n);
		assert_string_equal(out, rows[i].want);
		assert_int_equal(sign_basic(user, password, out, n + 1), n);
		assert_int_equal(sign_basic(user, password, out, n), 0);
		assert_int_equal(sign_basic(user, password, out, 0), 0);
	}
}

/* Longer than one block: decodes to what went in, whatever the length. */
static void
test_sign_basic_long(void **state)
{
	char password[200], out[400];
	unsigned char back[300];

	(void)state;
	for (size_t i = 0; i < sizeof password; i++)
		password[i] = (char)('A' + i % 50);
	for (size_t n = 0; n <= sizeof password; n++) {
		size_t length = sign_basic(SLICE("user"), (struct slice){password, n}, out,
		    sizeof out);
		size_t got;

		assert_int_equal(strlen(out), length);
		assert_int_equal(sodium_base642bin(back, sizeof back, out + 6, length - 6, NULL,
		    &got, NULL,
		    sodium_base64_VARIANT_ORIGINAL), 0);
		assert_int_equal(got, n + 5);
		assert_memory_equal(back, "user:", 5);
		assert_memory_equal(back + 5, password, n);
	}
}

static void
test_sign_equal(void **state)
{
	(void)state;
	assert_true(sign_equal(SLICE("secret"), SLICE("secret")));
	assert_true(sign_equal(SLICE(""), (struct slice){NULL, 0}));
	assert_true(sign_equal(SLICE("a\0b"), SLICE("a\0b")));
	assert_false(sign_equal(SLICE("a\0b"), SLICE("a\0c")));
	assert_false(sign_equal(SLICE("secret"), SLICE("secreT")));
	assert_false(sign_equal(SLICE("secret"), SLICE("secre")));
	assert_false(sign_equal(SLICE("secret"), (struct slice){NULL, 0}));
}

/* The whole of it, exactly: not a part, not more, not another case, whatever bytes there are. */
static void
test_sign_matches(void **state)
{
	static const struct {
		struct slice secret, given;
		bool same;
	} cases[] = {
	    {SLICE("secret"), SLICE("secret"), true},
	    {SLICE("secret"), SLICE("secre"), false},
	    {SLICE("secret"), SLICE("secrets"), false},
	    {SLICE("secret"), SLICE("Secret"), false},
	    {SLICE("secret"), SLICE("secret\0"), false},
	    {SLICE("a\0b"), SLICE("a\0c"), false},
	    {SLICE("a\0b"), SLICE("a\0b"), true},
	    {SLICE("secret"), SLICE(""), false},
	    {SLICE("secret"), {NULL, 0}, false},
	    {{NULL, 0}, SLICE(""), true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(sign_matches(cases[i].secret, cases[i].given), cases[i].same);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign_hmac_vectors),
		cmocka_unit_test(test_sign_hmac_verify_refuses),
		cmocka_unit_test(test_sign_basic_text),
		cmocka_unit_test(test_sign_basic_long),
		cmocka_unit_test(test_sign_equal),
	    cmocka_unit_test(test_sign_matches),
	};

	return cmocka_run_group_tests(tests, start_sodium, NULL);
}
