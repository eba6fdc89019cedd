/*
 * The state: one LMDB file, opened by one process, written by one transaction at a time.
 *
 * TRANSACTIONS
 *   store_write() begins the only write transaction, store_read() a snapshot of what is committed.
 *   Reads through a write transaction see its own writes. Everything a row function returns
 *   (slices) points into the map: it is valid until the next put or delete of the same transaction,
 *   or its end. Copy what must last longer.
 *
 * ERRORS
 *   Row functions return no error: the first failure sticks to the transaction, later calls do
 *   nothing (puts) or find nothing (gets), and store_commit() then aborts and returns it. So a
 *   transaction is all or nothing, and one look at the end is enough. The exceptions are
 *   store_open() and store_commit(), whose results must be looked at:
 *     STORE_OK     on stable storage: data and meta pages were flushed (default LMDB mode)
 *     STORE_FULL   the map or the disk has no room, or takes no writes at all; nothing of the
 *                  transaction exists; deletes and smaller transactions may still succeed
 *     STORE_BROKEN I/O error or a panic of LMDB: whether the transaction exists is unknown. The
 *                  process must exit without telling anybody; the file is safe and will be read
 *                  again at the next start
 *     STORE_FAULT  anything else (no memory, a row of an unknown version); nothing of the
 *                  transaction exists
 *
 * KEYS
 *   Ids are 16 bytes, integers big-endian, so rows lie in the order of issue; what a table's key is
 *   stands beside its functions. Every value starts with a version byte (see store/record.c).
 *   Plain puts throughout: a put replaces.
 *
 * TIME
 *   `steady` times are microseconds of the gateway's steady clock (gateway/clock.h), `wall` times
 *   microseconds since 1970. The store reads no clock.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "proto/buf.h"
#include "proto/uuid.h"

struct store;
struct txn;

enum { STORE_OK = 0, STORE_FULL = 1, STORE_BROKEN = 2, STORE_FAULT = 3 };

enum { STORE_SCHEMA = 1 };

/*
 * Opens, or creates with mode 0600, the store in directory dir (created 0700 if missing; its parent
 * must exist). Takes an exclusive flock on dir/owner.lock, so that a second process fails here;
 * fsyncs the directory and its parent after the file was created. Clears reader slots of dead
 * processes. map_size in bytes is the most the file may grow to. On failure returns NULL with a
 * sentence in why.
 */
struct store *store_open(const char *dir, uint64_t map_size, char why[256]) MUST NONNULL;

/* The same read-only and without the lock, for tools beside a live gateway. While such a tool holds
 * a snapshot, pages that the gateway frees are not used again: be brief. */
struct store *store_open_reader(const char *dir, char why[256]) MUST NONNULL;

/* Writes what is committed, without free pages, to fd as a whole new file, which is durable behind
 * the caller's fsync. Holds a snapshot while it writes. False with a sentence in why. */
bool store_copy(struct store *, int fd, char why[256]) MUST NONNULL;
/* Opens such a file, read-only and without a lock: nobody else may write it. */
struct store *store_open_copy(const char *path, char why[256]) MUST NONNULL;

/* Lets go of the snapshots of processes that died holding them; returns how many. */
int store_clear_readers(struct store *) NONNULL;

void store_close(struct store *); /* no transaction may be open */

struct txn *store_write(struct store *) MUST NONNULL; /* NULL: cannot begin (FAULT or BROKEN) */
struct txn *store_read(struct store *) MUST NONNULL;  /* NULL: no memory */
int store_commit(struct txn *) MUST NONNULL; /* ends it, whatever the result */
void store_abort(struct txn *);              /* ends a read, or drops a write; NULL is fine */
bool store_failed(const struct txn *) NONNULL; /* the sticky error is set */
void store_fail(struct txn *) NONNULL;       /* sets it (STORE_FAULT) */
size_t store_rows_put(const struct txn *) NONNULL; /* puts so far in this transaction */

/* Test builds set this: called in place of the flush-and-commit with the attempt to be made; a
 * result other than STORE_OK aborts the transaction and becomes the result of store_commit(). */
extern int (*store_commit_fault)(void);

struct store_size {
	uint64_t limit; /* bytes of the map */
	uint64_t used;  /* bytes in pages that hold data: last page less free, as last counted */
};
/* Cheap: the free list is counted on in steps of at most `steps` of its rows a call. Only read
 * transactions can count on; a write transaction is told the last result. */
struct store_size store_size(struct txn *, size_t steps) NONNULL;

const char *store_error_text(int error);

/* True if traces issued before trace_ms, or other rows older than other_ms, are there for the
 * functions below to remove (or to walk past: undelivered ones). */
bool store_has_old(struct txn *, uint64_t trace_ms, uint64_t other_ms, bool events) NONNULL;

/* Every table's name and number of rows. */
typedef void store_visit(void *arg, const char *table, uint64_t rows);
void store_count(struct txn *, store_visit *, void *arg);

/* Every row as it lies there, table by table, in the order of keys, until visit returns false: for
 * dumps. store/key.h and store/record.h read its bytes. */
typedef bool row_visit(void *arg, const char *table, struct slice key, struct slice value);
void store_each(struct txn *, row_visit *, void *arg);

/* ---- meta: the store's own counters, one row --------------------------------------------- */

struct meta {
	uint64_t next_number;  /* the next incident's; starts at 1 */
	uint64_t applied;      /* records applied so far */
	uint64_t next_pending; /* key of the next pending record */
	uint32_t next_name;    /* the next u32 of names; starts at 1 */
	struct uuid last_id;   /* ids issued later are larger */
	struct uuid heads_from; /* alerts from here on may be missing in the heads of `open` */
	bool paused;           /* applying is paused (CONTRACT §5) */
	uint8_t boot_id[16];   /* steady clock: which boot, its time then, the steady time (us) */
	int64_t boot_time;
	int64_t steady;
	uint64_t conf_print;   /* fingerprint of the timeouts for which timers are filed */
};

void meta_get(struct txn *, struct meta *) NONNULL; /* defaults in a new store */
void meta_put(struct txn *, const struct meta *) NONNULL;

/* ---- names: (kind, text) -> u32, never reused -------------------------------------------- */

enum name_kind { NAME_SERVICE = 1, NAME_INTEGRATION = 2, NAME_WEBHOOK = 3 };

/* text: a service's or webhook's name; an integration's is "service\0integration". At most 400
 * bytes; a longer one is kept as its first 360 bytes and its SHA-256 in hex. */
struct name_row {
	uint32_t id;
	int64_t seen;  /* wall: when it was first put */
	bool paused;   /* webhooks */
	struct slice text; /* filled by names_each: as it stands in the key */
};

bool names_get(struct txn *, enum name_kind, struct slice text, struct name_row *) MUST NONNULL;
void names_put(struct txn *, enum name_kind, struct slice text, const struct name_row *) NONNULL;
typedef void name_visit(void *arg, enum name_kind, const struct name_row *);
void names_each(struct txn *, name_visit *, void *arg);
/* The row of that kind and number, with its text. Walks the table: for what is rarely asked. */
bool names_find(struct txn *, enum name_kind, uint32_t id, struct name_row *) MUST NONNULL;

/* ---- traces: trace id -> what became of an alert (CONTRACT §4) --------------------------- */

enum trace_state { TRACE_QUEUED = 0, TRACE_COMPLETED = 1, TRACE_FAILED = 2 };

struct trace_row {
	enum trace_state state;
	bool created;          /* is_incident_created */
	bool suppressed;
	uint32_t integration;
	struct uuid alert;
	uint64_t number;       /* incident, 0: touched none */
	struct uuid unique_id; /* of the incident */
	struct uuid event;     /* the event it made; zero: none */
	struct slice error;    /* TRACE_FAILED */
};

void traces_put(struct txn *, const struct uuid *, const struct trace_row *) NONNULL;
bool traces_get(struct txn *, const struct uuid *, struct trace_row *) MUST NONNULL;
/* Removes at most max rows whose id was issued before before_ms, oldest first; returns how many. */
size_t traces_expire(struct txn *, uint64_t before_ms, size_t max) NONNULL;
uint64_t traces_count(struct txn *) NONNULL;

/* ---- pending: sequence -> accepted records not applied yet ------------------------------- */

void pending_put(struct txn *, uint64_t sequence, struct slice record) NONNULL;
/* The oldest one. */
bool pending_first(struct txn *, uint64_t *sequence, struct slice *record) MUST NONNULL;
void pending_remove(struct txn *, uint64_t sequence) NONNULL;
uint64_t pending_count(struct txn *) NONNULL;

/* ---- alerts: alert id -> the alert ------------------------------------------------------- */

struct alert_row {
	uint64_t number;       /* incident, 0: alone */
	struct uuid previous;  /* alert of the same incident, zero: the first */
	uint32_t integration;
	uint8_t type;          /* enum alert_type */
	bool suppressed;
	int64_t wall;
	struct slice entity_id;
	struct slice rules;    /* rules matched: JSON array as text, or empty */
	struct slice fields;   /* struct alert's fields */
};

void alerts_put(struct txn *, const struct uuid *, const struct alert_row *) NONNULL;
bool alerts_get(struct txn *, const struct uuid *, struct alert_row *) MUST NONNULL;
/* Visits rows from id on, oldest first, until visit returns false. */
typedef bool alert_visit(void *arg, const struct uuid *, const struct alert_row *);
void alerts_from(struct txn *, const struct uuid *, alert_visit *, void *arg);
size_t alerts_expire(struct txn *, uint64_t before_ms, size_t max) NONNULL;

/* ---- incidents: number -> incident ------------------------------------------------------- */

struct incident_row {
	struct uuid unique_id;
	uint32_t service;      /* names */
	uint32_t integration;  /* 0: made through the API */
	uint8_t status;        /* enum incident_status */
	uint8_t urgency;
	int64_t created, acknowledged, resolved; /* wall, 0: none */
	int64_t resolved_steady; /* key in `closed` */
	struct uuid head;      /* newest alert, saved when it is resolved (else see open) */
	struct uuid last_event;
	uint32_t events;       /* how many so far: the newest one's n */
	struct slice title, summary, incident_key, priority, sla, escalation_policy, tags;
	struct slice assigned_to;
	struct slice task_template; /* instead of its service's; or empty */
};

void incidents_put(struct txn *, uint64_t number, const struct incident_row *) NONNULL;
bool incidents_get(struct txn *, uint64_t number, struct incident_row *) MUST NONNULL;
void incidents_remove(struct txn *, uint64_t number) NONNULL;
/* The newest one with a number of at most *number; sets *number. */
bool incidents_before(struct txn *, uint64_t *number, struct incident_row *) MUST NONNULL;
/* The oldest one with a number of at least *number. */
bool incidents_after(struct txn *, uint64_t *number, struct incident_row *) MUST NONNULL;
uint64_t incidents_count(struct txn *) NONNULL;

/* ---- open: number -> what the table of open incidents is rebuilt from -------------------- */

enum { OPEN_KEYS_MAX = 200 };

struct open_key {
	uint32_t integration;
	struct slice entity_id;
};

struct open_row {
	uint32_t service;
	uint8_t status;
	int64_t triggered;    /* steady: the last `triggered` event; */
	int64_t acknowledged; /* steady: the last acknowledgement, 0: none */
	int64_t created;      /* steady */
	struct uuid head;     /* newest alert when it was saved */
	size_t key_count;     /* 0 to OPEN_KEYS_MAX */
	struct open_key keys[OPEN_KEYS_MAX];
};

void open_put(struct txn *, uint64_t number, const struct open_row *) NONNULL;
bool open_get(struct txn *, uint64_t number, struct open_row *) MUST NONNULL;
void open_remove(struct txn *, uint64_t number) NONNULL;
typedef bool open_visit(void *arg, uint64_t number, const struct open_row *);
void open_each(struct txn *, open_visit *, void *arg); /* in number order */
uint64_t open_count(struct txn *) NONNULL;
/* The newest number of at most *number, and the oldest of at least *number; they set *number. */
bool open_before(struct txn *, uint64_t *number) MUST NONNULL;
bool open_after(struct txn *, uint64_t *number) MUST NONNULL;

/* ---- events: event id -> one change of an incident, body included ------------------------ */

struct event_row {
	uint64_t number;
	uint32_t n;             /* 1, 2, ... within the incident */
	uint8_t type;           /* EVENT_TRIGGERED = 1, _ACKNOWLEDGED = 2, _RESOLVED = 4 */
	int64_t wall;
	struct uuid previous;   /* event of the same incident, zero: the first */
	struct slice body;      /* what every webhook is sent */
};

/* An event id has its last 4 bytes 0; with a webhook's u32 there it is a delivery id. */
struct uuid delivery_id(const struct uuid *event, uint32_t webhook) NONNULL;
struct uuid delivery_event(const struct uuid *delivery) NONNULL;
uint32_t delivery_webhook(const struct uuid *delivery) NONNULL;

void events_put(struct txn *, const struct uuid *, const struct event_row *) NONNULL;
bool events_get(struct txn *, const struct uuid *, struct event_row *) MUST NONNULL;

/* ---- deliveries: delivery id -> one event for one webhook -------------------------------- */

enum delivery_state { DELIVERY_WAITING = 0, DELIVERY_DELIVERED = 1, DELIVERY_DEAD = 2 };

struct delivery_row {
	uint64_t number;
	uint32_t n;
	uint8_t event_type;
	enum delivery_state state;
	uint32_t tries;    /* attempts that counted on the schedule */
	uint32_t refusals; /* of these, complete answers that refuse the event */
	uint32_t attempts; /* attempts made: the newest one's n */
	uint8_t reason;    /* of the last attempt (gateway/reason.h), 0: none yet */
	int64_t created;   /* wall */
	int64_t next;      /* wall: next attempt, 0: not waiting for a time */
};

void deliveries_put(struct txn *, const struct uuid *, const struct delivery_row *) NONNULL;
bool deliveries_get(struct txn *, const struct uuid *, struct delivery_row *) MUST NONNULL;
/* The newest one with an id of at most *id; sets *id. */
bool deliveries_before(struct txn *, struct uuid *, struct delivery_row *) MUST NONNULL;
/* The oldest one with an id of at least *id; sets *id. */
bool deliveries_after(struct txn *, struct uuid *, struct delivery_row *) MUST NONNULL;
uint64_t deliveries_count(struct txn *) NONNULL;

/*
 * Removes what is older than before_ms of events, deliveries (with their attempts and dead rows),
 * walking at most max rows from *cursor (zero: the left edge). An undelivered delivery stays, and
 * so does its event.
 * *cursor moves on; it is zero again when the walk reached before_ms. Returns rows removed.
 * The event at hand is finished, so max may be passed by its rows. A settled delivery whose event
 * is missing goes like the others.
 */
size_t deliveries_expire(struct txn *, uint64_t before_ms, struct uuid *cursor, size_t max) NONNULL;

/* ---- lanes: (webhook, number, n) -> undelivered, in the order that must be kept ---------- */

struct lane_key {
	uint32_t webhook;
	uint64_t number;
	uint32_t n;
};

struct lane_row {
	struct uuid delivery;
	int64_t due; /* steady; 0: may go when its turn comes */
};

void lanes_put(struct txn *, const struct lane_key *, const struct lane_row *) NONNULL;
void lanes_remove(struct txn *, const struct lane_key *) NONNULL;
bool lanes_get(struct txn *, const struct lane_key *, struct lane_row *) MUST NONNULL;
/* The first row at or behind *key that belongs to the same webhook; sets *key. */
bool lanes_seek(struct txn *, struct lane_key *, struct lane_row *) MUST NONNULL;

/* ---- due: heads of lanes that wait for their time ---------------------------------------- */

struct due_key {
	int64_t time; /* steady */
	struct lane_key lane;
};

void due_put(struct txn *, const struct due_key *) NONNULL;
void due_remove(struct txn *, const struct due_key *) NONNULL;
bool due_first(struct txn *, struct due_key *) MUST NONNULL;

/* ---- dead: (webhook, delivery id); dead_counts: webhook -> its number of these ----------- */

void dead_put(struct txn *, uint32_t webhook, const struct uuid *delivery) NONNULL;
void dead_remove(struct txn *, uint32_t webhook, const struct uuid *delivery) NONNULL;
bool dead_get(struct txn *, uint32_t webhook, const struct uuid *delivery) MUST NONNULL;
uint64_t dead_count(struct txn *, uint32_t webhook) NONNULL;
/* The newest one of the webhook with an id of at most *delivery, and the oldest one with an id of
 * at least *delivery; they set *delivery. */
bool dead_before(struct txn *, uint32_t webhook, struct uuid *delivery) MUST NONNULL;
bool dead_after(struct txn *, uint32_t webhook, struct uuid *delivery) MUST NONNULL;

/* ---- attempts: (delivery id, n) ---------------------------------------------------------- */

struct attempt_row {
	int64_t wall;       /* when it started */
	uint8_t reason;     /* gateway/reason.h */
	bool reused;        /* over a kept-alive connection */
	uint16_t status;    /* of the answer, 0: none */
	uint32_t lookup, connect, tls, first_byte, total; /* phases, us */
};

void attempts_put(struct txn *, const struct uuid *delivery, uint32_t n,
    const struct attempt_row *) NONNULL;
bool attempts_get(struct txn *, const struct uuid *delivery, uint32_t n,
    struct attempt_row *) MUST NONNULL;

/* ---- notes: (number, note id) -> text ---------------------------------------------------- */

struct note_row {
	int64_t wall;
	struct slice user; /* name of the token or "" */
	struct slice text;
};

void notes_put(struct txn *, uint64_t number, const struct uuid *, const struct note_row *) NONNULL;
/* The first one behind *id (zero: the first of all) of that incident; sets *id. */
bool notes_next(struct txn *, uint64_t number, struct uuid *, struct note_row *) MUST NONNULL;
/* The newest one of that incident with an id of at most *id; sets *id. */
bool notes_before(struct txn *, uint64_t number, struct uuid *, struct note_row *) MUST NONNULL;

/* ---- timers: (time, kind, number), a hint: the incident decides -------------------------- */

enum timer_kind { TIMER_AUTO_RESOLVE = 1, TIMER_ACKNOWLEDGEMENT = 2 };

struct timer_key {
	int64_t time; /* steady */
	uint8_t kind;
	uint64_t number;
};

void timers_put(struct txn *, const struct timer_key *) NONNULL;
void timers_remove(struct txn *, const struct timer_key *) NONNULL;
bool timers_first(struct txn *, struct timer_key *) MUST NONNULL;

/* ---- closed: (resolved time, number), for expiry of incidents ---------------------------- */

void closed_put(struct txn *, int64_t resolved_steady, uint64_t number) NONNULL;
void closed_remove(struct txn *, int64_t resolved_steady, uint64_t number) NONNULL;
/* Removes at most max rows of incidents resolved before `before` (steady) with the incident and its
 * notes; returns rows removed. */
size_t closed_expire(struct txn *, int64_t before, size_t max) NONNULL;

/* ---- similar: hash of (integration, entity id) -> last creation -------------------------- */

void similar_put(struct txn *, uint32_t integration, struct slice entity_id,
    int64_t steady) NONNULL;
bool similar_get(struct txn *, uint32_t integration, struct slice entity_id,
    int64_t *steady) MUST NONNULL;
/* Rows older than `before` go, at most max looked at from an internal place that moves round. */
size_t similar_expire(struct txn *, int64_t before, size_t max) NONNULL;

#endif
