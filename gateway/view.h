/*
 * Rows of the store as the API shows them, without a secret: deliveries and attempts (CONTRACT §9),
 * which show no payload either, and incidents with their alerts and notes (CONTRACT §2).
 */
#ifndef GATEWAY_VIEW_H
#define GATEWAY_VIEW_H

#include "proto/json_write.h"
#include "store/store.h"

/* What a delivery is doing; the stored states and what the jobs in memory know besides. */
enum view_state {
	VIEW_WAITING,   /* for its time */
	VIEW_HELD,      /* for something else: an earlier event, the breaker, a pause, the limit */
	VIEW_IN_FLIGHT, /* being attempted, or the attempt is not recorded yet */
	VIEW_DELIVERED,
	VIEW_DEAD,
	VIEW_STATES
};

enum { VIEW_ATTEMPTS_MOST = 1000 }; /* of one delivery: its newest */

enum view_state view_state(const struct uuid *, const struct delivery_row *) NONNULL;
const char *view_word(enum view_state);
/* The state of that name; VIEW_STATES: there is none. */
enum view_state view_state_of(struct slice word);

/* "triggered", "acknowledged" or "resolved", of an EVENT_ bit. */
const char *view_event(uint8_t type);

/* "key": the instant as a date; 0: null. */
void view_date(struct json_writer *, const char *key, int64_t wall) NONNULL;
/* "webhook": its name, also when it is no longer configured. */
void view_webhook(struct json_writer *, struct txn *, uint32_t webhook) NONNULL;

/* The members of a delivery's row, for an object that the caller opens and closes. */
void view_delivery(struct json_writer *, struct txn *, const struct uuid *,
    const struct delivery_row *) NONNULL;
/* "attempts": the newest `most` of them, oldest first. */
void view_attempts(struct json_writer *, struct txn *, const struct uuid *,
    const struct delivery_row *, uint32_t most) NONNULL;
/* The members of one attempt, the n-th. */
void view_attempt(struct json_writer *, uint32_t n, const struct attempt_row *) NONNULL;

/* The incident of that number, or of that unique id; a name as it stands in a path. */
bool view_find(struct txn *, struct slice name, uint64_t *number, struct incident_row *)
    MUST NONNULL;

/* Whole objects. The incident's has the vendor's 24 keys (proto/incident.h). */
void view_incident(struct json_writer *, uint64_t number, const struct incident_row *) NONNULL;
/*
 * The vendor's event object, in this order: integration_object {name, creation_date, summary,
 * unique_id, service, team, integration_key, is_enabled, integration_type}, summary, incident
 * (number or null), creation_date, message, integration, suppressed, entity_id, payload, alert_type
 * (its number as a text), unique_id, images, urls, notes. integration_key is a secret, and null but
 * for somebody who knows it (key); of an integration that is no longer configured
 * integration_object and integration are; and of an alert that is too large to be shown, the
 * members that make it so.
 */
enum { VIEW_ALERT_MOST = (1 << 20) + (64 << 10) }; /* bytes of one */
void view_alert(struct json_writer *, const struct uuid *, const struct alert_row *, bool key)
    NONNULL;
/* The vendor's: unique_id, incident (number), user, note, user_name, creation_date. */
void view_note(struct json_writer *, uint64_t number, const struct uuid *,
    const struct note_row *) NONNULL;

#endif
