/*
 * What proves to a receiver who sent a webhook (CONTRACT §8). libsodium must be initialised.
 */
#ifndef PROTO_SIGN_H
#define PROTO_SIGN_H

#include "proto/buf.h"

enum { SIGN_HMAC_TEXT = 45 }; /* base64 of 32 bytes, with the NUL */

/* Has OpenSSL made ready for HMAC, which takes thousands of allocations and is never tried again
 * when one of them fails: for a process that must go on, at its start. False without memory. */
bool sign_start(void) MUST;

/* X-SIGNATURE: base64(HMAC-SHA256(key, body)), standard alphabet with padding. False without
 * memory. */
bool sign_hmac(struct slice key, struct slice body, char out[SIGN_HMAC_TEXT]) MUST NONNULL;

/* True if text is the signature of body; compared in constant time. */
bool sign_hmac_verify(struct slice key, struct slice body, struct slice text) MUST;

/* Authorization: "Basic base64(user:password)". Returns the length, or 0 if out is too small. */
size_t sign_basic(struct slice user, struct slice password, char *out, size_t room) MUST NONNULL;

/* Equal? In time that depends on the lengths only. */
bool sign_equal(struct slice a, struct slice b) MUST;
/* Is given the secret? Their digests are compared: the time tells nothing of the secret, not even
 * whether its length was met. */
bool sign_matches(struct slice secret, struct slice given) MUST;

/*
 * Standard Webhooks (standardwebhooks.com). Its keys:
 *
 *     whsec_ and base64 of 24 to 64 bytes            makes and verifies "v1,..."
 *     whsk_ and base64 of a seed of 32 bytes, or
 *           of the seed and its public key           makes and verifies "v1a,..."
 *     whpk_ and base64 of a public key of 32 bytes   verifies "v1a,..."
 */
enum sign_key_type { SIGN_KEY_SHARED, SIGN_KEY_PRIVATE, SIGN_KEY_PUBLIC };

enum { SIGN_KEY_MAX = 64 };

struct sign_key {
	enum sign_key_type type;
	size_t n;
	uint8_t bytes[SIGN_KEY_MAX]; /* private: seed and public key */
};

struct sign_message {
	struct slice id;        /* webhook-id */
	struct slice timestamp; /* webhook-timestamp: seconds since 1970, in digits */
	struct slice body;
};

/* Does the text begin as such a key does? */
bool sign_key_looks_standard(struct slice text) MUST;

/* Decodes a key. NULL, or what is wrong with it as a sentence that shows nothing of it. */
const char *sign_key_read(struct slice text, struct sign_key *) MUST NONNULL;

/* Appends a webhook-signature: one for each key, in their order, a space between two. Public keys
 * cannot sign and must not be among them. Without memory the buffer fails. */
void sign_standard(struct buf *, const struct sign_key *, size_t count,
    const struct sign_message *) NONNULL;

/* True if one of the first 16 signatures in the header verifies with one of the keys. */
bool sign_standard_verify(const struct sign_key *, size_t count, const struct sign_message *,
    struct slice header) MUST NONNULL;

#endif
