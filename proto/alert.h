/*
 * An alert in Zenduty's generic format (CONTRACT §3): from a parsed body to the values the engine
 * works with.
 */
#ifndef PROTO_ALERT_H
#define PROTO_ALERT_H

#include "proto/json_read.h"
#include "proto/uuid.h"

/* The vendor's numbers. */
enum alert_type {
	ALERT_INFO = 0,
	ALERT_WARNING = 1,
	ALERT_ERROR = 2,
	ALERT_CRITICAL = 3,
	ALERT_ACKNOWLEDGED = 4,
	ALERT_RESOLVED = 5,
};

#define ALERT_TYPE_WORDS "critical, error, warning, info, acknowledged, resolved"

enum { ALERT_ENTITY_MAX = 255 };

struct alert {
	enum alert_type type;
	bool suppressed;
	int urgency;            /* 1 high, 0 low; -1 while nobody said */
	struct slice message;   /* empty only where a format has none: PagerTree's resolve */
	struct slice summary;
	struct slice entity_id; /* 1 to ALERT_ENTITY_MAX bytes */
	struct slice sla;       /* dashed UUID in lower case, or empty; so the next two */
	struct slice escalation_policy;
	struct slice priority;
	struct slice tags;      /* JSON array of texts as json_write prints it, or empty */
	/* Only rules fill these; they are not in fields. */
	struct slice assigned_to;   /* a username, or empty */
	struct slice task_template; /* an id as above, or empty */
	struct slice notes;         /* see alert_note() */
	/* The whole alert as accepted, for the record: an object in json_write's format with
	 * message, alert_type, entity_id, ... first and unknown fields behind; ignored values
	 * left out. */
	struct slice fields;
};

/*
 * Reads body, which must be the tree of a request. default_type is an enum alert_type, or -1 where
 * alert_type is required; made_entity becomes the entity id of an alert that brings none. Text that
 * is not in the tree is taken from the arena. On failure returns false with *why set to a sentence
 * that names the field: "message is missing", "alert_type \"fatal\" is not one of critical, error,
 * ..." (what strangers wrote escaped and cut), which lives in the arena.
 */
bool alert_read(const struct json *body, int default_type, struct slice made_entity,
    struct arena *, struct alert *, struct slice *why) MUST NONNULL;

/* Takes the first note off the list: each is its length in 4 bytes, big-endian, and its text. False
 * when there is none. */
bool alert_note(struct slice *notes, struct slice *note) MUST NONNULL;

/* Writes fields anew, after other values of the alert were changed. False if the arena is full. */
bool alert_rewrite(struct arena *, struct alert *) MUST NONNULL;

/* "critical", ...; NULL for a number outside the enum. */
const char *alert_type_name(int type);
/* In any letter case, white space around it ignored; -1 if unknown. */
int alert_type_parse(struct slice);

/* The sentence about a word that is none of those: `alert_type "fatal" is not one of critical,
 * ...`, what strangers wrote escaped and cut. It lives in the arena. */
struct slice alert_unknown(struct arena *, const char *field, struct slice text,
    const char *words) NONNULL;

/* An entity id as it is stored: as it is up to ALERT_ENTITY_MAX bytes, else its SHA-256 in hex. */
struct slice alert_entity(struct arena *, struct slice) NONNULL;

#endif
