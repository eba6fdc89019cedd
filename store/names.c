/*
 * names: (kind, text) -> the u32 that rows use instead of the text, so that they stay small and a
 * thing may be renamed by the operator without touching its history.
 *
 *	key   kind, 1 byte | text; longer than 400 bytes: its first 360 and its SHA-256 in hex
 *
 * The cut form has 424 bytes, which no text kept whole has, so the two never meet.
 */
#include <sodium.h>

#include "store/txn.h"

enum {
	NAME_WHOLE = 400,
	NAME_HEAD = 360,
	NAME_HEX = 2 * crypto_hash_sha256_BYTES,
	NAME_KEY_MAX = 1 + NAME_HEAD + NAME_HEX, /* below LMDB's 511 */
};

static size_t
cut(uint8_t *out, struct slice text)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	char hex[NAME_HEX + 1];

	crypto_hash_sha256(hash, (const unsigned char *)text.p, text.n);
	sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
	memcpy(out, text.p, NAME_HEAD);
	memcpy(out + NAME_HEAD, hex, NAME_HEX);
	return NAME_HEAD + NAME_HEX;
}

static struct slice
make_key(uint8_t room[NAME_KEY_MAX], enum name_kind kind, struct slice text)
{
	size_t n = text.n;

	room[0] = (uint8_t)kind;
	if (n > NAME_WHOLE)
		n = cut(room + 1, text);
	else if (n > 0)
		memcpy(room + 1, text.p, n);
	return (struct slice){(const char *)room, 1 + n};
}

bool
names_get(struct txn *txn, enum name_kind kind, struct slice text, struct name_row *row)
{
	uint8_t room[NAME_KEY_MAX];
	struct slice value;

	if (!table_get(txn, TABLE_NAMES, make_key(room, kind, text), &value))
		return false;
	return txn_check(txn, record_get_name(value, row));
}

void
names_put(struct txn *txn, enum name_kind kind, struct slice text, const struct name_row *row)
{
	uint8_t room[NAME_KEY_MAX];
	struct buf *value = txn_value(txn);

	record_put_name(value, row);
	table_put(txn, TABLE_NAMES, make_key(room, kind, text), value);
}

void
names_each(struct txn *txn, name_visit *visit, void *arg)
{
	struct table_row at;
	struct name_row row = {0};
	bool more = table_first(txn, TABLE_NAMES, &at);

	for (; more; more = table_next(txn, TABLE_NAMES, &at)) {
		struct field_reader key = field_read(at.key);
		enum name_kind kind = (enum name_kind)field_u8(&key);
		if (!txn_check(txn, !key.bad && record_get_name(at.value, &row)))
			return;
		row.text = (struct slice){(const char *)key.p, key.left};
		visit(arg, kind, &row);
	}
}

struct wanted {
	enum name_kind kind;
	uint32_t id;
	struct name_row *row;
	bool found;
};

static void
compare(void *arg, enum name_kind kind, const struct name_row *row)
{
	struct wanted *wanted = arg;

	if (kind != wanted->kind || row->id != wanted->id)
		return;
	*wanted->row = *row;
	wanted->found = true;
}

bool
names_find(struct txn *txn, enum name_kind kind, uint32_t id, struct name_row *row)
{
	struct wanted wanted = {.kind = kind, .id = id, .row = row};

	names_each(txn, compare, &wanted);
	return wanted.found;
}
