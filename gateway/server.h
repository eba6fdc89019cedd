/*
 * The running gateway: everything started in order, the loop, and the way down (`tocsin run`).
 */
#ifndef GATEWAY_SERVER_H
#define GATEWAY_SERVER_H

#include <event2/event.h>

#include "conf/conf.h"

/* Runs until SIGTERM or SIGINT; the exit status. Takes over the reference to conf, which was read
 * from file and will be again. */
int server_run(struct conf *, const char *file) NONNULL;

/* Why /-/ready answers 503: "draining", "store full"; NULL: it is ready. */
const char *server_unready(void);

/* What the service manager is told, while nothing else is going on. */
const char *server_status(void);

/* The store is so full that new alerts are refused, so that what is promised already has room. */
bool server_full(void);

/* A test build's control channel defines this; called once, before the gateway listens. */
void server_test_setup(struct event_base *) __attribute__((weak));
/* The same, at the end of each pass of the loop. */
void server_test_pass(void) __attribute__((weak));

#endif
