/*
 * The process's descriptors (RLIMIT_NOFILE): raised as far as they may be, and shared out so that
 * connections from outside leave enough for those to receivers, the log and the store.
 */
#ifndef GATEWAY_DESCRIPTORS_H
#define GATEWAY_DESCRIPTORS_H

#include "conf/conf.h"

/* Raises the soft limit to the hard one. */
void descriptors_raise(void);

/* How many connections from outside there may be: limits.connections, or less where the limit does
 * not leave what the webhooks may use at once. At least half of the limit is theirs all the same,
 * since a thousand webhooks are never all in use. */
size_t descriptors_for_clients(const struct conf *) NONNULL;

#endif
