/*
 * timers: (time, kind, number), no value. A row says only when to look at an incident again; the
 * incident says what to do.
 */
#include "store/txn.h"

static struct key
timer_key(const struct timer_key *timer)
{
	struct key key = {.n = 0};

	key_add_time(&key, timer->time);
	key_add(&key, &timer->kind, 1);
	key_add_u64(&key, timer->number);
	return key;
}

void
timers_put(struct txn *txn, const struct timer_key *timer)
{
	struct key key = timer_key(timer);

	table_put_bare(txn, TABLE_TIMERS, key_slice(&key));
}

void
timers_remove(struct txn *txn, const struct timer_key *timer)
{
	struct key key = timer_key(timer);

	table_del(txn, TABLE_TIMERS, key_slice(&key));
}

bool
timers_first(struct txn *txn, struct timer_key *timer)
{
	struct table_row at;

	if (!table_first(txn, TABLE_TIMERS, &at))
		return false;
	struct field_reader key = field_read(at.key);
	timer->time = key_time(&key);
	timer->kind = field_u8(&key);
	timer->number = field_u64(&key);
	return txn_check(txn, field_end(&key));
}
