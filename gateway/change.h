/*
 * What a request says of an incident (CONTRACT §2): the body of POST /api/incidents, and of PATCH
 * and PUT of one, which are alike: what is not said stays.
 *
 *   title                  not empty; cut at 1 KiB
 *   summary                cut at 64 KiB; null: empty
 *   status                 1 triggered, 2 acknowledged, 3 resolved, or its text
 *   urgency                0 low, 1 high, or its text
 *   assigned_to            a configured username, or whose it is already; null: nobody
 *   escalation_policy, sla, team_priority
 *                          ids, dashed or not; null: none
 *
 * An empty text stands for null, as some clients have no other. In a new incident null leaves it to
 * the service. Fields of other names are not looked at. One that is wrong refuses them all.
 */
#ifndef GATEWAY_CHANGE_H
#define GATEWAY_CHANGE_H

#include "gateway/record.h"
#include "gateway/route.h"

/* Reads the body into *change; texts live in the request and the arena. assigned: whose it is
 * already, or empty. False: the request is answered with what is wrong. */
bool change_read(struct route_request *, struct arena *, const struct json *body,
    struct slice assigned, struct record_incident *change) MUST NONNULL;

#endif
