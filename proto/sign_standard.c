/*
 * Signatures of Standard Webhooks.
 *
 *     content            ID "." TIMESTAMP "." BODY
 *     webhook-signature  signature *(" " signature)
 *     signature          "v1,"  base64(HMAC-SHA256(key, content))      key: whsec_
 *                        "v1a," base64(Ed25519(key, content))          key: whsk_, whpk_
 *
 * During a rotation there is one signature for each key, and a receiver is content with any that it
 * can verify. Ed25519 reads its content twice, so the content is put together in memory first.
 *
 * ID and TIMESTAMP come before BODY with nothing but a dot between them. An ID without dots and a
 * TIMESTAMP of digits leave one way only to take a content apart; others are not verified.
 */
#include <sodium.h>

#include "proto/sign.h"

enum {
	VARIANT = sodium_base64_VARIANT_ORIGINAL,
	KEY_TEXT_MAX = 88,   /* base64 of SIGN_KEY_MAX bytes */
	SIGNATURES_MAX = 16, /* that are looked at: each costs a pass over the body */
};

static const struct form {
	const char *prefix;
	enum sign_key_type type;
	size_t least, most; /* of its bytes */
	const char *wrong;
} forms[] = {
	{"whsec_", SIGN_KEY_SHARED, 24, SIGN_KEY_MAX,
	    "must be whsec_ and the base64, with padding, of 24 to 64 bytes"},
	{"whsk_", SIGN_KEY_PRIVATE, crypto_sign_SEEDBYTES, crypto_sign_SECRETKEYBYTES,
	    "must be whsk_ and the base64, with padding, of an Ed25519 key of 32 or 64 bytes"},
	{"whpk_", SIGN_KEY_PUBLIC, crypto_sign_PUBLICKEYBYTES, crypto_sign_PUBLICKEYBYTES,
	    "must be whpk_ and the base64, with padding, of an Ed25519 key of 32 bytes"},
};

/* ---- keys -------------------------------------------------------------------------------- */

static bool
begins(struct slice text, struct slice prefix)
{
	return text.n >= prefix.n && memcmp(text.p, prefix.p, prefix.n) == 0;
}

static struct slice
behind(struct slice text, size_t n)
{
	return (struct slice){text.p + n, text.n - n};
}

static const struct form *
find_form(struct slice text)
{
	for (size_t i = 0; i < COUNT_OF(forms); i++)
		if (begins(text, slice_of(forms[i].prefix)))
			return &forms[i];
	return NULL;
}

bool
sign_key_looks_standard(struct slice text)
{
	return find_form(text) != NULL;
}

/* Ed25519 keys have one of two lengths, shared ones any between. */
static bool
fits(const struct form *form, size_t n)
{
	if (form->type == SIGN_KEY_SHARED)
		return n >= form->least && n <= form->most;
	return n == form->least || n == form->most;
}

/* From a seed to seed and public key, the form in which libsodium signs. A public key that came
 * along must be the seed's: signing with another one would give the private key away. */
static const char *
complete(struct sign_key *key)
{
	uint8_t public[crypto_sign_PUBLICKEYBYTES], whole[crypto_sign_SECRETKEYBYTES];
	bool same;

	crypto_sign_seed_keypair(public, whole, key->bytes);
	same = key->n < sizeof whole || sodium_memcmp(key->bytes, whole, sizeof whole) == 0;
	memcpy(key->bytes, whole, sizeof whole);
	key->n = sizeof whole;
	sodium_memzero(whole, sizeof whole);
	return same ? NULL : "has a second half that is not the public key of its first";
}

static const char *
decode(const struct form *form, struct slice base64, struct sign_key *key)
{
	*key = (struct sign_key){.type = form->type};
	if (base64.n > KEY_TEXT_MAX ||
	    sodium_base642bin(key->bytes, sizeof key->bytes, base64.p, base64.n, NULL, &key->n,
		NULL, VARIANT) != 0 ||
	    !fits(form, key->n))
		return form->wrong;
	return form->type == SIGN_KEY_PRIVATE ? complete(key) : NULL;
}

const char *
sign_key_read(struct slice text, struct sign_key *key)
{
	const struct form *form = find_form(text);
	const char *wrong;

	if (form == NULL)
		return "must begin with whsec_ or whsk_";
	wrong = decode(form, behind(text, strlen(form->prefix)), key);
	if (wrong != NULL)
		sodium_memzero(key, sizeof *key);
	return wrong;
}

/* ---- signing ----------------------------------------------------------------------------- */

/* What is signed, in a buffer of its own, for buf_free(). */
static struct buf
join(const struct sign_message *message)
{
	struct buf b;

	buf_init(&b, message->id.n + message->timestamp.n + message->body.n + 2);
	buf_put_slice(&b, message->id);
	buf_putc(&b, '.');
	buf_put_slice(&b, message->timestamp);
	buf_putc(&b, '.');
	buf_put_slice(&b, message->body);
	return b;
}

static struct slice
shared_bytes(const struct sign_key *key)
{
	return (struct slice){(const char *)key->bytes, key->n};
}

static void
sign_shared(struct buf *out, const struct sign_key *key, struct slice content)
{
	char text[SIGN_HMAC_TEXT];

	if (!sign_hmac(shared_bytes(key), content, text)) {
		out->failed = true;
		return;
	}
	buf_puts(out, "v1,");
	buf_puts(out, text);
}

static void
sign_private(struct buf *out, const struct sign_key *key, struct slice content)
{
	char text[sodium_base64_ENCODED_LEN(crypto_sign_BYTES, VARIANT)];
	uint8_t signature[crypto_sign_BYTES];

	crypto_sign_detached(signature, NULL, (const uint8_t *)content.p, content.n, key->bytes);
	sodium_bin2base64(text, sizeof text, signature, sizeof signature, VARIANT);
	buf_puts(out, "v1a,");
	buf_puts(out, text);
}

void
sign_standard(struct buf *out, const struct sign_key *keys, size_t count,
    const struct sign_message *message)
{
	struct buf content = join(message);

	if (content.failed)
		out->failed = true;
	for (size_t i = 0; i < count && !content.failed; i++) {
		if (i > 0)
			buf_putc(out, ' ');
		if (keys[i].type == SIGN_KEY_SHARED)
			sign_shared(out, &keys[i], buf_slice(&content));
		else
			sign_private(out, &keys[i], buf_slice(&content));
	}
	buf_free(&content);
}

/* ---- verifying --------------------------------------------------------------------------- */

static bool
one_reading(const struct sign_message *message)
{
	for (size_t i = 0; i < message->timestamp.n; i++)
		if (message->timestamp.p[i] < '0' || message->timestamp.p[i] > '9')
			return false;
	return message->timestamp.n > 0 && message->id.n > 0 &&
	       memchr(message->id.p, '.', message->id.n) == NULL;
}

static bool
verify_public(const uint8_t *public, struct slice content, struct slice base64)
{
	uint8_t signature[crypto_sign_BYTES];
	size_t n;

	if (sodium_base642bin(signature, sizeof signature, base64.p, base64.n, NULL, &n, NULL,
		VARIANT) != 0 ||
	    n != sizeof signature)
		return false;
	return crypto_sign_verify_detached(signature, (const uint8_t *)content.p, content.n,
		   public) == 0;
}

/* One signature with one key. */
static bool
verify_one(const struct sign_key *key, struct slice content, struct slice signature)
{
	bool symmetric = key->type == SIGN_KEY_SHARED;
	struct slice version = symmetric ? SLICE("v1,") : SLICE("v1a,");
	struct slice base64;

	if (!begins(signature, version))
		return false;
	base64 = behind(signature, version.n);
	if (symmetric)
		return sign_hmac_verify(shared_bytes(key), content, base64);
	return verify_public(key->type == SIGN_KEY_PUBLIC ? key->bytes
							  : key->bytes + crypto_sign_SEEDBYTES,
	    content, base64);
}

/* Takes the signature that the header begins with off it. */
static struct slice
next_signature(struct slice *header)
{
	const char *space = memchr(header->p, ' ', header->n);
	struct slice first = {header->p, space == NULL ? header->n : (size_t)(space - header->p)};

	*header = behind(*header, space == NULL ? first.n : first.n + 1);
	return first;
}

bool
sign_standard_verify(const struct sign_key *keys, size_t count, const struct sign_message *message,
    struct slice header)
{
	struct buf content = join(message);
	bool verified = false, sound = one_reading(message) && !content.failed;

	for (int n = 0; sound && !verified && header.n > 0 && n < SIGNATURES_MAX; n++) {
		struct slice signature = next_signature(&header);

		for (size_t i = 0; i < count && !verified; i++)
			verified = verify_one(&keys[i], buf_slice(&content), signature);
	}
	buf_free(&content);
	return verified;
}
