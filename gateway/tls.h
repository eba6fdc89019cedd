/*
 * TLS 1.2 and up, on both sides.
 *
 * To receivers (CONTRACT §8): certificate and host name (or address) verified, client certificates,
 * sessions resumed. What is loaded is shared by all webhooks with the same settings.
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

/* For conf_load(): loads authorities, certificates and keys. What was loaded for a webhook is kept,
 * for its peer and those of others with the same settings, until tls_forget(). */
extern const struct conf_files tls_files;

/* NULL when something cannot be loaded. */
struct tls_peer *tls_peer_new(const struct conf_webhook *) MUST NONNULL;
/* Would a new peer be the same, with all that its files hold by now? Files are known by what the
 * file system says of them. */
bool tls_peer_fits(const struct tls_peer *, const struct conf_webhook *) MUST NONNULL;
/* Frees what was loaded and is not a peer's. */
void tls_forget(void);
/* A peer that is known by the first certificate of that file, whatever names and dates are in it;
 * NULL: it cannot be read. */
struct tls_peer *tls_peer_known(struct slice file) MUST;
void tls_peer_free(struct tls_peer *); /* NULL is fine; no stream may be open */

/* NULL with a sentence in why. A new one of the same files has what they hold by then. */
struct tls_server *tls_server_new(const struct conf_listener *, char why[256]) MUST NONNULL;
/* Whether both show the same certificate. */
bool tls_server_is_same(const struct tls_server *, const struct tls_server *) MUST NONNULL;
void tls_server_free(struct tls_server *); /* NULL is fine; open streams go on */

/* For stream_open() and stream_accept(): makes s a TLS stream. -1 without memory. */
int tls_open(struct stream *, struct tls_peer *) MUST NONNULL;
int tls_accept(struct stream *, struct tls_server *) MUST NONNULL;

#endif
