/*
 * What the files of the engine share among themselves; nobody else includes this.
 *
 *   engine.c           start, seal, settle, dispatch
 *   engine_conf.c      taking a configuration over
 *   engine_alert.c     from an accepted alert to its outcome
 *   engine_api.c       what operators do to incidents
 *   engine_incident.c  changes of an incident, its events and timers
 *   engine_delivery.c  lanes, outcomes of attempts, dead letters
 *   engine_replay.c    deliveries put back into their lanes
 */
#ifndef GATEWAY_ENGINE_PARTS_H
#define GATEWAY_ENGINE_PARTS_H

#include "gateway/engine.h"
#include "gateway/open.h"

/* What the engine knows of a webhook, configured or gone; by its number. */
struct engine_hook {
	const struct conf_webhook *conf; /* NULL: not configured */
	uint64_t waiting;                /* rows in its lanes */
	uint64_t held;                   /* 1: by an operator, or by 410 */
};

struct engine {
	struct conf *conf;
	struct conf *former;       /* in force until this turn is committed, if swapped */
	bool swapped;              /* this turn */
	const struct engine_watch *watch;
	struct meta meta;
	struct meta before;        /* as it was when the turn began */
	bool changed;              /* this turn */
	bool failed;               /* this turn: no memory */
	struct engine_hook *hooks; /* by number */
	const struct conf_integration **integrations;
	const struct conf_service **services;
	size_t room;               /* of the three above */
	uint32_t orphan;           /* a webhook that is gone with rows in its lanes, or 0 */
	uint64_t refile;           /* timers from this incident number on are to be filed anew */
	uint64_t refile_before;    /* as it was when the turn began */
	struct buf body;           /* the event being made */
	struct arena arena;        /* texts of the record being applied */
	struct {
		uint64_t *at, old;
	} *undo;                   /* counters changed this turn */
	size_t undo_count, undo_room;
};

extern struct engine engine;

/* Counters that the engine reads change through this, so that a failed turn takes them back. */
void engine_count(uint64_t *counter, int by) NONNULL;
void engine_fail(struct txn *) NONNULL;
/* Before anything in struct meta is changed. */
void engine_touch(void);
/* Room for a number in the tables; false without memory. */
bool engine_make_room(uint32_t id) MUST;

/* Files timers by the configuration, of at most max incidents. */
void engine_refile(struct txn *, uint32_t max) NONNULL;
/* The turn in which a configuration was taken over is over. */
void engine_settle_conf(bool committed);

void engine_alert(struct txn *, const struct record *) NONNULL;
void engine_create(struct txn *, const struct record *) NONNULL;
void engine_change(struct txn *, const struct record *) NONNULL;
void engine_note(struct txn *, const struct record *) NONNULL;

/* A new incident with its `triggered` event; NULL without memory. The row says whose it is and what
 * was said of it; head: its alert. With an integration, its incident_key finds it from now on. The
 * rest of the row is filled in: id, times, texts cut, what the service says for what nobody set. */
struct open_incident *incident_create(struct txn *, const struct record *, struct incident_row *,
    const char *why) MUST;
/* Brings an open incident into a status, with the event and the timers that belong to it; event:
 * which of the record's ids. A resolved one is closed. head: its newest alert. */
void incident_move(struct txn *, const struct record *, struct open_incident *,
    enum incident_status, uint32_t event, const char *why);
/* What the timer of that key says has to happen now, if anything. */
void incident_timer(struct txn *, const struct record *, const struct timer_key *, uint32_t event)
    NONNULL;
void incident_file_timers(struct txn *, const struct open_incident *) NONNULL;

/* One row for each webhook of the service that wants the event. */
void delivery_create(struct txn *, const struct record *, const struct conf_service *,
    const struct uuid *event, const struct event_row *) NONNULL;
void delivery_outcome(struct txn *, const struct record *) NONNULL;
void delivery_due(struct txn *, const struct due_key *) NONNULL;
/* Moves at most max rows of a webhook that is gone to the dead letters. */
void delivery_bury(struct txn *, uint32_t webhook, uint32_t max) NONNULL;
void delivery_count(struct txn *) NONNULL; /* fills the hooks' waiting, at start */
/* Tells of a row that may go now, if it is the first one of its lane. */
void delivery_offer(struct txn *, const struct lane_key *, bool fresh) NONNULL;
void delivery_replay(struct txn *, const struct record *) NONNULL;

#endif
