/*
 * The open incidents in memory: what the engine looks up for every alert. A mirror of the table
 * `open`, rebuilt from it at start, plus the newest alert of each incident (its head).
 *
 * Lookup by (integration, entity id) is a hash with a random key; nothing depends on its order.
 * Changes belong to the turn: every one is put on an undo list, which open_settle() drops (the turn
 * was committed) or walks backwards (it was not).
 *
 * Heads: an alert that joins changes its incident's head in memory only; the incident is then
 * dirty. open_save_heads() writes a few of those that became dirty longest ago; alerts issued since
 * the oldest dirty one are read again at start (meta.heads_from).
 */
#ifndef GATEWAY_OPEN_H
#define GATEWAY_OPEN_H

#include <sys/queue.h>

#include "proto/incident.h"
#include "store/store.h"

struct open_link;

struct open_incident {
	uint64_t number;
	uint32_t service;
	uint8_t status;           /* enum incident_status; changed by open_set_status() */
	bool dirty;               /* head differs from the one saved */
	bool closed;              /* resolved in this turn: found by nobody, freed at its end */
	int64_t created, triggered, acknowledged; /* steady; 0: not acknowledged */
	struct uuid unique_id;
	struct uuid head;         /* newest alert */
	struct uuid dirty_from;   /* the first alert that made it dirty */
	size_t link_count;
	SLIST_HEAD(open_links, open_link) links; /* its correlation keys */
	LIST_ENTRY(open_incident) by_number;
	TAILQ_ENTRY(open_incident) in_service; /* in number order */
	TAILQ_ENTRY(open_incident) in_dirty;   /* longest ago first */
};

/* key: 16 random bytes for the hash. 0, or -1 without memory. */
int open_start(const uint8_t key[16]) MUST NONNULL;
void open_stop(void);
/* Fills the table from the store: at start. -1 without memory, or when an open incident has no
 * row. */
int open_load(struct txn *, const struct uuid *heads_from) MUST NONNULL;

struct open_incident *open_find(uint32_t integration, struct slice entity_id) MUST;
struct open_incident *open_by_number(uint64_t number) MUST;
/* The open incident of that service with the largest number. */
struct open_incident *open_newest(uint32_t service) MUST;
size_t open_total(void);
size_t open_total_of(enum incident_status);
/* An incident's newest alert as it is committed, whatever this turn has done; zero: it has none, or
 * was not open. */
struct uuid open_committed_head(uint64_t number);

/* The changes. open_add() and open_link() fail without memory (NULL, false): fail the turn then.
 * open_link() also refuses beyond OPEN_KEYS_MAX. Each of the first two writes nothing to the
 * store. */
struct open_incident *open_add(uint64_t number, uint32_t service) MUST;
bool open_link(struct open_incident *, uint32_t integration, struct slice entity_id) MUST NONNULL;
/* To be called before fields of an incident are changed; false without memory: change nothing. */
bool open_touch(struct open_incident *) MUST NONNULL;
void open_set_status(struct open_incident *, enum incident_status) NONNULL;
void open_set_head(struct open_incident *, const struct uuid *alert) NONNULL;
void open_close(struct open_incident *) NONNULL;

/* Writes its row to the table `open`, head included. */
void open_save(struct txn *, struct open_incident *) NONNULL;
void open_save_heads(struct txn *, size_t max) NONNULL;
/* What heads_from has to be now: the oldest alert that no saved head covers; false: none. */
bool open_heads_from(struct uuid *) MUST NONNULL;

void open_settle(bool committed);

/* True if undo memory could not be had: the turn must fail. Reset by open_settle(). */
bool open_failed(void);

#endif
