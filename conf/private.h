/* What struct conf keeps for itself. */
#ifndef CONF_PRIVATE_H
#define CONF_PRIVATE_H

#include <sodium.h>

#include "conf/conf.h"
#include "proto/arena.h"

struct secret;

/* A key by its digest: looking one up tells nothing of the others by its time. */
enum { KEY_DIGEST = crypto_shorthash_siphashx24_BYTES };

struct conf_key {
	uint8_t digest[KEY_DIGEST];
	struct conf_integration *integration;
};

struct conf_private {
	unsigned references;
	struct arena arena;           /* everything that is not secret */
	struct secret *secrets;
	uint8_t hash_key[crypto_shorthash_siphashx24_KEYBYTES]; /* of the digests */
	struct conf_key *keys;        /* sorted by digest; one per integration */
	struct conf_webhook **webhooks; /* sorted by name; one per webhook */
	struct conf_print *settings;  /* by row of the table, of those that struct conf keeps */
};

/* Makes the sorted arrays above. False without memory. */
bool find_prepare(struct conf *) MUST NONNULL;

#endif
