/*
 * closed: (time of resolution, number), no value: resolved incidents in the order in which they
 * expire. An incident goes with its notes. One with more notes than a call may remove keeps its row
 * here, so that the next call goes on with it.
 */
#include "store/txn.h"

static struct key
closed_key(int64_t resolved, uint64_t number)
{
	struct key key = {.n = 0};

	key_add_time(&key, resolved);
	key_add_u64(&key, number);
	return key;
}

void
closed_put(struct txn *txn, int64_t resolved_steady, uint64_t number)
{
	struct key key = closed_key(resolved_steady, number);

	table_put_bare(txn, TABLE_CLOSED, key_slice(&key));
}

void
closed_remove(struct txn *txn, int64_t resolved_steady, uint64_t number)
{
	struct key key = closed_key(resolved_steady, number);

	table_del(txn, TABLE_CLOSED, key_slice(&key));
}

/* Removes notes of the incident, at most max; returns how many. */
static size_t
remove_notes(struct txn *txn, uint64_t number, size_t max)
{
	struct key owner = key_number(number);
	struct table_row at;
	size_t removed = 0;
	bool more = table_from(txn, TABLE_NOTES, key_slice(&owner), &at);

	while (more && removed < max && table_prefixed(&at, key_slice(&owner))) {
		table_del_here(txn, TABLE_NOTES);
		removed++;
		more = table_next(txn, TABLE_NOTES, &at);
	}
	return removed;
}

/* The first row's incident, if it was resolved before `before`. */
static bool
first_before(struct txn *txn, int64_t before, uint64_t *number)
{
	struct table_row at;

	if (!table_first(txn, TABLE_CLOSED, &at))
		return false;
	struct field_reader key = field_read(at.key);
	int64_t time = key_time(&key);
	*number = field_u64(&key);
	return txn_check(txn, field_end(&key)) && time < before;
}

size_t
closed_expire(struct txn *txn, int64_t before, size_t max)
{
	enum { ROWS_OF_ITS_OWN = 2 }; /* incidents, closed */
	uint64_t number;
	size_t removed = 0;

	while (removed + ROWS_OF_ITS_OWN <= max && first_before(txn, before, &number)) {
		removed += remove_notes(txn, number, max - removed);
		if (removed + ROWS_OF_ITS_OWN > max)
			break;
		incidents_remove(txn, number);
		table_del_here(txn, TABLE_CLOSED);
		removed += ROWS_OF_ITS_OWN;
	}
	return removed;
}
