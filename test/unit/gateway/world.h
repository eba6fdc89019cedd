/*
 * The engine without sockets, on a store of its own in a fresh directory. What the engine tells is
 * kept as lines of text, so that a test says what it expects in the order in which it must come:
 *
 *	head ops 1.2      the second event of incident 1 may go to the webhook "ops"
 *	again ops 1.2     the same, after an attempt that failed
 *	event 1 resolved  incident 1 has this event (and why, where it is not an alert's doing)
 *	alert joined 1    what became of the alert
 *	dead ops 1 ...    to the dead letters without an attempt; held ops / free ops
 *
 * Time stands still unless a test moves w.now.
 */
#ifndef TEST_UNIT_GATEWAY_WORLD_H
#define TEST_UNIT_GATEWAY_WORLD_H

#include <unistd.h>

#include "gateway/engine.h"
#include "gateway/open.h"
#include "gateway/reason.h"
#include "test/unit/conf/parse.h"

#define SECOND ((int64_t)1000000)
#define MINUTE (60 * SECOND)

enum { WORLD_START_S = 1763715600, TOLD_MAX = 64 << 10 };

struct world {
	char top[40]; /* made by mkdtemp */
	char dir[64]; /* top/data, made by store_open() */
	struct store *store;
	struct txn *txn;  /* the turn's, or NULL */
	struct txn *read; /* of the last look(), or NULL */
	struct conf *conf;
	int64_t now;	  /* wall and steady */
	struct uuid id;	  /* the last one issued */
	struct uuid head; /* the delivery last told of */
	char told[TOLD_MAX];
	size_t told_n;
	int delivered, dead; /* deliveries told of as settled */
	int64_t age;	     /* of the last one delivered */
};

static struct world w;
static uint8_t world_key[16] = "a key for tests"; /* of the engine's hash */

/* ---- what the engine tells ------------------------------------------------------------------ */

static inline void PRINTF(1, 2) tell(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	w.told_n += (size_t)vsnprintf(w.told + w.told_n, sizeof w.told - w.told_n, format, args);
	va_end(args);
	assert_true(w.told_n < sizeof w.told);
}

static inline const char *
hook_name(uint32_t webhook)
{
	static char name[64];
	const struct conf_webhook *conf = engine_webhook(webhook);

	snprintf(name, sizeof name, "%.*s", conf == NULL ? 1 : (int)conf->name.n,
		 conf == NULL ? "?" : conf->name.p);
	return name;
}

static inline void
told_alert(const struct record *record, enum engine_outcome outcome, uint64_t number)
{
	static const char *const words[] = {"created",	  "joined", "acknowledged", "resolved",
					    "suppressed", "alone",  "failed",	    "queued"};

	assert_int_equal(record->kind, RECORD_ALERT);
	tell("alert %s %llu\n", words[outcome], (unsigned long long)number);
}

static inline void
told_event(uint64_t number, uint8_t type, const char *why)
{
	tell("event %llu %s%s%s\n", (unsigned long long)number,
	     type == EVENT_TRIGGERED  ? "triggered"
	     : type == EVENT_RESOLVED ? "resolved"
				      : "acknowledged",
	     why == NULL ? "" : " ", why == NULL ? "" : why);
}

static inline void
told_head(const struct lane_key *key, const struct uuid *delivery, bool fresh)
{
	w.head = *delivery;
	tell("%s %s %llu.%u\n", fresh ? "head" : "again", hook_name(key->webhook),
	     (unsigned long long)key->number, key->n);
}

static inline void
told_dead(uint32_t webhook, uint64_t number, const char *reason, const char *why)
{
	assert_true(strlen(why) > 0);
	tell("dead %s %llu %s\n", hook_name(webhook), (unsigned long long)number,
	     *reason == '\0' ? "-" : reason);
}

static inline void
told_settled(uint32_t webhook, const struct delivery_row *row, int64_t age)
{
	assert_int_not_equal(webhook, 0);
	assert_int_not_equal(row->state, DELIVERY_WAITING);
	w.delivered += row->state == DELIVERY_DELIVERED;
	w.dead += row->state == DELIVERY_DEAD;
	w.age = age;
}

static inline void
told_held(uint32_t webhook, bool held)
{
	tell("%s %s\n", held ? "held" : "free", hook_name(webhook));
}

static const struct engine_watch world_watch = {.alert = told_alert,
						.event = told_event,
						.head = told_head,
						.dead = told_dead,
						.settled = told_settled,
						.held = told_held};

/* All that was told since the last time. */
#define expect(lines)                               \
	do {                                        \
		assert_string_equal(w.told, lines); \
		forget();                           \
	} while (0)

static inline void
forget(void)
{
	w.told_n = 0;
	w.told[0] = '\0';
}

/* ---- turns ---------------------------------------------------------------------------------- */

/* A snapshot of what is committed; gone with the next look and the next turn. */
static inline struct txn *
look(void)
{
	store_abort(w.read);
	w.read = store_read(w.store);
	assert_non_null(w.read);
	return w.read;
}

static inline struct txn *
turn(void)
{
	store_abort(w.read);
	w.read = NULL;
	if (w.txn == NULL)
		w.txn = store_write(w.store);
	assert_non_null(w.txn);
	return w.txn;
}

static inline void
seal(void)
{
	struct meta clock = {.boot_time = w.now, .steady = w.now};

	engine_seal(turn(), &w.id, &clock);
}

static inline void
commit(void)
{
	int result;

	seal();
	result = store_commit(w.txn);
	w.txn = NULL;
	assert_int_equal(result, STORE_OK);
	engine_settle(true);
}

/* The turn comes to nothing, as with a disk that is full at the very end. */
static inline void
fail_turn(void)
{
	int result;

	seal();
	store_fail(w.txn);
	result = store_commit(w.txn);
	w.txn = NULL;
	assert_int_equal(result, STORE_FAULT);
	engine_settle(false);
}

static inline void
apply(const struct record *record)
{
	engine_apply(turn(), record);
}

static inline void
apply_alone(const struct record *record)
{
	apply(record);
	commit();
}

/* ---- records -------------------------------------------------------------------------------- */

static inline struct uuid
next_ids(uint32_t n)
{
	struct uuid first = uuid_v7_after(&w.id, 1);

	w.id = uuid_v7_after(&first, n - 1);
	return first;
}

static inline struct record
make_record(enum record_kind kind)
{
	return (struct record){.kind = kind, .wall = w.now, .steady = w.now};
}

static inline struct record
make_alert(const char *entity_id, enum alert_type type)
{
	struct record record = make_record(RECORD_ALERT);

	record.id = next_ids(1);
	put_u64(record.salt, 0x5a17000000000000u + get_u64(record.id.b));
	record.alert.trace = next_ids(1);
	record.alert.alert_id = next_ids(1);
	record.alert.integration = w.conf->integrations[0].id;
	record.alert.alert = (struct alert){.type = type,
					    .urgency = -1,
					    .message = SLICE("CPU"),
					    .summary = SLICE("high"),
					    .entity_id = slice_of(entity_id),
					    .fields = SLICE("{}")};
	return record;
}

/* One alert, one turn. */
static inline struct record
alert(const char *entity_id, enum alert_type type)
{
	struct record record = make_alert(entity_id, type);

	apply_alone(&record);
	return record;
}

/* An operator's, of the first service. */
static inline struct record
make_create(const char *title)
{
	struct record record = make_record(RECORD_CREATE);

	record.id = next_ids(RECORD_CREATE_IDS);
	put_u64(record.salt, 0x5a17000000000000u + get_u64(record.id.b));
	record.incident = (struct record_incident){.service = w.conf->services[0].id,
						   .fields = FIELD_TITLE,
						   .to.title = slice_of(title)};
	return record;
}

/* The same with an incident; what is meant, the caller says. */
static inline struct record
make_change(uint64_t number)
{
	struct record record = make_record(RECORD_CHANGE);

	record.id = next_ids(1);
	record.incident = (struct record_incident){.number = number};
	return record;
}

static inline struct record
make_note(uint64_t number, const char *user, const char *text)
{
	struct record record = make_record(RECORD_NOTE);

	record.id = next_ids(1);
	record.note = (struct record_note){number, slice_of(user), slice_of(text)};
	return record;
}

static inline void
tick(void)
{
	struct record record = make_record(RECORD_TICK);

	record.most = 16;
	record.id = next_ids(16);
	apply_alone(&record);
}

/* A switch: pause, resume, hold, release. */
static inline void throw(enum record_kind kind, uint32_t webhook)
{
	struct record record = make_record(kind);

	record.webhook = webhook;
	apply_alone(&record);
}

/* ---- questions ------------------------------------------------------------------------------ */

static inline struct trace_row
trace_of(const struct record *record)
{
	struct trace_row row;

	if (!traces_get(look(), &record->alert.trace, &row))
		fail_msg("the trace is not there");
	return row;
}

static inline struct incident_row
incident(uint64_t number)
{
	struct incident_row row;

	if (!incidents_get(look(), number, &row))
		fail_msg("no incident %llu", (unsigned long long)number);
	return row;
}

static inline struct delivery_row
delivery(const struct uuid *id)
{
	struct delivery_row row;

	if (!deliveries_get(look(), id, &row))
		fail_msg("the delivery is not there");
	return row;
}

static inline void
count_table(void *arg, const char *table, uint64_t rows)
{
	struct {
		const char *table;
		uint64_t rows;
	} *want = arg;

	if (strcmp(table, want->table) == 0)
		want->rows = rows;
}

static inline uint64_t
rows_of(const char *table)
{
	struct {
		const char *table;
		uint64_t rows;
	} want = {table, UINT64_MAX};

	store_count(look(), count_table, &want);
	return want.rows;
}

/* A configuration of one service: further members of it and of its integration, and its
 * webhooks. */
#define CONF(service, integration, webhooks)                                                       \
	"{'services': [{'name': 'Payments', " service                                              \
	"'integrations': [{'name': 'Generic', 'key': 'k'" integration "}], 'webhooks': [" webhooks \
	"]}]}"
#define HOOK(name, more) "{'name': '" name "', 'url': 'http://h'" more "}"
#define PLAIN		 CONF("", "", HOOK("ops", ""))

/* ---- life ----------------------------------------------------------------------------------- */

static inline void
world_configure(const char *text)
{
	struct conf *conf = parse_good(text);

	assert_int_equal(engine_configure(turn(), conf, w.now), 0);
	conf_release(w.conf);
	w.conf = conf;
	commit();
}

static inline void
world_start(void)
{
	char why[256] = "";

	w.store = store_open(w.dir, 64 << 20, why);
	if (w.store == NULL)
		fail_msg("%s", why);
	assert_int_equal(engine_start(look(), world_key, &world_watch), 0);
}

static inline void
world_stop(void)
{
	store_abort(w.read);
	store_abort(w.txn);
	w.read = w.txn = NULL;
	engine_stop();
	store_close(w.store);
	w.store = NULL;
}

/* As after a kill: nothing but what was committed goes on. */
static inline void
world_restart(const char *text)
{
	world_stop();
	world_start();
	world_configure(text);
}

static inline int
world_setup(void **state)
{
	static const uint8_t random[8];

	(void)state;
	memset(&w, 0, sizeof w);
	/* In memory where that is possible: thousands of commits wait for no disk. */
	snprintf(w.top, sizeof w.top, "%s/tocsin-engine-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(w.top) == NULL)
		return -1;
	snprintf(w.dir, sizeof w.dir, "%s/data", w.top);
	w.now = WORLD_START_S * SECOND;
	w.id = uuid_v7((uint64_t)w.now / 1000, 0, random, 0);
	world_start();
	return 0;
}

static inline int
world_teardown(void **state)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "owner.lock"};
	char path[128];

	(void)state;
	world_stop();
	conf_release(w.conf);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		snprintf(path, sizeof path, "%s/%s", w.dir, names[i]);
		unlink(path);
	}
	rmdir(w.dir);
	return rmdir(w.top);
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

#endif
