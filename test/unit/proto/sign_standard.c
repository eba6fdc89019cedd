/*
 * Signatures of Standard Webhooks (CONTRACT §8), by the vectors in test/vectors/: published ones,
 * and others that say how they were computed.
 *
 * Runs in the project's root, or with the vectors' path as its argument.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <sodium.h>

#include "proto/json_read.h"
#include "proto/sign.h"

#define SHARED  "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define PRIVATE "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc="
#define PUBLIC  "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
#define SHARED_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define PRIVATE_SIGNATURE                                                 \
	"v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJa" \
	"A7AZdpXwVLPo3mNl8EM+m7TBAg=="

static const char *vectors_path = "test/vectors/standard_webhooks.json";

/* What SHARED_SIGNATURE and PRIVATE_SIGNATURE sign. */
static const struct sign_message published = {{"msg_p5jXN8AQM9LWM0D4loKWxJek", 28},
    {"1614265330", 10}, {"{\"test\": 2432232314}", 20}};

static int
start_sodium(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

static struct sign_key
read_key(struct slice text)
{
	struct sign_key key;
	const char *wrong = sign_key_read(text, &key);

	if (wrong != NULL)
		fail_msg("%.*s %s", (int)text.n, text.p, wrong);
	return key;
}

static bool
verifies(const char *key_text, const struct sign_message *message, const char *header)
{
	struct sign_key key = read_key(slice_of(key_text));

	return sign_standard_verify(&key, 1, message, slice_of(header));
}

static struct slice
text_of(const struct json *vector, const char *name)
{
	const struct json *member = json_get(vector, name);

	return member == NULL ? (struct slice){NULL, 0} : member->text;
}

/* Makes the vector's signature, and takes it with each of its keys. */
static void
check_vector(const struct json *vector)
{
	struct sign_message message = {text_of(vector, "id"), text_of(vector, "timestamp"),
	    text_of(vector, "body")};
	struct slice want = text_of(vector, "signature"), public = text_of(vector, "public");
	struct sign_key key = read_key(text_of(vector, "key"));
	struct buf out;

	buf_init(&out, 256);
	sign_standard(&out, &key, 1, &message);
	assert_false(out.failed);
	assert_true(slice_is(buf_slice(&out), want));
	buf_free(&out);
	assert_true(sign_standard_verify(&key, 1, &message, want));
	if (public.n > 0) {
		key = read_key(public);
		assert_true(sign_standard_verify(&key, 1, &message, want));
	}
}

static void
test_sign_standard_vectors(void **state)
{
	static char text[1 << 16];
	FILE *file = fopen(vectors_path, "r");
	struct json_error error;
	struct arena arena;
	struct json *root;
	size_t n;

	(void)state;
	assert_non_null(file);
	n = fread(text, 1, sizeof text, file);
	fclose(file);
	arena_init(&arena, 1 << 20);
	root = json_read(&arena, text, n, 0, 8, &error);
	assert_non_null(root);
	assert_true(root->count >= 6);
	for (const struct json *vector = root->first; vector != NULL; vector = vector->next)
		check_vector(vector);
	arena_free(&arena);
}

/* One signature for each key, in their order, a space between two; any of them will do. */
static void
test_sign_standard_rotation(void **state)
{
	struct sign_key keys[] = {read_key(SLICE(SHARED)), read_key(SLICE(PRIVATE)),
	    read_key(SLICE("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="))};
	const char *first = SHARED_SIGNATURE " " PRIVATE_SIGNATURE " v1,";
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	sign_standard(&out, keys, COUNT_OF(keys), &published);
	assert_int_equal(out.n, strlen(first) + 44);
	assert_memory_equal(out.p, first, strlen(first));
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		assert_true(sign_standard_verify(&keys[i], 1, &published, buf_slice(&out)));
	assert_true(sign_standard_verify(keys, 2, &published, SLICE(PRIVATE_SIGNATURE)));
	assert_false(sign_standard_verify(&keys[2], 1, &published, SLICE(PRIVATE_SIGNATURE)));
	buf_free(&out);
}

/* No room is told, not cut. */
static void
test_sign_standard_no_room(void **state)
{
	struct sign_key key = read_key(SLICE(SHARED));
	struct buf out;

	(void)state;
	buf_init(&out, strlen(SHARED_SIGNATURE) - 1);
	sign_standard(&out, &key, 1, &published);
	assert_true(out.failed);
	buf_free(&out);
}

static void
test_sign_standard_verify_headers(void **state)
{
	static const struct {
		const char *header;
		bool shared, private;
	} rows[] = {
		{SHARED_SIGNATURE, true, false},
		{PRIVATE_SIGNATURE, false, true},
		{"v1,AAAA " PRIVATE_SIGNATURE, false, true},
		{"v2,x v1a, " SHARED_SIGNATURE " v1", true, false},
		{"  " SHARED_SIGNATURE "  ", true, false},
		{"", false, false},
		{" ", false, false},
		{"v1,", false, false},
		{"v1a,", false, false},
		{"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE", false, false},
		{"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF=", false, false},
		{"g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", false, false},
		{"v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", false, false},
		{SHARED_SIGNATURE "," PRIVATE_SIGNATURE, false, false},
		{PRIVATE_SIGNATURE "A", false, false},
		{"V1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", false, false},
		{"a b c d e f g h i j k l m n o " SHARED_SIGNATURE, true, false},
		{"a b c d e f g h i j k l m n o p " SHARED_SIGNATURE, false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (verifies(SHARED, &published, rows[i].header) != rows[i].shared)
			fail_msg("v1: %s", rows[i].header);
		if (verifies(PRIVATE, &published, rows[i].header) != rows[i].private)
			fail_msg("v1a: %s", rows[i].header);
		if (verifies(PUBLIC, &published, rows[i].header) != rows[i].private)
			fail_msg("v1a, public: %s", rows[i].header);
	}
}

/* Id, time and body are all signed, each for itself. */
static void
test_sign_standard_verify_messages(void **state)
{
	struct sign_message other[] = {published, published, published, published, published,
	    published};

	(void)state;
	other[0].id = SLICE("msg_p5jXN8AQM9LWM0D4loKWxJel");
	other[1].timestamp = SLICE("1614265331");
	other[2].body.n--;
	other[3].id = (struct slice){NULL, 0};
	other[4].timestamp = (struct slice){NULL, 0};
	other[5].body = (struct slice){NULL, 0};
	for (size_t i = 0; i < COUNT_OF(other); i++) {
		assert_false(verifies(SHARED, &other[i], SHARED_SIGNATURE));
		assert_false(verifies(PUBLIC, &other[i], PRIVATE_SIGNATURE));
	}
}

/* The same bytes taken apart in another way are another message: not verified. Nor is a time that is
 * no number, whoever signed it. */
static void
test_sign_standard_verify_one_reading(void **state)
{
	static const struct sign_message same[] = {
		{{"a", 1}, {"1", 1}, {"2.b", 3}},
		{{"a.1", 3}, {"2", 1}, {"b", 1}},
		{{"a", 1}, {"1.2", 3}, {"b", 1}},
		{{"a", 1}, {"1x", 2}, {"b", 1}},
	};
	struct sign_key key = read_key(SLICE(SHARED));
	struct buf out;

	(void)state;
	buf_init(&out, 256);
	for (size_t i = 0; i < COUNT_OF(same); i++) {
		buf_clear(&out);
		sign_standard(&out, &key, 1, &same[i]);
		assert_int_equal(sign_standard_verify(&key, 1, &same[i], buf_slice(&out)), i == 0);
	}
	buf_free(&out);
}

static void
test_sign_key_lengths(void **state)
{
	static const struct {
		const char *prefix;
		enum sign_key_type type;
		size_t good[8]; /* up to a 0 */
	} rows[] = {
		{"whsec_", SIGN_KEY_SHARED, {24, 25, 26, 32, 48, 63, 64}},
		{"whsk_", SIGN_KEY_PRIVATE, {32}},
		{"whpk_", SIGN_KEY_PUBLIC, {32}},
	};
	uint8_t zeros[80] = {0};
	char text[160];
	struct sign_key key;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t p = strlen(rows[i].prefix), next = 0;

		memcpy(text, rows[i].prefix, p);
		for (size_t n = 0; n < sizeof zeros; n++) {
			bool listed = n > 0 && n == rows[i].good[next];
			bool between = i == 0 && n >= 24 && n <= 64;

			sodium_bin2base64(text + p, sizeof text - p, zeros, n,
			    sodium_base64_VARIANT_ORIGINAL);
			if ((sign_key_read(slice_of(text), &key) == NULL) != (listed || between))
				fail_msg("%s of %zu bytes", rows[i].prefix, n);
			next += listed;
			if (listed)
				assert_int_equal(key.type, rows[i].type);
		}
	}
}

static void
test_sign_key_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"", "begin"},
		{"whsec", "begin"},
		{"WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "begin"},
		{"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "begin"},
		{" " SHARED, "begin"},
		{"whsec_", "24 to 64"},
		{SHARED "\n", "base64"},
		{SHARED " ", "base64"},
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_", "base64"},
		{"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "padding"},
		{"whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9l"
		 "MicMFs6Kvw==", "second half"},
		{"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbO", "32 bytes"},
	};
	struct sign_key key;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *why = sign_key_read(slice_of(rows[i].text), &key);

		if (why == NULL || strstr(why, rows[i].why) == NULL)
			fail_msg("\"%s\": %s", rows[i].text, why == NULL ? "is taken" : why);
	}
}

/* Nothing of a refused key stays behind. */
static void
test_sign_key_refused_is_wiped(void **state)
{
	struct sign_key key;

	(void)state;
	memset(&key, 0xff, sizeof key);
	assert_non_null(sign_key_read(SLICE("whsec_MfKQ9r8GKYqrTwjUPD8ILPZI"), &key));
	assert_true(sodium_is_zero(key.bytes, sizeof key.bytes));
}

static void
test_sign_key_looks_standard(void **state)
{
	(void)state;
	assert_true(sign_key_looks_standard(SLICE("whsec_")));
	assert_true(sign_key_looks_standard(SLICE("whsk_x")));
	assert_true(sign_key_looks_standard(SLICE("whpk_x")));
	assert_false(sign_key_looks_standard(SLICE("whsec")));
	assert_false(sign_key_looks_standard(SLICE("a key")));
	assert_false(sign_key_looks_standard((struct slice){NULL, 0}));
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign_standard_vectors),
		cmocka_unit_test(test_sign_standard_rotation),
		cmocka_unit_test(test_sign_standard_no_room),
		cmocka_unit_test(test_sign_standard_verify_headers),
		cmocka_unit_test(test_sign_standard_verify_messages),
		cmocka_unit_test(test_sign_standard_verify_one_reading),
		cmocka_unit_test(test_sign_key_lengths),
		cmocka_unit_test(test_sign_key_refused),
		cmocka_unit_test(test_sign_key_refused_is_wiped),
		cmocka_unit_test(test_sign_key_looks_standard),
	};

	if (argc > 1)
		vectors_path = argv[1];
	return cmocka_run_group_tests(tests, start_sodium, NULL);
}
