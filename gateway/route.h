/*
 * Addresses served (CONTRACT §2): one table of routes feeds the dispatch, 405's Allow and HEAD.
 */
#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include "gateway/in.h"
#include "proto/json_read.h"

enum { ROUTE_PARTS = 4 };

/* A request with what its route found. */
struct route_request {
	struct in_request *in;
	struct slice part[ROUTE_PARTS]; /* what the {...} of the path matched, not decoded */
	const struct conf_token *token; /* whose it is; NULL where none is asked for */
};

typedef void route_handler(struct route_request *);

/* The server's handler. conf must outlive its use; called again for another configuration. */
void route_configure(const struct conf *) NONNULL;
void route_request(struct in_request *) NONNULL;
/* Is it one of those whose answers have no body? */
in_bare route_is_bare;

const struct conf *route_conf(void);
/* Of bodies, and of JSON within them. */
struct json_limits route_json_limits(void);

/* Routes by number, as in_request has it: how many there are, and the path of one as its pattern
 * without the slash in front. 0 is "none". */
unsigned route_count(void);
const char *route_path(unsigned route);

/* The value of a query parameter, as it stands in the target; {NULL, 0}: not there. */
struct slice route_query(const struct route_request *, const char *name) NONNULL;

/* The bytes that text's %XX stand for, in room; what does not fit is cut. */
struct slice route_decode(struct slice text, char *room, size_t size) NONNULL;
/* Decimal digits only, of a number that fits; false for anything else. */
bool route_number(struct slice, uint64_t *) MUST NONNULL;

/* For a handler that anybody may call and that tells more to some: whether the request may read
 * what `api` serves. False: it is answered. */
bool route_admit(struct route_request *) MUST NONNULL;

/* Who asks, on the line that is being made: the token's name, the client's address. NULL: nobody
 * did. */
void route_log_who(const struct route_request *);
/* A line that somebody asks for what has no line of its own; with what it is about, or NULL. */
void route_log_asked(const struct route_request *, const char *what, const struct conf_webhook *,
    const struct uuid *delivery);

/* A writer onto the reply's body, and the reply's status; JSON's content type is the default. */
struct json_writer route_reply(struct route_request *, int status) NONNULL;
void route_detail(struct route_request *, int status, const char *detail) NONNULL;
/* 400 {"detail": "field: what"}, false. field may be the client's own text. */
bool route_refuse(struct route_request *, struct slice field, const char *what) NONNULL;
/* The request's body, which must be a JSON object; NULL: it is answered. */
const struct json *route_body(struct route_request *, struct arena *) MUST NONNULL;
void route_not_found(struct route_request *) NONNULL;

/* The handlers: one file each. */
route_handler api_generic;   /* api_generic.c */
route_handler api_events;    /* api_events.c */
route_handler api_pagertree; /* api_pagertree.c */
route_handler api_status;    /* api_status.c */
route_handler api_incidents, api_incidents_filter, api_incident; /* api_incident.c */
route_handler api_incident_create, api_incident_change, api_note; /* api_change.c */
route_handler api_notes;     /* api_notes.c */
route_handler api_alerts;    /* api_alerts.c */
route_handler api_deliveries, api_delivery; /* api_delivery.c */
route_handler api_replay, api_replay_many;  /* api_replay.c */
route_handler api_try;
route_handler api_test;      /* api_test.c */
route_handler api_healthy, api_ready, api_pause, api_resume; /* api_ops.c */
route_handler api_reload; /* reload.c */
route_handler api_webhook_pause, api_webhook_resume;
route_handler api_metrics;   /* api_metrics.c */

#endif
