/* Deliveries and attempts as the API shows them (CONTRACT §9): without a secret or a payload. */
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

#endif
