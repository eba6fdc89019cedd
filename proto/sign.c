/*
 * What proves to a receiver who sent a webhook.
 *
 *     X-SIGNATURE: base64(HMAC-SHA256(key, body))          sign_hmac, sign_hmac_verify
 *     Authorization: Basic base64(user ":" password)       sign_basic
 *     webhook-signature: v1,... v1a,...                    sign_standard.c
 *
 * SHA-256 is OpenSSL's, which uses the processor's instructions for it: a fifth of the time of
 * libsodium's, which would be most of what a delivery costs. What holds a key or is derived from
 * one is wiped, and compared in constant time.
 */
#include "proto/sign.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>

enum {
	BASE64_BLOCK = 48, /* a multiple of 3, so that padding comes at the end only */
};

/* libsodium takes no NULL, not even for nothing. */
static const unsigned char *
bytes_of(struct slice s)
{
	return (const unsigned char *)(s.p == NULL ? "" : s.p);
}

/* One for the life of the process: to make it takes longer than to use it. */
static EVP_MAC_CTX *
hmac_sha256(void)
{
	static char name[] = "SHA256";
	static EVP_MAC_CTX *context;
	OSSL_PARAM digest[] = {OSSL_PARAM_construct_utf8_string("digest", name, 0),
	    OSSL_PARAM_construct_end()};
	EVP_MAC *mac;

	if (context == NULL && (mac = EVP_MAC_fetch(NULL, "HMAC", NULL)) != NULL) {
		context = EVP_MAC_CTX_new(mac);
		EVP_MAC_free(mac); /* the context holds it too */
	}
	if (context == NULL || EVP_MAC_CTX_set_params(context, digest) != 1)
		return NULL;
	return context;
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
	EVP_MAC_CTX *context = hmac_sha256();
	unsigned char mac[32];
	size_t n;

	if (context == NULL || EVP_MAC_init(context, bytes_of(key), key.n, NULL) != 1 ||
	    EVP_MAC_update(context, bytes_of(body), body.n) != 1 ||
	    EVP_MAC_final(context, mac, &n, sizeof mac) != 1)
		return false;
	sodium_bin2base64(out, SIGN_HMAC_TEXT, mac, n, sodium_base64_VARIANT_ORIGINAL);
	sodium_memzero(mac, sizeof mac);
	/* What the context keeps is made of the key that it was given last. */
	return EVP_MAC_init(context, bytes_of(SLICE("")), 0, NULL) == 1;
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
