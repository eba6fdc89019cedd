/*
 * The door for PagerTree's webhook (CONTRACT §6). Its answers are a status and nothing else.
 */
#include <stdio.h>

#include "gateway/ingest.h"
#include "proto/pagertree.h"
#include "proto/sign.h"

static void
refuse(struct route_request *request, int status, const char *shown, struct slice why)
{
	(void)why;
	route_detail(request, status, shown);
	buf_clear(request->in->reply.body);
}

static enum ingest_reading
read_alert(struct ingest *in, struct json *body, struct ingest_alert *alert, struct slice *why)
{
	struct slice made = ingest_make_entity(in, UUID_TEXT - 1);

	alert->payload = body;
	switch (pagertree_read(body, in->integration->capture_additional_data, made, in->arena,
	    &alert->alert, why)) {
	case PAGERTREE_ALERT:
		return INGEST_READ;
	case PAGERTREE_NOTHING:
		return INGEST_NOTHING;
	case PAGERTREE_WRONG:
		break;
	}
	return INGEST_WRONG;
}

static void
answer(struct ingest *in)
{
	in->request->in->reply.status = 200;
}

const struct ingest_door ingest_pagertree = {.refuse = refuse,
    .read = read_alert,
    .answer = answer};

static bool
has_token(const struct ingest *in)
{
	struct slice given = http_header(in->request->in->head, "pagertree-token");

	return in->integration->token.n == 0 || sign_matches(in->integration->token, given);
}

/* RFC 9110 §10.2.1: a resource that is switched off allows no method at all. */
static void
refuse_disabled(const struct ingest *in)
{
	struct in_reply *reply = &in->request->in->reply;

	ingest_refuse(in, 405, "The integration is disabled.", SLICE("disabled"));
	snprintf(reply->headers, sizeof reply->headers, "Allow:\r\n");
}

/* Disabled is told apart from unknown, but only to those who know the token. */
void
api_pagertree(struct route_request *request)
{
	struct ingest in = {.request = request, .door = &ingest_pagertree};

	in.integration =
	    conf_integration_find(route_conf(), INTEGRATION_PAGERTREE, request->part[0]);
	if (in.integration != NULL && !has_token(&in))
		ingest_refuse(&in, 403, "The token is missing or wrong.",
		    SLICE("pagertree-token is missing or wrong"));
	else if (in.integration != NULL && !conf_integration_enabled(in.integration))
		refuse_disabled(&in);
	else
		ingest(&in);
}
