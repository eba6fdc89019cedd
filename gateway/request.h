/* The head of a webhook's POST (CONTRACT §8): fixed headers, signatures, then the webhook's own. */
#ifndef GATEWAY_REQUEST_H
#define GATEWAY_REQUEST_H

#include "conf/conf.h"

/* Appends the whole head, empty line included, for that body; wall (us) is the time of the attempt,
 * for receivers that want to know. The bytes hold secrets under `basic`. */
void request_write(struct buf *, const struct conf_webhook *, const struct uuid *delivery,
    uint32_t attempt, int64_t wall, struct slice body) NONNULL;

#endif
