/* A loop and turns without a store for the HTTP server. The setup makes them, and calls in_start(). */
#ifndef TEST_UNIT_GATEWAY_IN_FIXTURE_H
#define TEST_UNIT_GATEWAY_IN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/in.h"
#include "gateway/turn.h"

static struct event_base *base;

static inline void
start_loop(void)
{
	base = event_base_new();
	turn_start(base, NULL, NULL);
}

static inline int
teardown(void **state)
{
	(void)state;
	in_stop();
	turn_stop();
	event_base_free(base);
	return 0;
}

#endif
