/* Which deliveries a replay of many means (CONTRACT §9). */
#ifndef GATEWAY_WANTED_H
#define GATEWAY_WANTED_H

#include "gateway/route.h"
#include "store/store.h"

struct wanted {
	uint32_t webhook;
	enum delivery_state state; /* dead or delivered */
	int64_t since, until;      /* wall: created at or after since and before until */
};

/* From the request's body. False: the request is answered with what is wrong. */
bool wanted_read(struct route_request *, struct wanted *) MUST NONNULL;

#endif
