/*
 * An alert as conditions and templates of rules see it (CONTRACT §7): a JSON object, in which paths
 * start.
 */
#ifndef PROTO_SUBJECT_H
#define PROTO_SUBJECT_H

#include "proto/alert.h"
#include "proto/compiler.h"

/* What is not in the alert itself. */
struct subject_facts {
	int64_t wall;               /* us: alert_time, alert_date, day_of_week */
	int64_t since_similar;      /* seconds_since_similar; -1: absent */
	int default_urgency;        /* of an alert that has none */
	struct json_limits limits;  /* of JSON within texts */
	const struct json *payload; /* NULL: it has none */
};

enum { SUBJECT_SIMILAR_MOST = 86400 }; /* seconds */

extern const struct compiler_field subject_fields[];

/* Whether paths did start with seconds_since_similar; used: struct compiler's. */
bool subject_used_similar(uint32_t used) MUST;

/* NULL without memory. */
struct json *subject_make(struct arena *, const struct alert *, const struct subject_facts *)
    MUST NONNULL;

#endif
