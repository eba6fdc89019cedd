/*
 * What every door for alerts shares (CONTRACT §3, §5, §6): a door knows an address and a format,
 * the rest is the same for all of them.
 *
 *     door: whose key? ─▶ ingest() ─▶ alerts ─▶ records, applied ─▶ door: answer
 *                           │ 404 429 503 │ 400 413    │ 503        (behind the commit)
 *                           └─────────────┴────────────┴─▶ door: refuse
 *
 *     an alert: mapping ─▶ door: read ─▶ rules
 */
#ifndef GATEWAY_INGEST_H
#define GATEWAY_INGEST_H

#include "gateway/record.h"
#include "gateway/route.h"
#include "proto/alert.h"
#include "proto/path.h"

/* One alert of a request, on its way into a record. */
struct ingest_alert {
	struct alert alert;
	struct slice failure;       /* why none can be made of it: its trace fails; or empty */
	struct slice similar;       /* see struct record_alert */
	struct slice rules;         /* those that matched: JSON array as text, or empty */
	const struct json *payload; /* where "payload" paths of rules begin, or NULL */
	struct uuid trace, id;      /* given when it is recorded, */
	int64_t wall;               /* so its time */
};

/* A request at a door, which fills in the first three. Everything in it lives until the handler
 * returns. */
struct ingest {
	struct route_request *request;
	const struct ingest_door *door;
	const struct conf_integration *integration; /* NULL: the address is nobody's */
	struct arena *arena;         /* of the alert at hand */
	struct json *body;
	struct scope scope;          /* where paths of the mapping start */
	/* count of them; 0: there is nothing to record. Of all but the first only the trace id
	 * stays once they are recorded. */
	struct ingest_alert *alerts;
	size_t count;
	struct ingest_alert one;     /* room for the usual number */
	struct txn *txn;             /* of a dry run; NULL: the turn's */
};

enum ingest_reading {
	INGEST_READ,    /* there is an alert */
	INGEST_NOTHING, /* accepted, but there is nothing to record */
	INGEST_WRONG,   /* refused */
	INGEST_LARGE,   /* refused: there is no room for it */
};

struct ingest_door {
	/* Answers a request that is not accepted. shown: a sentence for everybody; why: what is
	 * wrong with the body, where status is 400. */
	void (*refuse)(struct route_request *, int status, const char *shown, struct slice why);
	/* Makes body, which is in->body, an element of it or what a mapping made of that, an alert.
	 * If there is none, *why is the reason: a sentence that names the field. */
	enum ingest_reading (*read)(struct ingest *, struct json *body, struct ingest_alert *,
	    struct slice *why);
	/* Writes status and body of the answer to what is accepted, applied, not yet committed. */
	void (*answer)(struct ingest *);
};

/* The doors for each type of integration. */
extern const struct ingest_door ingest_generic, ingest_pagertree;

/* Does all of it. */
void ingest(struct ingest *) NONNULL;

/* The elements that the integration splits the body into, or else the body; *count of them, the
 * first of a list. NULL, with *why set, where there is nothing to split. */
struct json *ingest_elements(struct ingest *, size_t *count, struct slice *why) MUST NONNULL;

/*
 * Makes one of them an alert: mapping, the door's format, rules. What cannot become one where that
 * is nobody's fault who waits for the answer (behind a mapping, beside others) is an alert with a
 * failure.
 */
enum ingest_reading ingest_read(struct ingest *, struct json *element, struct ingest_alert *,
    struct slice *why) MUST NONNULL;

/* The record of an alert that was read, which is given its ids and its time. */
struct record ingest_record(const struct ingest *, struct ingest_alert *) NONNULL;

/* Answers as the door does, and logs why. */
void ingest_refuse(const struct ingest *, int status, const char *shown, struct slice why) NONNULL;

/* The door's `read` for Zenduty's generic format. */
enum ingest_reading ingest_read_generic(struct ingest *, struct json *body, struct ingest_alert *,
    struct slice *why) MUST NONNULL;

/* An entity id for an alert that has none, in the arena: a UUID cut to n characters. */
struct slice ingest_make_entity(struct ingest *, size_t n) NONNULL;

#endif
