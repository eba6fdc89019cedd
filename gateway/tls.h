/*
 * TLS 1.2 and up, on both sides.
 *
 * To receivers (CONTRACT §8): certificate and host name (or address) verified, client certificates,
 * sessions resumed. The system's authorities are loaded once and shared; a webhook with settings of
 * its own has a context of its own.
 *
 * From clients (CONTRACT §10): a listener with a certificate. Sessions are resumed by tickets,
 * whose key lives as long as the certificate is loaded.
 */
#ifndef GATEWAY_TLS_H
#define GATEWAY_TLS_H

#include "conf/conf.h"
#include "gateway/stream.h"

/* One webhook's receiver: whom to expect, and the session to resume. */
struct tls_peer;
/* A listener's certificate and key. */
struct tls_server;

/* Loads authorities, certificates and keys of every https webhook and every listener, and forgets
 * them again: for `check` and before a start. Each fault is reported as a line that names the
 * webhook or the listener; false if there was one. */
bool tls_check(const struct conf *, const char *file, conf_report *, void *arg) MUST;

/* NULL when something cannot be loaded (tls_check() says what). */
struct tls_peer *tls_peer_new(const struct conf_webhook *) MUST NONNULL;
/* A peer that is known by the first certificate of that file, whatever names and dates are in it;
 * NULL: it cannot be read. */
struct tls_peer *tls_peer_known(struct slice file) MUST;
void tls_peer_free(struct tls_peer *); /* NULL is fine; no stream may be open */

/* NULL with a sentence in why. A new one of the same files has what they hold by then. */
struct tls_server *tls_server_new(const struct conf_listener *, char why[256]) MUST NONNULL;
void tls_server_free(struct tls_server *); /* NULL is fine; open streams go on */

/* For stream_open() and stream_accept(): makes s a TLS stream. -1 without memory. */
int tls_open(struct stream *, struct tls_peer *) MUST NONNULL;
int tls_accept(struct stream *, struct tls_server *) MUST NONNULL;

/* Frees what is shared; no peer may be left. */
void tls_stop(void);

#endif
