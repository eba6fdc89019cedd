/*
 * What proves to a receiver who sent a webhook.
 *
 *     X-SIGNATURE: base64(HMAC-SHA256(key, body))          sign_hmac, sign_hmac_verify
 *     Authorization: Basic base64(user ":" password)       sign_basic
 *     webhook-signature: v1,... v1a,...                    sign_standard.c
 *
 * SHA-256 is OpenSSL's, which uses the processor's instructions for it: a fifth of the time of
 * libsodium's, which would be most of what a delivery costs. The two digests of an HMAC are made
 * here: OpenSSL's HMAC would look up its digest, take a key and forget it again in three times the
 * time of a short body. What holds a key or is derived from one is wiped, and compared in constant
 * time.
 */
#include "proto/sign.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sodium.h>

enum {
	BASE64_BLOCK = 48, /* a multiple of 3, so that padding comes at the end only */
	BLOCK = 64,        /* of SHA-256 */
	DIGEST = 32,
};

/* libsodium takes no NULL, not even for nothing. */
static const unsigned char *
bytes_of(struct slice s)
{
	return (const unsigned char *)(s.p == NULL ? "" : s.p);
}

/* Of both, one behind the other. One context for the life of the process, as making one takes
 * longer than using it. False without memory. */
static bool
digest(struct slice a, struct slice b, uint8_t out[DIGEST])
{
	static EVP_MD_CTX *context;
	static EVP_MD *sha256;

	if (sha256 == NULL)
		sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (context == NULL)
		context = EVP_MD_CTX_new();
	return sha256 != NULL && context != NULL &&
	       EVP_DigestInit_ex2(context, sha256, NULL) == 1 &&
	       EVP_DigestUpdate(context, bytes_of(a), a.n) == 1 &&
	       EVP_DigestUpdate(context, bytes_of(b), b.n) == 1 &&
	       EVP_DigestFinal_ex(context, out, NULL) == 1;
}

/* The key as one block; of a longer one the digest. */
static bool
fit_key(struct slice key, uint8_t block[BLOCK])
{
	memset(block, 0, BLOCK);
	if (key.n > BLOCK)
		return digest(key, SLICE(""), block);
	memcpy(block, bytes_of(key), key.n);
	return true;
}

static void
mix(uint8_t block[BLOCK], uint8_t with)
{
	for (size_t i = 0; i < BLOCK; i++)
		block[i] ^= with;
}

/* RFC 2104. What is left in the context is the result, which is no secret. */
static bool
hmac(struct slice key, struct slice body, uint8_t out[DIGEST])
{
	uint8_t block[BLOCK], inner[DIGEST];
	struct slice pad = {(const char *)block, BLOCK}, rest = {(const char *)inner, DIGEST};
	bool good = fit_key(key, block);

	mix(block, 0x36);
	good = good && digest(pad, body, inner);
	mix(block, 0x36 ^ 0x5C);
	good = good && digest(pad, rest, out);
	sodium_memzero(block, sizeof block);
	sodium_memzero(inner, sizeof inner);
	return good;
}

bool
sign_start(void)
{
	char text[SIGN_HMAC_TEXT];

	/* Without a default context OpenSSL would crash in the first thing it is asked for. */
	return OSSL_LIB_CTX_get0_global_default() != NULL &&
	       sign_hmac(SLICE("key"), SLICE("body"), text);
}

bool
sign_hmac(struct slice key, struct slice body, char out[SIGN_HMAC_TEXT])
{
	uint8_t mac[DIGEST];

	if (!hmac(key, body, mac))
		return false;
	sodium_bin2base64(out, SIGN_HMAC_TEXT, mac, sizeof mac, sodium_base64_VARIANT_ORIGINAL);
	return true;
}

bool
sign_hmac_verify(struct slice key, struct slice body, struct slice text)
{
	char expected[SIGN_HMAC_TEXT];
	bool same;

	if (!sign_hmac(key, body, expected))
		return false;
	same = sign_equal((struct slice){expected, sizeof expected - 1}, text);
	sodium_memzero(expected, sizeof expected);
	return same;
}

static size_t
base64_length(size_t n)
{
	return (n + 2) / 3 * 4;
}

/* Byte i of "user:password". */
static char
credential_at(struct slice user, struct slice password, size_t i)
{
	if (i < user.n)
		return user.p[i];
	return i == user.n ? ':' : password.p[i - user.n - 1];
}

/* Block by block, so that the joined text, which may be long, never exists as a whole. */
size_t
sign_basic(struct slice user, struct slice password, char *out, size_t room)
{
	struct slice scheme = SLICE("Basic ");
	size_t n = user.n + 1 + password.n, length = scheme.n + base64_length(n);
	char *to = out + scheme.n;
	unsigned char block[BASE64_BLOCK];

	if (length >= room)
		return 0;
	memcpy(out, scheme.p, scheme.n);
	for (size_t at = 0; at < n; at += BASE64_BLOCK) {
		size_t part = n - at < BASE64_BLOCK ? n - at : BASE64_BLOCK;

		for (size_t i = 0; i < part; i++)
			block[i] = (unsigned char)credential_at(user, password, at + i);
		sodium_bin2base64(to, base64_length(part) + 1, block, part,
		    sodium_base64_VARIANT_ORIGINAL);
		to += base64_length(part);
	}
	sodium_memzero(block, sizeof block);
	return length;
}

bool
sign_equal(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0);
}

bool
sign_matches(struct slice secret, struct slice given)
{
	uint8_t digests[2][crypto_generichash_BYTES];
	bool same;

	crypto_generichash(digests[0], sizeof digests[0], (const uint8_t *)secret.p, secret.n, NULL,
	    0);
	crypto_generichash(digests[1], sizeof digests[1], (const uint8_t *)given.p, given.n, NULL,
	    0);
	same = sodium_memcmp(digests[0], digests[1], sizeof digests[0]) == 0;
	sodium_memzero(digests, sizeof digests);
	return same;
}
