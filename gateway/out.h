/*
 * One attempt at one receiver: an absolute deadline over name lookup, connect, send and the
 * complete answer (CONTRACT §1.4, §8), on a kept-alive connection where there is one.
 *
 * The attempt is the caller's (embedded in its job); the connections are this file's. An attempt
 * that fails on a kept-alive connection before any byte of an answer came is made once more on a
 * fresh one, inside the same deadline: the receiver had closed it meanwhile.
 */
#ifndef GATEWAY_OUT_H
#define GATEWAY_OUT_H

#include <event2/event.h>

#include "gateway/lookup.h"
#include "gateway/reason.h"
#include "conf/conf.h"

struct out;
struct out_pool;

struct out_result {
	enum reason reason;
	int status;          /* of the answer, 0: none came */
	bool reused;         /* it ended on a kept-alive connection */
	int64_t retry_after; /* us, 0: not asked for; not more than an hour */
	const char *why;     /* more about a failure, or NULL; static text */
	int64_t lookup, connect, tls; /* us each took */
	int64_t first_byte;  /* us since the request was sent */
	int64_t total;       /* us */
};

struct out_attempt {
	/* Set by the caller. The webhook as it is when the attempt starts; must outlive it. */
	const struct conf_webhook *webhook;
	/* fill appends the whole request head to head and points *body at the
	 * body, which must stay valid until the end of the turn; false: it cannot be made, which
	 * ends the attempt as io_failed. done is called once, from the loop or from out_start(). */
	bool (*fill)(struct out_attempt *, struct buf *head, struct slice *body);
	void (*done)(struct out_attempt *, const struct out_result *);

	/* Private. */
	struct out_pool *pool;
	struct out *out;        /* its connection at the moment */
	struct event *deadline;
	int64_t started;        /* mono */
	int64_t connecting, sent;
	bool again;             /* already on its second connection */
	bool over;
	struct out_result result;
};

/* Called once. room is told when an attempt that out_ready() kept waiting may go. */
void out_setup(struct event_base *, void (*room)(void)) NONNULL;
/* Whose allow_networks count from now on; must outlive their use. */
void out_configure(const struct conf *) NONNULL;

/* The connections to one webhook's receiver; NULL without memory, or what it needs for TLS. */
struct out_pool *out_pool_new(const struct conf_webhook *) MUST NONNULL;
/* Would a new pool for that webhook reach the same receiver in the same way? */
bool out_pool_fits(const struct out_pool *, const struct conf_webhook *) MUST NONNULL;
/* No attempt will start on it any more: what is idle is closed, those that run come to their end,
 * then out_reap() frees it. NULL is fine. */
void out_pool_retire(struct out_pool *);

/* May an attempt start now? An https receiver may first have to wait for a place among the
 * handshakes, of which only so many are in progress, and only so many are started in a turn. */
bool out_ready(const struct out_pool *) NONNULL;
/* Starts the clock and the attempt. */
void out_start(struct out_pool *, struct out_attempt *) NONNULL;
/* Ends a running attempt without telling; its connection is closed. */
void out_cancel(struct out_attempt *) NONNULL;

/* Frees connections that were closed in this turn, and retired pools. */
void out_reap(void);

#endif
