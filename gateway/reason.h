/*
 * Why an attempt ended: one table feeds log, metrics, API and the verdict (CONTRACT §8, §9). The
 * numbers are stored: new ones go to the end.
 */
#ifndef GATEWAY_REASON_H
#define GATEWAY_REASON_H

#include "proto/base.h"

/*      name                number  word                  text */
#define REASONS(X)                                                                                 \
	X(NONE, 0, "", "not tried yet")                                                            \
	X(OK, 1, "ok", "delivered")                                                                \
	X(TIMEOUT, 2, "timeout", "no complete answer before the deadline")                         \
	X(LOOKUP_FAILED, 3, "lookup_failed", "the host name has no address")                       \
	X(CONNECT_FAILED, 4, "connect_failed", "no connection to the receiver")                    \
	X(TLS_FAILED, 5, "tls_failed", "no TLS session with the receiver")                         \
	X(IO_FAILED, 6, "io_failed", "the connection broke")                                       \
	X(HTTP_INVALID, 7, "http_invalid", "the answer is not HTTP")                               \
	X(BLOCKED_ADDRESS, 8, "blocked_address", "the address is not in allow_networks")           \
	X(HTTP_3XX, 9, "http_3xx", "redirected, which is not followed")                            \
	X(HTTP_4XX, 10, "http_4xx", "refused")                                                     \
	X(HTTP_410, 11, "http_410", "gone: the webhook is paused")                                 \
	X(HTTP_429, 12, "http_429", "too many requests")                                           \
	X(HTTP_5XX, 13, "http_5xx", "the receiver failed")                                         \
	X(RESPONSE_TOO_LARGE, 14, "response_too_large", "the answer's head is too large")          \
	X(QUEUE_FULL, 15, "queue_full", "too many deliveries wait for the webhook")

#define REASON_NUMBER(name, number, word, text) REASON_##name = (number),
enum reason { REASONS(REASON_NUMBER) REASON_COUNT };
#undef REASON_NUMBER

const char *reason_word(unsigned reason); /* "" for an unknown one */
const char *reason_text(unsigned reason);

/* The reason a complete answer stands for. */
enum reason reason_of_status(int status);

#endif
