/*
 * notes: (incident's number, note id) -> text. Notes of one incident are neighbours, oldest first.
 */
#include "store/txn.h"

static struct key
note_key(uint64_t number, const struct uuid *id)
{
	struct key key = key_number(number);

	key_add_id(&key, id);
	return key;
}

void
notes_put(struct txn *txn, uint64_t number, const struct uuid *id, const struct note_row *row)
{
	struct key key = note_key(number, id);
	struct buf *value = txn_value(txn);

	record_put_note(value, row);
	table_put(txn, TABLE_NOTES, key_slice(&key), value);
}

/* False for a row of another incident. */
static bool
read_row(struct txn *txn, const struct table_row *at, uint64_t number, struct uuid *id,
    struct note_row *row)
{
	struct field_reader key = field_read(at->key);
	uint64_t owner = field_u64(&key);
	struct uuid found = field_id(&key);

	if (!txn_check(txn, field_end(&key)) || owner != number)
		return false;
	*id = found;
	return txn_check(txn, record_get_note(at->value, row));
}

bool
notes_next(struct txn *txn, uint64_t number, struct uuid *id, struct note_row *row)
{
	struct key from = note_key(number, id);
	struct table_row at;

	return table_behind(txn, TABLE_NOTES, key_slice(&from), &at) &&
	    read_row(txn, &at, number, id, row);
}

bool
notes_before(struct txn *txn, uint64_t number, struct uuid *id, struct note_row *row)
{
	struct key from = note_key(number, id);
	struct table_row at;

	return table_up_to(txn, TABLE_NOTES, key_slice(&from), &at) &&
	    read_row(txn, &at, number, id, row);
}
