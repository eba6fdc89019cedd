/*
 * Which incidents a request means: the body of POST /api/incidents/filter (CONTRACT §2), in the
 * vendor's words:
 *
 *   status                 -1 open, 0 all, 1 triggered, 2 acknowledged, 3 resolved; 1 unless told
 *   service_ids, team_ids  the service's, its team's
 *   user_ids               usernames: whom it is assigned to
 *   priority_ids, sla_ids, escalation_policy_ids, tag_ids
 *   from_date, to_date     created then or later; before then: RFC 3339, or a day
 *
 * An incident matches when it matches all of them, of each list any element. An empty list is none
 * at all. Other fields (all_teams, priority_name, postmortem_filter, ...) are not looked at.
 */
#ifndef GATEWAY_INCIDENT_FILTER_H
#define GATEWAY_INCIDENT_FILTER_H

#include "gateway/page.h"

enum { INCIDENT_FILTER_IDS = 100 }; /* in one list */

/* Empty: matches everything. */
struct incident_filter_ids {
	size_t count;
	struct uuid ids[INCIDENT_FILTER_IDS];
};

/* Zeroed: everything. */
struct incident_filter {
	unsigned statuses; /* bits 1 << status that match; 0: all */
	bool narrow;       /* something beside the status */
	int64_t from, to;  /* wall; 0: none */
	struct incident_filter_ids services, teams, priorities, slas, policies, tags;
	size_t user_count;
	struct slice users[INCIDENT_FILTER_IDS];
	struct arena arena; /* of users */
};

/* False: the request is answered with what is wrong. */
bool incident_filter_read(struct route_request *, struct incident_filter *) MUST NONNULL;
void incident_filter_free(struct incident_filter *) NONNULL;

/* Looks at one incident, the first one at *number or behind it; sets *number and *row. Goes by the
 * table of open ones where only those can match. */
enum page_step incident_filter_look(struct txn *, const struct incident_filter *, bool up,
    uint64_t *number, struct incident_row *) MUST NONNULL;
/* How many there are, where a table knows; false: they have to be walked over. */
bool incident_filter_count(struct txn *, const struct incident_filter *, uint64_t *)
    MUST NONNULL;

#endif
