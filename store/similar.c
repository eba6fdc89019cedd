/*
 * similar: the first 16 bytes of SHA-256(integration, entity id) -> when the last incident of that
 * key was created. The keys are the only random ones in the store, so rows exist only where rules
 * ask for them, and expiry walks round in key order instead of from an edge.
 */
#include <sodium.h>

#include "store/txn.h"

enum { SIMILAR_VERSION = 1 };

static struct key
similar_key(uint32_t integration, struct slice entity_id)
{
	crypto_hash_sha256_state state;
	uint8_t prefix[4], hash[crypto_hash_sha256_BYTES];
	struct uuid id;

	put_u32(prefix, integration);
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, prefix, sizeof prefix);
	crypto_hash_sha256_update(&state, (const unsigned char *)entity_id.p, entity_id.n);
	crypto_hash_sha256_final(&state, hash);
	memcpy(id.b, hash, sizeof id.b);
	return key_id(&id);
}

static bool
read_time(struct slice value, int64_t *steady)
{
	struct field_reader r = field_read(value);
	uint8_t version = field_u8(&r);

	*steady = field_i64(&r);
	return version == SIMILAR_VERSION && field_end(&r);
}

void
similar_put(struct txn *txn, uint32_t integration, struct slice entity_id, int64_t steady)
{
	struct key key = similar_key(integration, entity_id);
	struct buf *value = txn_value(txn);

	field_put_u8(value, SIMILAR_VERSION);
	field_put_i64(value, steady);
	table_put(txn, TABLE_SIMILAR, key_slice(&key), value);
}

bool
similar_get(struct txn *txn, uint32_t integration, struct slice entity_id, int64_t *steady)
{
	struct key key = similar_key(integration, entity_id);
	struct slice value;

	if (!table_get(txn, TABLE_SIMILAR, key_slice(&key), &value))
		return false;
	return txn_check(txn, read_time(value, steady));
}

/* Removes the row at the place if it is old; returns how many rows that were. */
static size_t
remove_old(struct txn *txn, const struct table_row *at, int64_t before)
{
	int64_t time;

	if (!txn_check(txn, read_time(at->value, &time)) || time >= before)
		return 0;
	table_del_here(txn, TABLE_SIMILAR);
	return 1;
}

size_t
similar_expire(struct txn *txn, int64_t before, size_t max)
{
	struct uuid *place = &txn->store->similar_at;
	struct key from = key_id(place);
	struct table_row at;
	size_t removed = 0;
	bool more = table_from(txn, TABLE_SIMILAR, key_slice(&from), &at);

	for (size_t looked = 0; more && looked < max; looked++) {
		removed += remove_old(txn, &at, before);
		more = table_next(txn, TABLE_SIMILAR, &at);
	}
	*place = (struct uuid){{0}};
	if (more) {
		struct field_reader key = field_read(at.key);
		*place = field_id(&key);
	}
	return removed;
}
