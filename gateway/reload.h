/*
 * Taking a configuration over, at start and while the gateway runs (CONTRACT §10): as a
 * transaction, between two turns. It is read and checked whole; what it needs is taken, new names
 * are stored; then everybody goes by it, or nobody.
 *
 * Attempts under way, and requests that take several turns, hold the one under which they began.
 */
#ifndef GATEWAY_RELOAD_H
#define GATEWAY_RELOAD_H

#include <event2/event.h>

#include "conf/conf.h"

/* The first one, which was read from file; takes over the reference. Everything else is started,
 * but no event was handled yet. SIGHUP asks for a reload from now on. NULL, or what went wrong. */
const char *reload_start(struct event_base *, const char *file, struct conf *) MUST NONNULL;
void reload_stop(void);

/* Logs the addresses that are listened on since the last taking over; the start does so when it can
 * no longer fail. */
void reload_tell_listeners(void);

/* Between two turns: reloads, if anybody has asked for it. */
void reload_step(void);

#endif
