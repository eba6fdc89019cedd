/*
 * The running gateway: everything started in order, the loop, and the way down (`tocsin run`).
 */
#ifndef GATEWAY_SERVER_H
#define GATEWAY_SERVER_H

#include <event2/event.h>

#include "conf/conf.h"

/* Runs until SIGTERM or SIGINT; the exit status. Takes over the reference to conf. */
int server_run(struct conf *) NONNULL;

/* Why /-/ready answers 503: "draining", "store full"; NULL: it is ready. */
const char *server_unready(void);

/* The store is so full that new alerts are refused, so that what is promised already has room. */
bool server_full(void);

/* A test build's control channel defines this; called once, before the gateway listens. */
void server_test_setup(struct event_base *) __attribute__((weak));

#endif
