/*
 * Looking things up by what strangers send. Keys are found by their digests, SipHash under a key
 * made of all of them, which nobody else knows: the steps of the search depend on digests, from
 * which nobody can work towards a key, and the last comparison takes the same time whatever it
 * finds.
 */
#include <stdlib.h>

#include "conf/private.h"
#include "proto/text.h"

static int
by_digest(const void *a, const void *b)
{
	const struct conf_key *x = a, *y = b;
	int c = memcmp(x->digest, y->digest, sizeof x->digest);

	return c != 0 ? c : (int)x->integration->type - (int)y->integration->type;
}

static int
by_name(const void *a, const void *b)
{
	const struct conf_webhook *const *x = a, *const *y = b;

	return text_compare((*x)->name, (*y)->name);
}

static void
digest(const struct conf_private *own, struct slice key, uint8_t out[KEY_DIGEST])
{
	crypto_shorthash_siphashx24(out, (const uint8_t *)key.p, key.n, own->hash_key);
}

/* The same for the same file, so that nothing here is random. */
static void
make_hash_key(const struct conf *conf)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	for (size_t i = 0; i < conf->integration_count; i++) {
		struct slice key = conf->integrations[i].key;

		crypto_hash_sha256_update(&state, (const uint8_t *)key.p, key.n);
	}
	crypto_hash_sha256_final(&state, hash);
	memcpy(conf->own->hash_key, hash, sizeof conf->own->hash_key);
	sodium_memzero(&state, sizeof state);
	sodium_memzero(hash, sizeof hash);
}

bool
find_prepare(struct conf *conf)
{
	struct conf_private *own = conf->own;

	own->keys = arena_alloc(&own->arena, (conf->integration_count + 1) * sizeof *own->keys);
	own->webhooks = arena_alloc(&own->arena, (conf->webhook_count + 1) * sizeof *own->webhooks);
	if (own->keys == NULL || own->webhooks == NULL)
		return false;
	make_hash_key(conf);
	for (size_t i = 0; i < conf->integration_count; i++) {
		digest(own, conf->integrations[i].key, own->keys[i].digest);
		own->keys[i].integration = &conf->integrations[i];
	}
	for (size_t i = 0; i < conf->webhook_count; i++)
		own->webhooks[i] = &conf->webhooks[i];
	qsort(own->keys, conf->integration_count, sizeof *own->keys, by_digest);
	qsort(own->webhooks, conf->webhook_count, sizeof *own->webhooks, by_name);
	return true;
}

/* The first that is not before the digest and type. */
static size_t
lower_bound(const struct conf *conf, const struct conf_key *wanted)
{
	size_t low = 0, high = conf->integration_count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (by_digest(&conf->own->keys[middle], wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct conf_integration *
conf_integration_find(const struct conf *conf, enum conf_integration_type type, struct slice key)
{
	struct conf_integration stand_in = {.type = type};
	struct conf_key wanted = {.integration = &stand_in};
	struct conf_integration *found;
	size_t i;

	digest(conf->own, key, wanted.digest);
	i = lower_bound(conf, &wanted);
	if (i == conf->integration_count)
		return NULL;
	found = conf->own->keys[i].integration;
	if (sodium_memcmp(conf->own->keys[i].digest, wanted.digest, sizeof wanted.digest) != 0 ||
	    found->type != type)
		return NULL;
	return found;
}

bool
conf_integration_enabled(const struct conf_integration *integration)
{
	return integration->enabled && integration->service->enabled;
}

struct conf_integration *
conf_integration_by_key(const struct conf *conf, enum conf_integration_type type, struct slice key)
{
	struct conf_integration *found = conf_integration_find(conf, type, key);

	return found != NULL && conf_integration_enabled(found) ? found : NULL;
}

struct conf_service *
conf_service_by_id(const struct conf *conf, const struct uuid *id)
{
	for (size_t i = 0; i < conf->service_count; i++)
		if (uuid_compare(&conf->services[i].facts.unique_id, id) == 0)
			return &conf->services[i];
	return NULL;
}

struct conf_user *
conf_user_by_name(const struct conf *conf, struct slice username)
{
	for (size_t i = 0; i < conf->user_count; i++)
		if (slice_is(conf->users[i].facts.username, username))
			return &conf->users[i];
	return NULL;
}

struct conf_webhook *
conf_webhook_by_name(const struct conf *conf, struct slice name)
{
	struct conf_webhook stand_in = {.name = name}, *wanted = &stand_in, **found;

	if (name.n == 0)
		return NULL;
	found = bsearch(&wanted, conf->own->webhooks, conf->webhook_count, sizeof wanted, by_name);
	return found == NULL ? NULL : *found;
}
