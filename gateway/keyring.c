/*
 * A key tells by its beginning what it is for: whsec_, whsk_ and whpk_ are keys of Standard
 * Webhooks, any other text is a key for X-SIGNATURE.
 */
#include "gateway/keyring.h"

const char *
keyring_add(struct keyring *ring, const char *text)
{
	struct slice key = slice_of(text);
	const char *wrong;

	if (key.n == 0)
		return "must not be empty";
	if (ring->hmac_count + ring->standard_count == KEYRING_MAX)
		return "is one too many: 16 are enough";
	if (!sign_key_looks_standard(key)) {
		ring->hmac[ring->hmac_count++] = key;
		return NULL;
	}
	wrong = sign_key_read(key, &ring->standard[ring->standard_count]);
	if (wrong == NULL)
		ring->standard_count++;
	return wrong;
}

bool
keyring_verify_hmac(const struct keyring *ring, struct slice body, struct slice signature)
{
	for (size_t i = 0; i < ring->hmac_count; i++)
		if (sign_hmac_verify(ring->hmac[i], body, signature))
			return true;
	return false;
}

bool
keyring_verify_standard(const struct keyring *ring, const struct sign_message *message,
    struct slice signatures)
{
	return sign_standard_verify(ring->standard, ring->standard_count, message, signatures);
}
