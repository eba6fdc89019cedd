/*
 * What proves to a receiver who sent a webhook (CONTRACT §8). libsodium must be initialised.
 */
#ifndef PROTO_SIGN_H
#define PROTO_SIGN_H

#include "proto/base.h"

enum { SIGN_HMAC_TEXT = 45 }; /* base64 of 32 bytes, with the NUL */

/* X-SIGNATURE: base64(HMAC-SHA256(key, body)), standard alphabet with padding. */
void sign_hmac(struct slice key, struct slice body, char out[SIGN_HMAC_TEXT]) NONNULL;

/* True if text is the signature of body; compared in constant time. */
bool sign_hmac_verify(struct slice key, struct slice body, struct slice text) MUST;

/* Authorization: "Basic base64(user:password)". Returns the length, or 0 if out is too small. */
size_t sign_basic(struct slice user, struct slice password, char *out, size_t room) MUST NONNULL;

/* Equal? In time that depends on the lengths only. */
bool sign_equal(struct slice a, struct slice b) MUST;

#endif
