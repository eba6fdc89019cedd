/*
 * Addresses served (CONTRACT §2): one table of routes feeds the dispatch, 405's Allow and HEAD.
 */
#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include "gateway/in.h"

enum { ROUTE_PARTS = 4 };

/* A request with what its route found. */
struct route_request {
	struct in_request *in;
	struct slice part[ROUTE_PARTS]; /* what the {} of the path matched, not decoded */
	const struct conf_token *token; /* whose it is; NULL where none is asked for */
};

typedef void route_handler(struct route_request *);

/* The server's handler. conf must outlive its use; called again for another configuration. */
void route_configure(const struct conf *) NONNULL;
void route_request(struct in_request *) NONNULL;

const struct conf *route_conf(void);

/* The value of a query parameter, as it stands in the target; {NULL, 0}: not there. */
struct slice route_query(const struct route_request *, const char *name) NONNULL;

/* A writer onto the reply's body, and the reply's status; JSON's content type is the default. */
struct json_writer route_reply(struct route_request *, int status) NONNULL;
void route_detail(struct route_request *, int status, const char *detail) NONNULL;
void route_not_found(struct route_request *) NONNULL;

/* The handlers: one file each. */
route_handler api_generic;   /* api_ingest.c */
route_handler api_status;
route_handler api_incidents; /* api_incident.c */
route_handler api_incident;
route_handler api_healthy, api_ready, api_pause, api_resume; /* api_ops.c */
route_handler api_webhook_pause, api_webhook_resume;

#endif
