/*
 * Incidents and services as values, and the two texts they are printed as: the outgoing webhook's
 * body (CONTRACT §8) and the incidents API's object (CONTRACT §2).
 */
#ifndef PROTO_INCIDENT_H
#define PROTO_INCIDENT_H

#include "proto/json_write.h"
#include "proto/uuid.h"

enum incident_status { INCIDENT_TRIGGERED = 1, INCIDENT_ACKNOWLEDGED = 2, INCIDENT_RESOLVED = 3 };

enum { INCIDENT_TITLE_MAX = 1024, INCIDENT_SUMMARY_MAX = 65536 };

/* Slices that are empty stand for "nobody set it" and print as null, but for the texts summary and
 * title, which print as "". Dates are microseconds since 1970, 0 for none. */
struct incident {
	uint64_t number;
	struct uuid unique_id;
	enum incident_status status;
	int urgency;              /* 1 high, 0 low */
	int64_t created;
	int64_t acknowledged;
	int64_t resolved;
	struct slice title;       /* at most INCIDENT_TITLE_MAX bytes */
	struct slice summary;     /* at most INCIDENT_SUMMARY_MAX bytes */
	struct slice incident_key; /* the entity id it was created with */
	struct slice priority;    /* dashed UUID texts */
	struct slice sla;
	struct slice escalation_policy;
	struct slice tags;        /* JSON array of strings as text, or empty */
	struct slice assigned_to; /* username */
	struct slice task_template; /* a dashed UUID text; shown instead of its service's */
};

/* What is printed of a service. Slices as above; name, summary and description print as "". */
struct service_facts {
	struct slice name;
	struct slice summary;
	struct slice description;
	struct uuid unique_id;
	int64_t created;          /* us */
	int64_t auto_resolve_timeout; /* s */
	int64_t acknowledgement_timeout; /* s */
	int64_t collation_time;   /* minutes */
	int collation;
	int status;               /* 0 disabled, 1 active, 4 under maintenance */
	bool under_maintenance;
	struct slice created_by;
	struct slice team_priority;
	struct slice task_template;
	struct slice escalation_policy;
	struct slice team;
	struct slice sla;
};

struct user_facts {
	struct slice username;
	struct slice first_name;
	struct slice last_name;
	struct slice email;
};

/*
 * The body of a webhook: exactly the keys and order of CONTRACT §8. UUIDs of the foreign keys
 * without dashes, as the vendor does. user may be NULL (assigned_to: null). event_type is
 * "triggered", "acknowledged" or "resolved".
 */
void incident_write_webhook(struct buf *, const char *event_type, const struct incident *,
    const struct service_facts *, const struct user_facts *user);

/*
 * The API's object with exactly the vendor's 24 keys, in this order: summary, incident_number,
 * creation_date, status, unique_id, service_object, title, incident_key, service, urgency,
 * merged_with, assigned_to (username), escalation_policy, escalation_policy_object,
 * assigned_to_name, resolved_date, acknowledged_date, context_window_start, context_window_end,
 * tags, sla, sla_object, team_priority, team_priority_object. Objects that only the vendor could
 * know are null. service may be NULL when it is no longer configured. team_priority is the
 * incident's priority.
 */
void incident_write_api(struct json_writer *, const struct incident *,
    const struct service_facts *service);

/* Cuts at a character boundary so that the result has at most max bytes, the last three "..." when
 * something was cut. Text of that length comes from the arena. */
struct slice incident_cut(struct arena *, struct slice, size_t max) NONNULL;

#endif
