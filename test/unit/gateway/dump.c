/*
 * Dumps: a line for each row of every table, decoded; nothing of senders when asked for nothing of
 * them; what cannot be read is said (CONTRACT §11).
 */
#include "test/unit/store/fixture.h"

#include "gateway/dump.h"
#include "gateway/reason.h"
#include "gateway/record.h"
#include "proto/json_read.h"
#include "store/txn.h"
#include "test/unit/store/samples.h"

enum { ROWS = 19 }; /* that fill() puts, and the schema */

static const struct uuid a = SAMPLE_A;

static void
put_pending(struct txn *txn)
{
	struct record record = {.kind = RECORD_ALERT, .wall = 1000000, .id = SAMPLE_B,
	    .alert = {.trace = SAMPLE_A, .alert_id = SAMPLE_C, .integration = 2,
		.failure = SLICE("private failure"), .rules = SLICE("[1]"), .similar = SLICE("was"),
		.alert = {.type = ALERT_CRITICAL, .urgency = 1, .message = SLICE("private"),
		    .summary = SLICE("private too"), .entity_id = SLICE("db-9"), .sla = SLICE("s"),
		    .escalation_policy = SLICE("e"), .priority = SLICE("p"), .tags = SLICE("[\"t\"]"),
		    .assigned_to = SLICE("ada"), .task_template = SLICE("tt"),
		    .notes = SLICE("\0\0\0\4note"), .fields = SLICE("{\"message\": \"private\"}")}}};
	struct buf bytes = {.ceiling = 4096};

	record_encode(&bytes, &record);
	pending_put(txn, 3, buf_slice(&bytes));
	buf_free(&bytes);
}

/* A row in each table. */
static void
fill(struct fixture *f)
{
	struct txn *txn = fixture_write(f);
	struct name_row name = sample_name;
	struct alert_row alert = sample_alert;
	struct lane_key lane = {.webhook = 1, .number = 7, .n = 2};
	struct due_key due = {.time = 1000000, .lane = lane};
	struct timer_key timer = {.time = 2000000, .kind = TIMER_AUTO_RESOLVE, .number = 7};
	struct uuid delivery = delivery_id(&a, 1);

	meta_put(txn, &sample_meta);
	name.id = 1;
	names_put(txn, NAME_WEBHOOK, SLICE("ops"), &name);
	name.id = 2;
	names_put(txn, NAME_INTEGRATION, SLICE("Payments\0Generic"), &name);
	traces_put(txn, &a, &sample_trace);
	put_pending(txn);
	alert.integration = 2;
	alerts_put(txn, &a, &alert);
	incidents_put(txn, 7, &sample_incident);
	open_put(txn, 7, &sample_open);
	events_put(txn, &a, &sample_event);
	deliveries_put(txn, &delivery, &sample_delivery);
	lanes_put(txn, &lane, &sample_lane);
	due_put(txn, &due);
	dead_put(txn, 1, &delivery);
	attempts_put(txn, &delivery, 3, &sample_attempt);
	notes_put(txn, 7, &a, &sample_note);
	timers_put(txn, &timer);
	closed_put(txn, 3000000, 7);
	similar_put(txn, 2, SLICE("db-1"), 4000000);
	fixture_commit(f);
}

/* The dump as text; *bad is its result. The caller frees it. */
static char *
dump(struct fixture *f, bool payload, int *bad)
{
	struct txn *txn = store_read(f->store);
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	assert_non_null(txn);
	assert_non_null(to);
	*bad = dump_store(txn, payload, to);
	store_abort(txn);
	fclose(to);
	return text;
}

struct expected {
	char *text;
	size_t lines;
};

static void
expect_rows(void *arg, const char *table, uint64_t rows)
{
	struct expected *expected = arg;
	char member[64];
	const char *at = expected->text;

	snprintf(member, sizeof member, "{\"table\": \"%s\",", table);
	assert_true(rows > 0);
	for (uint64_t i = 0; i < rows; i++) {
		at = strstr(at, member);
		if (at == NULL)
			fail_msg("%llu rows of %s were expected", (unsigned long long)rows, table);
		at++;
	}
	assert_null(strstr(at, member));
	expected->lines += rows;
}

static size_t
count_lines(char *text)
{
	size_t lines = 0;
	struct json_error error;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	for (char *end; (end = strchr(text, '\n')) != NULL; text = end + 1, lines++) {
		if (json_read(&arena, text, (size_t)(end - text), 0, 8, &error) == NULL)
			fail_msg("line %zu: %s", lines, error.what);
		arena_reset(&arena);
	}
	assert_int_equal(*text, '\0');
	arena_free(&arena);
	return lines;
}

static void
test_dump_every_table(void **state)
{
	struct fixture *f = *state;
	struct expected expected = {0};
	struct txn *txn;
	int bad;

	fill(f);
	expected.text = dump(f, true, &bad);
	assert_int_equal(bad, 0);
	txn = store_read(f->store);
	store_count(txn, expect_rows, &expected);
	store_abort(txn);
	assert_int_equal(expected.lines, ROWS + 1);
	assert_int_equal(count_lines(expected.text), ROWS + 1);
	free(expected.text);
}

static void
test_dump_lines(void **state)
{
	static const char *const lines[] = {
	    "{\"table\": \"meta\", \"name\": \"schema\", \"schema\": 1}",
	    "{\"table\": \"names\", \"kind\": \"integration\", \"name\": \"Payments\\u0000Generic\", "
	    "\"id\": 2, \"seen\": \"1970-01-01T00:00:00.008194Z\", \"paused\": true}",
	    "{\"table\": \"traces\", \"id\": \"a1020304-0506-0708-090a-0b0c0d0e0f10\", "
	    "\"status\": \"failed\", \"is_incident_created\": true, \"suppressed\": false, "
	    "\"integration\": 12289, \"alert\": \"",
	    "\"incident_number\": 16385, \"previous\": ",
	    "\"integration\": \"Payments/Generic\", \"alert_type\": \"critical\", "
	    "\"suppressed\": true, \"time\": \"1970-01-01T00:00:00.016387Z\", "
	    "\"entity_id\": \"db-1\", \"rules\": [0, 2], \"fields\": {\"message\": \"down\"}}",
	    "{\"table\": \"lanes\", \"webhook\": \"ops\", \"incident_number\": 7, \"n\": 2, "
	    "\"delivery\": \"a1020304-0506-0708-090a-0b0c0d0e0f10\", \"due\": "
	    "\"1970-01-01T00:00:00.036865Z\"}",
	    "{\"table\": \"due\", \"time\": \"1970-01-01T00:00:01.000000Z\", \"webhook\": \"ops\", "
	    "\"incident_number\": 7, \"n\": 2}",
	    "{\"table\": \"dead_counts\", \"webhook\": \"ops\", \"count\": 1}",
	    "{\"table\": \"deliveries\", \"id\": \"a1020304-0506-0708-090a-0b0c00000001\", "
	    "\"webhook\": \"ops\", \"incident_number\": 32769, \"n\": 32770, "
	    "\"event_type\": \"triggered\", \"state\": \"dead\", \"tries\": 32771, "
	    "\"refusals\": 32772, \"attempt_count\": 32773, \"reason\": \"http_3xx\", ",
	    "{\"table\": \"timers\", \"time\": \"1970-01-01T00:00:02.000000Z\", "
	    "\"kind\": \"auto_resolve_timeout\", \"incident_number\": 7}",
	    "\"status\": 503, \"reused\": true, \"lookup_us\": 40962, ",
	    "\"urgency\": 1, \"created\": \"1970-01-01T00:00:00.020483Z\", ",
	    "\"status\": \"acknowledged\", \"urgency\": 1",
	    "\"keys\": [{\"integration\": 24581, \"entity_id\": \"db-1\"}, ",
	    "\"urgency\": 1, \"entity_id\": \"db-9\", \"sla\": \"s\", ",
	    "\"tags\": [\"t\"], \"notes\": [\"note\"], \"fields\": {\"message\": \"private\"}}",
	    "\"user\": \"ops\", \"text\": \"looking\"}"};
	struct fixture *f = *state;
	char *text;
	int bad;

	fill(f);
	text = dump(f, true, &bad);
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		if (strstr(text, lines[i]) == NULL)
			fail_msg("%s\nis not in\n%s", lines[i], text);
	free(text);
}

struct stored {
	const char *table;
	char key[64], value[1024];
	size_t key_n, value_n;
};

static bool
keep_row(void *arg, const char *table, struct slice key, struct slice value)
{
	struct stored **next = arg;

	assert_true(key.n <= sizeof (*next)->key && value.n <= sizeof (*next)->value);
	(*next)->table = table;
	memcpy((*next)->key, key.p, key.n);
	memcpy((*next)->value, value.p, value.n);
	(*next)->key_n = key.n;
	(*next)->value_n = value.n;
	(*next)++;
	return true;
}

static enum table
table_of(const char *name)
{
	enum table table = 0;

	while (table < TABLE_COUNT - 1 && strcmp(table_names[table], name) != 0)
		table++;
	return table;
}

/* The dump with one byte of one row changed, which is forgotten again. */
static char *
dump_changed(struct fixture *f, struct stored *row, size_t at)
{
	struct buf value = {.ceiling = sizeof row->value};
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	buf_put(&value, row->value, row->value_n);
	value.p[at] ^= 1;
	fixture_write(f);
	table_put(f->txn, table_of(row->table), (struct slice){row->key, row->key_n}, &value);
	assert_true(dump_store(f->txn, true, to) >= 0);
	store_abort(f->txn);
	f->txn = NULL;
	buf_free(&value);
	fclose(to);
	return text;
}

/* Whatever is stored is shown: any byte that changes, changes the text. */
static void
test_dump_shows_every_byte(void **state)
{
	static struct stored rows[64];
	struct stored *end = rows;
	struct fixture *f = *state;
	struct txn *txn;
	char *before, *after;
	int bad;

	fill(f);
	before = dump(f, true, &bad);
	txn = store_read(f->store);
	store_each(txn, keep_row, &end);
	store_abort(txn);
	for (struct stored *row = rows; row < end; row++)
		for (size_t at = 1; at < row->value_n; at++) {
			after = dump_changed(f, row, at);
			if (strcmp(before, after) == 0)
				fail_msg("byte %zu of a row of %s is not shown", at, row->table);
			free(after);
		}
	free(before);
}

static void
test_dump_no_payload(void **state)
{
	static const char *const private[] = {"down", "private", "title", "looking", "payload",
	    "maintenance"};
	struct fixture *f = *state;
	char *with, *without;
	int bad;

	fill(f);
	with = dump(f, true, &bad);
	without = dump(f, false, &bad);
	assert_int_equal(bad, 0);
	for (size_t i = 0; i < COUNT_OF(private); i++) {
		assert_non_null(strstr(with, private[i]));
		assert_null(strstr(without, private[i]));
	}
	assert_non_null(strstr(without, "db-1"));
	assert_int_equal(count_lines(without), ROWS + 1);
	free(with);
	free(without);
}

static void
test_dump_damaged(void **state)
{
	struct fixture *f = *state;
	struct buf value = {.ceiling = 64};
	char *text;
	int bad;

	fill(f);
	buf_puts(&value, "\x01short");
	fixture_write(f);
	table_put(f->txn, TABLE_EVENTS, (struct slice){(const char *)a.b, sizeof a.b}, &value);
	table_put(f->txn, TABLE_LANES, SLICE("odd"), &value);
	fixture_commit(f);
	buf_free(&value);
	text = dump(f, true, &bad);
	assert_int_equal(bad, 2);
	assert_int_equal(count_lines(text), ROWS + 2);
	assert_non_null(strstr(text,
	    "{\"table\": \"events\", \"id\": \"a1020304-0506-0708-090a-0b0c0d0e0f10\", "
	    "\"error\": \"this row cannot be read\"}"));
	free(text);
}

static void
test_dump_full_disk(void **state)
{
	struct fixture *f = *state;
	FILE *full = fopen("/dev/full", "w");
	struct txn *txn;

	fill(f);
	assert_non_null(full);
	txn = store_read(f->store);
	assert_int_equal(dump_store(txn, true, full), -1);
	store_abort(txn);
	fclose(full);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(test_dump_every_table),
	    STORE_TEST(test_dump_lines),
	    STORE_TEST(test_dump_shows_every_byte),
	    STORE_TEST(test_dump_no_payload),
	    STORE_TEST(test_dump_damaged),
	    STORE_TEST(test_dump_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
