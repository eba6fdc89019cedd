/*
 * TLS to receivers (CONTRACT §8): certificate and host name (or address) verified, TLS 1.2 and up,
 * client certificates, sessions resumed.
 *
 * The system's authorities are loaded once and shared; a webhook with settings of its own has a
 * context of its own.
 */
#ifndef GATEWAY_TLS_H
#define GATEWAY_TLS_H

#include "conf/conf.h"
#include "gateway/stream.h"

/* One webhook's receiver: whom to expect, and the session to resume. */
struct tls_peer;

/* Loads authorities, certificates and keys of every https webhook, and forgets them again: for
 * `check` and before a start. Each fault is reported as a line that names the webhook; false if
 * there was one. */
bool tls_check(const struct conf *, const char *file, conf_report *, void *arg) MUST;

/* NULL when something cannot be loaded (tls_check() says what). */
struct tls_peer *tls_peer_new(const struct conf_webhook *) MUST NONNULL;
void tls_peer_free(struct tls_peer *); /* NULL is fine; no stream may be open */

/* For stream_open(): makes s a TLS stream to that peer. */
int tls_open(struct stream *, struct tls_peer *) MUST NONNULL;

/* Frees what is shared; no peer may be left. */
void tls_stop(void);

#endif
