/*
 * What the service manager is told (sd_notify(3)): ready, reloading, stopping, still alive. Without
 * NOTIFY_SOCKET in the environment nothing is told to anybody.
 */
#ifndef GATEWAY_NOTIFY_H
#define GATEWAY_NOTIFY_H

#include "proto/base.h"

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment. */
void notify_start(void);
void notify_stop(void);

/* The gateway listens, or a reload is over. status is a line for `systemctl status`; so below. */
void notify_ready(const char *status) NONNULL;
/* A reload begins; notify_ready() must follow, whatever comes of it. */
void notify_reloading(void);
void notify_stopping(const char *status) NONNULL;
/* Says nothing that was said just before. */
void notify_status(const char *status) NONNULL;

/* us from one sign of life to the next, half of what the manager grants; 0: it wants none. */
int64_t notify_watchdog(void);
void notify_alive(void);

#endif
