/*
 * What every door for alerts shares (CONTRACT §3, §5, §6): a door knows an address and a format,
 * the rest is the same for all of them.
 *
 *     door: finds the integration ─▶ ingest() ─▶ door: read ─▶ records, applied ─▶ door: answer
 *                                      │ 404 429 503    │ 400 413         │ 503      behind the commit
 *                                      └────────────────┴─────────────────┴──▶ door: refuse
 */
#ifndef GATEWAY_INGEST_H
#define GATEWAY_INGEST_H

#include "gateway/route.h"
#include "proto/alert.h"

/* One alert of a request, on its way into a record. */
struct ingest_alert {
	struct alert alert;
	struct slice failure;       /* why none can be made of it: its trace fails; or empty */
	struct slice rules;         /* those that matched: JSON array as text, or empty */
	const struct json *payload; /* where "payload" paths of rules begin, or NULL */
	struct uuid trace, id;      /* given when it is recorded */
};

/* A request at a door. Everything in it lives until the handler returns. */
struct ingest {
	struct route_request *request;
	const struct ingest_door *door;
	const struct conf_integration *integration;
	struct arena *arena;
	const struct json *body;
	struct ingest_alert *alerts; /* count of them; 0: there is nothing to record */
	size_t count;
	struct ingest_alert one;     /* room for the usual number */
};

struct ingest_door {
	/* Answers a request that is not accepted. shown: a sentence for everybody; why: what is
	 * wrong with the body, where status is 400. */
	void (*refuse)(struct route_request *, int status, const char *shown, struct slice why);
	/* Reads in->body, or an element of it. False with *why, a sentence that names the field;
	 * where the body is right but no alert, in->count becomes 0. */
	bool (*read)(struct ingest *, const struct json *body, struct ingest_alert *,
	    struct slice *why);
	/* Writes status and body for what is accepted and applied, but not committed yet. */
	void (*answer)(struct ingest *);
};

/* Does all of it. integration: whose key the address named, NULL if nobody's. */
void ingest(struct route_request *, const struct ingest_door *,
    const struct conf_integration *integration);

/* An entity id for an alert that has none. */
struct slice ingest_make_entity(struct ingest *) NONNULL;

#endif
