/*
 * The engine: the only code that changes incidents, events and deliveries (CONTRACT §5).
 *
 * It reads no clock, no random source, no hash order, and it writes no log: the stored state, the
 * configuration and the record decide everything. What others have to do about a change (start a
 * delivery, write a line, count) they learn through struct engine_watch, while the turn is still
 * open; they act once it is committed.
 *
 * No function returns an error: what fails sticks to the transaction. Without memory the engine
 * fails the transaction itself.
 */
#ifndef GATEWAY_ENGINE_H
#define GATEWAY_ENGINE_H

#include "gateway/record.h"

/* What became of an alert; the words of tocsin_alerts_applied_total. */
enum engine_outcome {
	OUTCOME_CREATED,
	OUTCOME_JOINED,
	OUTCOME_ACKNOWLEDGED,
	OUTCOME_RESOLVED,
	OUTCOME_SUPPRESSED,
	OUTCOME_ALONE,
	OUTCOME_FAILED,
	OUTCOME_QUEUED,
};

/* "created", ... */
const char *engine_outcome_word(enum engine_outcome) MUST;

struct engine_watch {
	void (*alert)(const struct record *, enum engine_outcome, uint64_t number);
	/* type: EVENT_TRIGGERED, ...; why: a word for what is not an alert's doing, or NULL */
	void (*event)(uint64_t number, uint8_t type, const char *why);
	/* The first undelivered event of its lane may go as soon as the turn is committed;
	 * fresh: it was not tried yet. */
	void (*head)(const struct lane_key *, const struct uuid *delivery, bool fresh);
	/* A delivery went to the dead letters without an attempt; reason: a word of reason.h */
	void (*dead)(uint32_t webhook, uint64_t number, const char *reason, const char *why);
	/* A delivery has come to an end, delivered or dead: its row says which. age: us since its
	 * event, of a delivered one. */
	void (*settled)(uint32_t webhook, const struct delivery_row *, int64_t age);
	/* An operator, or a receiver's 410, said so; held may be what it was. */
	void (*held)(uint32_t webhook, bool held);
	/* Asked: whether attempts of a webhook that is gone are under way. Until they have ended
	 * its deliveries are not buried. NULL: never. */
	bool (*busy)(uint32_t webhook);
};

/* Loads counters and open incidents from the snapshot. hash_key: 16 random bytes. -1 without
 * memory. */
int engine_start(struct txn *, const uint8_t hash_key[16], const struct engine_watch *)
    MUST NONNULL;
void engine_stop(void);

/* Makes conf the configuration, and the one before again if the turn fails: gives every service,
 * integration and webhook its number (new names are written). What else follows is left to ticks:
 * timers are filed anew where the services' timeouts have changed, deliveries of webhooks that are
 * gone are buried. Takes a reference. Once in a turn. -1 without memory: the turn must fail. */
int engine_configure(struct txn *, struct conf *, int64_t wall) MUST NONNULL;

void engine_apply(struct txn *, const struct record *) NONNULL;
/* Applies an alert as if nothing were paused, in a transaction that is to be dropped; watch is told
 * what it does. engine_settle(false) must follow, when the rows have been looked at. */
void engine_try(struct txn *, const struct record *, const struct engine_watch *) NONNULL;
/* Writes what the turn left in memory: counters, some heads. last_id: the last id issued; clock:
 * where the steady clock is (boot_id, boot_time, steady; the rest is not looked at). */
void engine_seal(struct txn *, const struct uuid *last_id, const struct meta *clock) NONNULL;
/* The turn is over: keep or take back what changed in memory. */
void engine_settle(bool committed);

/* Applies records that waited, at most max; true while there are more. */
bool engine_drain(struct txn *, uint32_t max) NONNULL;

const struct meta *engine_meta(void);
bool engine_paused(void);
uint64_t engine_waiting(uint32_t webhook); /* undelivered deliveries */
bool engine_held(uint32_t webhook);
/* True while ticks have to go on with what a configuration brought: deliveries of webhooks that are
 * gone wait to be buried, or timers to be filed anew. */
bool engine_unsettled(void);

const struct conf_integration *engine_integration(uint32_t id);
const struct conf_webhook *engine_webhook(uint32_t id);
const struct conf_service *engine_service(uint32_t id);
/* A service as it is printed at wall time now: status and creation date filled in. */
struct service_facts engine_service_facts(const struct conf_service *, int64_t now) NONNULL;
/* An incident's newest alert as it is committed, like row, which is a snapshot's; zero: none. */
struct uuid engine_head(uint64_t number, const struct incident_row *row) NONNULL;
/* A stored incident as the value that is printed. */
struct incident engine_incident(uint64_t number, const struct incident_row *) NONNULL;

#endif
