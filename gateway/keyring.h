/* The keys that a command was given with -k, of every kind that signs or verifies a webhook. */
#ifndef GATEWAY_KEYRING_H
#define GATEWAY_KEYRING_H

#include "proto/sign.h"

enum { KEYRING_MAX = 16 };

struct keyring {
	struct slice hmac[KEYRING_MAX]; /* what is no key of Standard Webhooks by its beginning */
	size_t hmac_count;
	struct sign_key standard[KEYRING_MAX];
	size_t standard_count;
};

/* Adds a key, whose text must stay. NULL, or what is wrong with it, which shows nothing of it. */
const char *keyring_add(struct keyring *, const char *text) MUST NONNULL;

/* True if a key of that kind made the X-SIGNATURE of the body. */
bool keyring_verify_hmac(const struct keyring *, struct slice body, struct slice signature)
    MUST NONNULL;

/* True if a key of that kind made one of the signatures in the webhook-signature. */
bool keyring_verify_standard(const struct keyring *, const struct sign_message *,
    struct slice signatures) MUST NONNULL;

#endif
