/*
 * The way down, from SIGTERM or SIGINT to the end of the loop (CONTRACT §2): readiness says no at
 * once, while everything is still served for the time that "drain" in the configuration says, so
 * that a balancer can notice; then no more is taken in, and what is under way comes to its end. A
 * second signal ends it at once.
 */
#ifndef GATEWAY_DRAIN_H
#define GATEWAY_DRAIN_H

#include <event2/event.h>

#include "proto/base.h"

/* Waits for the signals. -1 without memory. */
int drain_start(struct event_base *) MUST NONNULL;
void drain_stop(void);

bool drain_begun(void);
bool drain_hurried(void); /* a second signal came before it was over */
/* Once in each pass of the loop: takes the next step when its time has come; true: the loop ends.
 * */
bool drain_over(void);

#endif
