/*
 * Records alone decide the state: the same ones give the same bytes, whatever the hash key is,
 * however many turns fail on the way, and a restart finds what there was (CONTRACT §1.1, §1.2,
 * §5).
 */
#include <lmdb.h>

#include "world.h"

/* All that the engine holds in memory, as text. */
static void
describe(char *text, size_t room)
{
	const struct meta *meta = engine_meta();
	struct uuid heads_from = {{0}};
	size_t n;

	n = (size_t)snprintf(
	    text, room, "next %llu pending %llu name %u paused %d applied %llu open %zu\n",
	    (unsigned long long)meta->next_number, (unsigned long long)meta->next_pending,
	    meta->next_name, meta->paused, (unsigned long long)meta->applied, open_total());
	for (size_t i = 0; i < w.conf->webhook_count; i++)
		n += (size_t)snprintf(text + n, room - n, "%.*s waiting %llu held %d\n",
				      (int)w.conf->webhooks[i].name.n, w.conf->webhooks[i].name.p,
				      (unsigned long long)engine_waiting(w.conf->webhooks[i].id),
				      engine_held(w.conf->webhooks[i].id));
	for (uint64_t number = 1; number < meta->next_number; number++) {
		const struct open_incident *open = open_by_number(number);
		char head[UUID_TEXT], id[UUID_TEXT], from[UUID_TEXT] = "-";

		if (open == NULL)
			continue;
		uuid_text(&open->head, head);
		uuid_text(&open->unique_id, id);
		if (open->dirty)
			uuid_text(&open->dirty_from, from);
		n += (size_t)snprintf(text + n, room - n,
				      "%llu service %u status %u keys %zu created %lld triggered "
				      "%lld acknowledged %lld "
				      "id %s head %s dirty from %s\n",
				      (unsigned long long)number, open->service, open->status,
				      open->link_count, (long long)open->created,
				      (long long)open->triggered, (long long)open->acknowledged, id,
				      head, from);
	}
	for (int i = 0; i < 12; i++)
		for (size_t k = 0; k < w.conf->integration_count; k++) {
			char entity[16];
			const struct open_incident *open;

			snprintf(entity, sizeof entity, "e%d", i);
			open = open_find(w.conf->integrations[k].id, slice_of(entity));
			if (open != NULL)
				n += (size_t)snprintf(text + n, room - n, "%s of %zu is %llu\n",
						      entity, k, (unsigned long long)open->number);
		}
	if (open_heads_from(&heads_from))
		snprintf(text + n, room - n, "heads from %02x%02x\n", heads_from.b[6],
			 heads_from.b[7]);
	assert_true(n < room);
}

/* ---- records alone decide ------------------------------------------------------------------- */

/* Two services; waits and timeouts short enough for all to happen within a few hundred turns. */
static const char busy[] =
    "{'retry': ['2s', '8s'], 'services': ["
    " {'name': 'A', 'auto_resolve_timeout': 40, 'acknowledgement_timeout': 15,"
    "  'integrations': [{'name': 'G', 'key': '1', 'create_incidents_for': 'warning'}],"
    "  'webhooks': [{'name': 'a', 'url': 'http://h', 'max_waiting': 12},"
    "               {'name': 'b', 'url': 'http://h', 'events': ['triggered', 'resolved']}]},"
    " {'name': 'B', 'collation': 1, 'collation_time': 1,"
    "  'integrations': [{'name': 'G', 'key': '2'}],"
    "  'webhooks': [{'name': 'c', 'url': 'http://h'}]}]}";

static uint64_t seed;

static uint32_t
draw(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

static void
apply_some_alert(void)
{
	static const enum alert_type types[] = {ALERT_CRITICAL, ALERT_CRITICAL, ALERT_CRITICAL,
						ALERT_WARNING,	ALERT_INFO,	ALERT_ACKNOWLEDGED,
						ALERT_RESOLVED};
	char entity[16];
	struct record record;

	snprintf(entity, sizeof entity, "e%u", draw(12));
	record = make_alert(entity, types[draw(COUNT_OF(types))]);
	record.alert.integration = w.conf->integrations[draw(2)].id;
	record.alert.alert.suppressed = draw(20) == 0;
	apply(&record);
}

/* The first undelivered one of some webhook gets an outcome. */
static void
apply_some_outcome(void)
{
	struct lane_key key = {.webhook = w.conf->webhooks[draw(3)].id, .number = draw(30)};
	struct record record = make_record(RECORD_OUTCOME);
	struct lane_row lane;

	record.outcome.jitter = (int)draw(401) - 200;
	record.outcome.verdict = draw(8) == 0 ? draw(4) : draw(2);
	if (!lanes_seek(turn(), &key, &lane) || lane.due != 0)
		return;
	record.outcome.delivery = lane.delivery;
	apply(&record);
}

static void
apply_some_create(void)
{
	struct record record = make_create("by hand");

	record.incident.service = w.conf->services[draw(2)].id;
	record.incident.fields |= draw(4) == 0 ? FIELD_STATUS : 0;
	record.incident.to.status = (enum incident_status)(1 + draw(3));
	apply(&record);
}

static void
apply_some_change(void)
{
	static const unsigned fields[] = {FIELD_STATUS, FIELD_STATUS | FIELD_TITLE, FIELD_URGENCY};
	struct record record = make_change(1 + draw(40));

	record.incident.fields = fields[draw(COUNT_OF(fields))];
	record.incident.to = (struct incident){.title = SLICE("changed"),
					       .urgency = (int)draw(2),
					       .status = (enum incident_status)(1 + draw(3))};
	apply(&record);
}

static void
apply_some_request(void)
{
	struct record note = make_note(1 + draw(40), "ops", "seen");
	uint32_t what = draw(10);

	if (what == 0)
		apply(&note);
	else if (what < 3)
		apply_some_create();
	else
		apply_some_change();
}

static void
apply_something(void)
{
	static const enum record_kind switches[] = {RECORD_PAUSE, RECORD_RESUME,  RECORD_RESUME,
						    RECORD_HOLD,  RECORD_RELEASE, RECORD_RELEASE};
	uint32_t what = draw(23);
	struct record record;
	bool more;

	if (what < 9) {
		apply_some_alert();
	} else if (what < 16) {
		apply_some_outcome();
	} else if (what < 18) {
		record = make_record(RECORD_TICK);
		record.id = next_ids(4);
		record.most = 4;
		apply(&record);
	} else if (what < 19) {
		record = make_record(switches[draw(COUNT_OF(switches))]);
		record.webhook = w.conf->webhooks[draw(3)].id;
		apply(&record);
	} else if (what >= 20) {
		apply_some_request();
	} else if (!engine_paused()) {
		more = engine_drain(turn(), 3);
		(void)more; /* the next time goes on */
	}
}

static void
apply_some_turn(void)
{
	w.now += draw(2 * SECOND);
	for (uint32_t n = 1 + draw(6); n > 0; n--)
		apply_something();
}

/* The next turn, but first the same one in vain: nothing of it may be left. */
static void
fail_some_turn(void)
{
	static char before[TOLD_MAX], after[TOLD_MAX];
	static struct world was;
	uint64_t seed_was = seed;

	was = w;
	describe(before, sizeof before);
	apply_some_turn();
	fail_turn();
	describe(after, sizeof after);
	assert_string_equal(after, before);
	seed = seed_was;
	w.now = was.now;
	w.id = was.id;
	w.told_n = was.told_n;
}

static void
restart_between(void)
{
	static char before[TOLD_MAX], after[TOLD_MAX];

	describe(before, sizeof before);
	world_stop();
	world_start();
	assert_int_equal(engine_configure(turn(), w.conf, w.now), 0);
	describe(after, sizeof after);
	assert_string_equal(after, before);
	commit();
}

/* Every table's keys and values, one behind the other; the store is closed. */
static void
dump(struct buf *all)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi tables, table;
	MDB_cursor *names, *rows;
	MDB_val name, key, value;
	char text[64];

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 32), 0);
	assert_int_equal(mdb_env_open(env, w.dir, MDB_RDONLY, 0), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, NULL, 0, &tables), 0);
	assert_int_equal(mdb_cursor_open(txn, tables, &names), 0);
	while (mdb_cursor_get(names, &name, NULL, MDB_NEXT) == 0) {
		snprintf(text, sizeof text, "%.*s", (int)name.mv_size, (char *)name.mv_data);
		buf_printf(all, "\n== %s", text);
		assert_int_equal(mdb_dbi_open(txn, text, 0, &table), 0);
		assert_int_equal(mdb_cursor_open(txn, table, &rows), 0);
		while (mdb_cursor_get(rows, &key, &value, MDB_NEXT) == 0) {
			buf_printf(all, "\n%zu %zu ", key.mv_size, value.mv_size);
			buf_put(all, key.mv_data, key.mv_size);
			buf_put(all, value.mv_data, value.mv_size);
		}
		mdb_cursor_close(rows);
	}
	mdb_cursor_close(names);
	mdb_txn_abort(txn);
	mdb_env_close(env);
	assert_false(all->failed);
}

enum { TURNS = 400 };

struct outcome {
	struct buf rows;
	char told[TOLD_MAX];
};

/* The same records in a world of its own; every nth turn is first done in vain, or is followed by a
 * restart (0: never). */
static void
live(void **state, uint8_t key, unsigned fail, unsigned restart, struct outcome *outcome)
{
	assert_int_equal(world_teardown(state), 0);
	world_key[0] = key;
	assert_int_equal(world_setup(state), 0);
	world_configure(busy);
	seed = 20251121;
	for (unsigned i = 1; i <= TURNS; i++) {
		if (fail != 0 && i % fail == 0)
			fail_some_turn();
		apply_some_turn();
		commit();
		if (restart != 0 && i % restart == 0)
			restart_between();
	}
	strcpy(outcome->told, w.told);
	world_stop();
	buf_init(&outcome->rows, 16 << 20);
	dump(&outcome->rows);
	world_start();
}

static void
assert_same_rows(const struct buf *a, const struct buf *b)
{
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->p, b->p, a->n);
}

/*
 * The same records in the same order give the same state, byte for byte, whatever the hash key is
 * and however many turns failed on the way; restarts change nothing of what is told.
 */
static void
test_engine_same_state(void **state)
{
	static struct outcome plain, other;

	live(state, 1, 0, 0, &plain);
	assert_non_null(strstr(plain.told, "auto_resolve_timeout"));
	assert_non_null(strstr(plain.told, "acknowledgement_timeout"));
	assert_non_null(strstr(plain.told, "queue_full"));
	assert_non_null(strstr(plain.told, "alert queued"));
	live(state, 2, 0, 0, &other);
	assert_string_equal(other.told, plain.told);
	assert_same_rows(&other.rows, &plain.rows);
	buf_free(&other.rows);
	live(state, 3, 2, 0, &other);
	assert_string_equal(other.told, plain.told);
	assert_same_rows(&other.rows, &plain.rows);
	buf_free(&other.rows);
	live(state, 4, 5, 3, &other);
	assert_string_equal(other.told, plain.told);
	buf_free(&other.rows);
	buf_free(&plain.rows);
}

/* The chain of an incident's alerts has no gap when the process ends with heads not saved. */
static void
test_engine_heads(void **state)
{
	struct record last[40];
	struct alert_row row;
	struct uuid at;
	char entity[16];

	(void)state;
	world_configure(CONF("", "", ""));
	for (int i = 0; i < 40; i++) {
		snprintf(entity, sizeof entity, "e%d", i);
		last[i] = alert(entity, ALERT_CRITICAL);
	}
	for (int i = 0; i < 120; i++) {
		snprintf(entity, sizeof entity, "e%d", i % 40);
		last[i % 40] = make_alert(entity, ALERT_INFO);
		apply(&last[i % 40]);
	}
	commit();
	world_restart(CONF("", "", ""));
	for (int i = 0; i < 40; i++) {
		size_t n = 0;

		assert_memory_equal(open_by_number((uint64_t)i + 1)->head.b,
				    last[i].alert.alert_id.b, 16);
		for (at = last[i].alert.alert_id; !uuid_is_zero(&at); at = row.previous, n++)
			assert_true(alerts_get(look(), &at, &row));
		assert_int_equal(n, 4);
	}
}

/* The record counts, not a failed turn: numbers have no holes (CONTRACT §1.2). */
static void
test_engine_failed_turn(void **state)
{
	static char before[TOLD_MAX], after[TOLD_MAX];
	struct record record;

	(void)state;
	world_configure(CONF("'auto_resolve_timeout': 60,", "", HOOK("ops", "")));
	alert("e1", ALERT_CRITICAL);
	describe(before, sizeof before);
	record = make_alert("e1", ALERT_RESOLVED);
	apply(&record);
	record = make_alert("e2", ALERT_CRITICAL);
	apply(&record);
	record = make_record(RECORD_PAUSE);
	apply(&record);
	record = make_alert("e3", ALERT_CRITICAL);
	apply(&record);
	record = make_record(RECORD_HOLD);
	record.webhook = w.conf->webhooks[0].id;
	apply(&record);
	fail_turn();
	describe(after, sizeof after);
	assert_string_equal(after, before);
	assert_int_equal(rows_of("traces"), 1);
	assert_int_equal(rows_of("pending"), 0);
	assert_int_equal(incident(1).status, INCIDENT_TRIGGERED);
	forget();
	alert("e2", ALERT_CRITICAL);
	expect("head ops 2.1\nevent 2 triggered\nalert created 2\n");
}

/* A turn that the store refused half-way is the same. */
static void
test_engine_failed_early(void **state)
{
	static char before[TOLD_MAX], after[TOLD_MAX];
	struct record record;

	(void)state;
	world_configure(PLAIN);
	alert("e1", ALERT_CRITICAL);
	alert("e1", ALERT_ACKNOWLEDGED);
	describe(before, sizeof before);
	record = make_alert("e2", ALERT_CRITICAL);
	apply(&record);
	store_fail(turn()); /* from here on gets find nothing and puts do nothing */
	record = make_alert("e1", ALERT_RESOLVED);
	apply(&record);
	record = make_alert("e3", ALERT_CRITICAL);
	apply(&record);
	fail_turn();
	describe(after, sizeof after);
	assert_string_equal(after, before);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_engine_same_state), WORLD_TEST(test_engine_heads),
	    WORLD_TEST(test_engine_failed_turn), WORLD_TEST(test_engine_failed_early)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
