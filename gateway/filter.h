/*
 * Which deliveries a request means (CONTRACT §9), and the walk over them, row by row, so that the
 * caller can stop anywhere and go on later from a key. Newest first is down.
 */
#ifndef GATEWAY_FILTER_H
#define GATEWAY_FILTER_H

#include "gateway/page.h"
#include "gateway/view.h"

struct filter {
	uint32_t webhook;      /* 0: any */
	uint64_t incident;     /* 0: any */
	enum view_state state; /* VIEW_STATES: any */
	int64_t since;         /* wall: created then or later; INT64_MIN: whenever */
	bool chained;          /* the walk down goes by the incident's events */
	struct uuid last_event;
};

/* From webhook=, incident=, state=, since=. False: the request is answered with what is wrong. */
bool filter_read(struct route_request *, struct txn *, struct filter *) MUST NONNULL;
bool filter_is_open(const struct filter *) NONNULL; /* lets everything through */

/* The place from which a walk down starts. */
struct uuid filter_newest(const struct filter *) NONNULL;
/* Looks at one row, the first one at *at or behind it on the way; moves *at behind that. *id and
 * *row are set on a match. */
enum page_step filter_down(struct txn *, struct filter *, struct uuid *at, struct uuid *id,
    struct delivery_row *) MUST NONNULL;
enum page_step filter_up(struct txn *, const struct filter *, struct uuid *at, struct uuid *id,
    struct delivery_row *) MUST NONNULL;

/* The wall clock may be stepped, ids are in the order of another: created and id of two rows agree
 * on which is older only when they are further apart than this (us). */
#define FILTER_SLACK ((int64_t)24 * 3600 * 1000000)

#endif
