/*
 * Is a store, as a crash or a power failure left it, whole? And does it hold what was answered?
 *
 *     store_check [-x] DIR [PROMISES AT]
 *
 * Opens the store as the gateway does, walks every table and says of every row that must have a
 * counterpart whether it has one. -x: rows may have expired, so an old one may name one that is
 * gone. PROMISES has a line for each thing that was answered or shown to somebody:
 *
 *     FROM UNTIL trace|delivery ID
 *
 * must be there if FROM <= AT < UNTIL. Prints what is wrong, a line each, and exits 1 if anything
 * is; else one line with the number of rows.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/record.h"
#include "proto/incident.h"
#include "store/txn.h"

enum { SAID_MOST = 20 };

/* Alerts that others name as the one before them. */
struct chain {
	struct uuid *previous;
	size_t count;
};

static struct txn *txn;
static bool expired; /* rows may have */
static unsigned wrong;

static void PRINTF(1, 2)
complain(const char *format, ...)
{
	va_list args;

	if (++wrong > SAID_MOST)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static void
expect(bool holds, const char *what, uint64_t number)
{
	if (!holds)
		complain("%s: %" PRIu64, what, number);
}

static const char *
text_of(const struct uuid *id)
{
	static char text[UUID_TEXT];

	uuid_text(id, text);
	return text;
}

static void
expect_id(bool holds, const char *what, const struct uuid *id)
{
	if (!holds)
		complain("%s: %s", what, text_of(id));
}

static void
expect_rows(enum table table, uint64_t rows)
{
	uint64_t have = table_count(txn, table);

	if (have != rows)
		complain("%s has %" PRIu64 " rows, %" PRIu64 " belong to others",
		    table_names[table], have, rows);
}

static struct uuid
id_of(struct slice key)
{
	struct field_reader reader = field_read(key);

	return field_id(&reader);
}

static bool
has_row(enum table table, const struct key *key)
{
	struct slice value;

	return table_get(txn, table, key_slice(key), &value);
}

/* ---- incidents --------------------------------------------------------------------------- */

static bool
is_closed(const struct incident_row *row, uint64_t number)
{
	struct key key = {.n = 0};

	key_add_time(&key, row->resolved_steady);
	key_add_u64(&key, number);
	return has_row(TABLE_CLOSED, &key);
}

static void
check_incident(uint64_t number, const struct incident_row *row, uint64_t *closed)
{
	static struct open_row open;
	bool is_open = open_get(txn, number, &open);
	struct event_row event;

	if (row->status == INCIDENT_RESOLVED) {
		expect(!is_open, "a resolved incident is open", number);
		expect(is_closed(row, number), "a resolved incident will never expire", number);
		++*closed;
	} else {
		expect(is_open && open.status == row->status, "an open incident is not in open",
		    number);
	}
	expect((row->resolved != 0) == (row->status == INCIDENT_RESOLVED), "resolved_date",
	    number);
	expect(get_u64(row->unique_id.b + 8) == number, "the unique id is another's", number);
	if (events_get(txn, &row->last_event, &event))
		expect(event.number == number && event.n == row->events,
		    "the last event is another", number);
	else
		expect(expired, "the last event is gone", number);
}

static void
check_incidents(const struct meta *meta)
{
	uint64_t next = 0, closed = 0, open = 0, last = 0;
	struct incident_row row;

	for (; incidents_after(txn, &next, &row); next++) {
		expect(expired || next == last + 1, "a hole in front of incident", next);
		check_incident(next, &row, &closed);
		open += row.status != INCIDENT_RESOLVED;
		last = next;
	}
	expect(expired || meta->next_number == last + 1, "the next number is", meta->next_number);
	expect(meta->next_number > last, "the next number was used already", meta->next_number);
	expect_rows(TABLE_CLOSED, closed);
	expect_rows(TABLE_OPEN, open);
}

/* ---- alerts ------------------------------------------------------------------------------ */

static void
check_trace(const struct uuid *id, const struct trace_row *row)
{
	struct incident_row incident;
	struct alert_row alert;

	if (row->state != TRACE_COMPLETED || expired)
		return;
	if (!alerts_get(txn, &row->alert, &alert))
		expect_id(false, "the alert is gone of trace", id);
	else
		expect_id(alert.number == row->number, "the alert has another incident", id);
	if (row->number == 0)
		return;
	if (!incidents_get(txn, row->number, &incident))
		expect_id(false, "the incident is gone of trace", id);
	else
		expect_id(uuid_compare(&incident.unique_id, &row->unique_id) == 0,
		    "the incident is another one of trace", id);
}

static void
check_traces(const struct meta *meta)
{
	struct table_row at;
	struct trace_row row;
	uint64_t queued = 0;
	bool more = table_first(txn, TABLE_TRACES, &at);

	for (; more; more = table_next(txn, TABLE_TRACES, &at)) {
		struct uuid id = id_of(at.key);

		if (!traces_get(txn, &id, &row))
			break;
		check_trace(&id, &row);
		queued += row.state == TRACE_QUEUED;
		expect_id(uuid_compare(&id, &meta->last_id) <= 0, "issued later than the last id",
		    &id);
	}
	expect_rows(TABLE_PENDING, queued);
}

static int
compare_ids(const void *a, const void *b)
{
	return uuid_compare(a, b);
}

static bool
note_previous(void *arg, const struct uuid *id, const struct alert_row *row)
{
	struct chain *chain = arg;
	struct alert_row before;

	if (uuid_is_zero(&row->previous))
		return true;
	if (alerts_get(txn, &row->previous, &before))
		expect_id(before.number == row->number, "the alert before it is another incident's",
		    id);
	else
		expect_id(expired, "the alert before it is gone", id);
	chain->previous[chain->count++] = row->previous;
	return true;
}

/* The alerts of an incident are a chain: none is the one before two others. */
static void
check_chains(void)
{
	struct uuid zero = {{0}};
	struct chain chain = {.count = 0};

	chain.previous = malloc((table_count(txn, TABLE_ALERTS) + 1) * sizeof zero);
	if (chain.previous == NULL)
		exit(2);
	alerts_from(txn, &zero, note_previous, &chain);
	qsort(chain.previous, chain.count, sizeof zero, compare_ids);
	for (size_t i = 1; i < chain.count; i++)
		expect_id(uuid_compare(&chain.previous[i - 1], &chain.previous[i]) != 0,
		    "two alerts are behind this one", &chain.previous[i]);
	free(chain.previous);
}

static void
check_pending(const struct meta *meta)
{
	struct table_row at;
	struct trace_row trace;
	struct record record;
	bool more = table_first(txn, TABLE_PENDING, &at);

	for (; more; more = table_next(txn, TABLE_PENDING, &at)) {
		struct field_reader key = field_read(at.key);
		uint64_t sequence = field_u64(&key);
		struct slice bytes = {at.value.p + 1, at.value.n - 1};

		expect(sequence < meta->next_pending, "beyond the last sequence", sequence);
		if (!record_decode(bytes, &record))
			complain("a pending record cannot be read: %" PRIu64, sequence);
		else if (!traces_get(txn, &record.alert.trace, &trace) ||
			 trace.state != TRACE_QUEUED)
			expect_id(expired, "pending, and its trace is not queued",
			    &record.alert.trace);
	}
}

/* ---- deliveries -------------------------------------------------------------------------- */

static void
check_lane(const struct uuid *id, const struct delivery_row *row, uint64_t *lanes, uint64_t *due)
{
	struct lane_key key = {delivery_webhook(id), row->number, row->n};
	struct key time = {.n = 0};
	struct lane_row lane;

	if (!lanes_get(txn, &key, &lane)) {
		expect_id(row->state != DELIVERY_WAITING, "waits in no lane", id);
		return;
	}
	expect_id(row->state == DELIVERY_WAITING, "settled, and still in its lane", id);
	expect_id(uuid_compare(&lane.delivery, id) == 0, "its place in the lane is another's", id);
	++*lanes;
	if (lane.due == 0)
		return;
	key_add_time(&time, lane.due);
	key_add_u32(&time, key.webhook);
	key_add_u64(&time, key.number);
	key_add_u32(&time, key.n);
	expect_id(has_row(TABLE_DUE, &time), "its time will never come", id);
	++*due;
}

static void
check_delivery(const struct uuid *id, const struct delivery_row *row)
{
	struct uuid event_id = delivery_event(id);
	struct attempt_row attempt;
	struct event_row event;

	if (events_get(txn, &event_id, &event))
		expect_id(event.number == row->number && event.n == row->n && event.body.n > 0,
		    "not of its event", id);
	else
		expect_id(false, "no event of delivery", id);
	for (uint32_t n = 1; n <= row->attempts; n++)
		expect_id(attempts_get(txn, id, n, &attempt), "an attempt is missing", id);
	expect_id(dead_get(txn, delivery_webhook(id), id) == (row->state == DELIVERY_DEAD),
	    "dead in one place only", id);
}

static void
check_deliveries(void)
{
	uint64_t lanes = 0, due = 0, dead = 0, attempts = 0;
	struct uuid id = {{0}};
	struct delivery_row row;

	while (deliveries_after(txn, &id, &row)) {
		check_lane(&id, &row, &lanes, &due);
		check_delivery(&id, &row);
		dead += row.state == DELIVERY_DEAD;
		attempts += row.attempts;
		uuid_next(&id);
	}
	expect_rows(TABLE_LANES, lanes);
	expect_rows(TABLE_DUE, due);
	expect_rows(TABLE_DEAD, dead);
	expect_rows(TABLE_ATTEMPTS, attempts);
}

/* ---- what was promised ------------------------------------------------------------------- */

static void
check_promise(const char *kind, const struct uuid *id)
{
	struct delivery_row delivery;
	struct trace_row trace;

	if (strcmp(kind, "trace") == 0)
		expect_id(traces_get(txn, id, &trace), "answered, and lost: trace", id);
	else
		expect_id(deliveries_get(txn, id, &delivery), "sent, and lost: delivery", id);
}

static bool
check_promises(const char *path, uint64_t at)
{
	FILE *file = fopen(path, "re");
	char kind[16], text[UUID_TEXT];
	uint64_t from, until;
	struct uuid id;

	if (file == NULL)
		return false;
	while (fscanf(file, "%" SCNu64 " %" SCNu64 " %15s %36s", &from, &until, kind, text) == 4)
		if (from <= at && at < until && uuid_parse(slice_of(text), &id))
			check_promise(kind, &id);
	fclose(file);
	return true;
}

static void
check_all(void)
{
	struct meta meta;

	meta_get(txn, &meta);
	check_incidents(&meta);
	check_traces(&meta);
	check_pending(&meta);
	check_chains();
	check_deliveries();
}

static void
add_rows(void *sum, const char *table, uint64_t rows)
{
	(void)table;
	*(uint64_t *)sum += rows;
}

static int
check(const char *dir, const char *promises, const char *at)
{
	struct store *store;
	uint64_t rows = 0;
	char why[256];

	store = store_open(dir, 1 << 30, why);
	if (store == NULL) {
		complain("%s", why);
		return 1;
	}
	txn = store_read(store);
	if (txn == NULL)
		return 2;
	check_all();
	if (promises != NULL && !check_promises(promises, strtoull(at, NULL, 10)))
		complain("%s cannot be read", promises);
	store_count(txn, add_rows, &rows);
	if (store_failed(txn))
		complain("the store failed while it was read");
	store_abort(txn);
	store_close(store);
	if (wrong == 0)
		printf("%" PRIu64 " rows\n", rows);
	return wrong > 0;
}

int
main(int argc, char **argv)
{
	expired = argc > 1 && strcmp(argv[1], "-x") == 0;
	argc -= expired;
	argv += expired;
	if (argc == 2)
		return check(argv[1], NULL, NULL);
	if (argc == 4)
		return check(argv[1], argv[2], argv[3]);
	fprintf(stderr, "usage: store_check [-x] DIR [PROMISES AT]\n");
	return 2;
}
