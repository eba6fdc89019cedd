/*
 * What the engine applies: everything that changes incidents, events and deliveries arrives as a
 * record, which carries its time and its ids. The same records in the same order give the same
 * state.
 */
#ifndef GATEWAY_RECORD_H
#define GATEWAY_RECORD_H

#include "conf/conf.h"
#include "proto/alert.h"
#include "store/store.h"

enum record_kind {
	RECORD_ALERT = 1, /* an accepted alert */
	RECORD_TICK,      /* time passed: timers and due retries */
	RECORD_OUTCOME,   /* an attempt ended */
	RECORD_PAUSE,     /* stop applying alerts */
	RECORD_RESUME,    /* go on */
	RECORD_HOLD,      /* hold one webhook's deliveries */
	RECORD_RELEASE,   /* let them go */
	RECORD_REPLAY,    /* deliver once more, at once */
	RECORD_CREATE,    /* through the API: a new incident */
	RECORD_CHANGE,    /* ... what it says, or its status */
	RECORD_NOTE,      /* ... a note on it */
};

struct record_alert {
	struct uuid trace;
	struct uuid alert_id;
	uint32_t integration;
	struct alert alert;
	struct slice failure; /* why it cannot become an alert (mapping), or empty */
	struct slice rules;   /* rules matched: JSON array as text, or empty */
	struct slice similar; /* its entity id as it came to the rules, if they ask for the last
			       * similar incident; or empty */
};

/* What an attempt's end means for the delivery (CONTRACT §8). */
enum verdict {
	VERDICT_DELIVERED,
	VERDICT_FAILED,  /* runs the whole schedule */
	VERDICT_REFUSED, /* 4 attempts in all, then dead */
	VERDICT_GONE,    /* dead at once, the webhook held */
};

struct record_outcome {
	struct uuid delivery;
	struct attempt_row attempt;
	enum verdict verdict;
	bool early;          /* made before its time: if it failed, its time stays as it is */
	int64_t retry_after; /* us from now; 0: the receiver asked for nothing */
	int jitter;          /* thousandths, -200 to 200 */
};

/* Which members of record_incident.to are meant. */
enum record_field {
	FIELD_STATUS = 1,
	FIELD_URGENCY = 2,
	FIELD_TITLE = 4,
	FIELD_SUMMARY = 8,
	FIELD_ASSIGNED_TO = 16,
	FIELD_ESCALATION_POLICY = 32,
	FIELD_SLA = 64,
	FIELD_PRIORITY = 128,
};

struct record_incident {
	uint64_t number;    /* RECORD_CHANGE: whose */
	uint32_t service;   /* RECORD_CREATE: whose */
	unsigned fields;    /* enum record_field; others stay as they are, or as the service says */
	struct incident to; /* texts of any length: title and summary are cut */
};

struct record_note {
	uint64_t number;
	struct slice user; /* the token's name, or empty */
	struct slice text;
};

enum { RECORD_CREATE_IDS = 2 }; /* `triggered`, and where it starts with another status */

struct record {
	enum record_kind kind;
	int64_t wall, steady;
	struct uuid id;     /* the first of the event ids it may use; a tick has one per timer; of
			     * RECORD_NOTE: the note's */
	uint8_t salt[8];    /* random bytes of a new incident's unique id */
	union {
		struct record_alert alert;
		struct record_outcome outcome;
		uint32_t most;    /* RECORD_TICK: timers and due rows handled at most, each */
		uint32_t webhook; /* RECORD_HOLD, RECORD_RELEASE */
		struct uuid delivery; /* RECORD_REPLAY */
		struct record_incident incident; /* RECORD_CREATE, RECORD_CHANGE */
		struct record_note note;
	};
};

enum { RECORD_REFUSED_ATTEMPTS = 4 };

/* An alert's texts and fields together. More is refused at accept, so that no row it becomes can be
 * too large for the store and fail everybody's turn. */
enum { RECORD_ALERT_MOST = 8 << 20, RECORD_MOST = 12 << 20 };

/* An alert's record as it waits in `pending`. Decoding points into the bytes; false for bytes that
 * no encoder makes. */
void record_encode(struct buf *, const struct record *) NONNULL;
bool record_decode(struct slice, struct record *) MUST NONNULL;

#endif
