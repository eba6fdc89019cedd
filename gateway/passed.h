/*
 * Listening sockets that the service manager opened for us and passed on (systemd.socket(5)): they
 * take connections while the gateway is not running, and those wait for the next one.
 */
#ifndef GATEWAY_PASSED_H
#define GATEWAY_PASSED_H

#include "proto/base.h"

/* Takes over the sockets that LISTEN_FDS counts, if LISTEN_PID is this process, and takes the
 * variables out of the environment. Called once, before a socket is asked for. */
void passed_start(void);

int passed_count(void);

/* Closes, and warns of, those from the n-th on: no listener has them at the start, and whoever
 * connected to one would wait for ever. Only the first call does. */
void passed_settle(size_t n);

/* The n-th of them, from 0. Once a listener has had it, it stays open, also when nobody listens to
 * it for a while: it cannot be had again. -1 with a sentence in why. */
int passed_socket(size_t n, char why[256]) MUST NONNULL;

#endif
