/*
 * What is counted (CONTRACT §13). To count is to increment: no text is looked up, and nothing is
 * allocated but on first sight of a kind of answer. Series of webhooks and integrations hang on
 * their numbers in the store, so that they go on when the configuration is read again.
 *
 * No label's value is a stranger's: routes, methods and statuses are ours, the other words are the
 * configuration's or stand in a table.
 */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include "gateway/engine.h"
#include "gateway/reason.h"

/* Why a request, or a connection, was turned away. */
#define METRICS_REFUSALS(X)                                                                        \
	X(TOO_LARGE, "too_large")                                                                  \
	X(BAD_REQUEST, "bad_request")                                                              \
	X(HEADER_TIME, "header_time")                                                              \
	X(BODY_TIME, "body_time")                                                                  \
	X(UNAUTHORIZED, "unauthorized")                                                            \
	X(NOT_FOUND, "not_found")                                                                  \
	X(RATE_LIMITED, "rate_limited")                                                            \
	X(STORE_FULL, "store_full") /* it could not be stored */                                   \
	X(DRAINING, "draining")                                                                    \
	X(CONNECTIONS, "connections") /* accepting stopped: there are limits.connections */

#define METRICS_REFUSAL_ENUM(name, word) METRICS_##name,
enum metrics_refusal { METRICS_REFUSALS(METRICS_REFUSAL_ENUM) METRICS_NOT_REFUSED };
#undef METRICS_REFUSAL_ENUM

/* wall: the time of the start, which is also when the configuration was first read. */
void metrics_start(int64_t wall);
void metrics_stop(void);
/* Series for every integration and webhook, which have their numbers. -1 without memory. */
int metrics_configure(const struct conf *) MUST NONNULL;
/* The configuration was read again: taken over, or refused. */
void metrics_reload(bool ok, int64_t wall);

/* An answer went out, us after its request was complete. route: in_request's. */
void metrics_answer(unsigned route, unsigned method, int status, int64_t us);
/* What to call a method in that. */
unsigned metrics_method(struct slice);
unsigned metrics_no_method(void); /* of what could not be read */
void metrics_refused(enum metrics_refusal);
/* A request was accepted that asks for nothing (CONTRACT §6). */
void metrics_ignored(uint32_t integration);

/* An attempt is over. */
void metrics_attempt(uint32_t webhook, enum reason, int64_t us);

void metrics_turn(int64_t us);
void metrics_commit(int64_t us); /* one that lasts */
void metrics_store_error(void);

/* These speak of what this turn writes: they count once it lasts. */
void metrics_received(uint32_t integration, enum alert_type);
void metrics_applied(uint32_t integration, enum engine_outcome);
/* A delivery has come to its end; age: us since its event, if it is delivered. */
void metrics_settled(uint32_t webhook, const struct delivery_row *, int64_t age) NONNULL;
void metrics_traces_expired(size_t);
/* The turn is over. */
void metrics_settle(bool committed);

/* A walk over all that is shown, which may be done in many steps; all zero but for conf, which
 * must stay the same. */
struct metrics_walk {
	const struct conf *conf;
	struct txn *txn;     /* a snapshot, for this step; NULL: what is in the store is left out */
	size_t family, item; /* where it is */
};

/* Appends at least `enough` bytes of Prometheus' text format; false: that was all. */
bool metrics_write(struct metrics_walk *, struct buf *, size_t enough) NONNULL;

#endif
