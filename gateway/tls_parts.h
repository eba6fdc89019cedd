/*
 * What the files of TLS share among themselves; nobody else includes this.
 *
 *   tls.c         contexts, files, streams
 *   tls_trust.c   what is loaded for receivers: authorities, certificates of our own
 *   tls_peer.c    receivers: whom to expect, sessions to resume
 *   tls_server.c  listeners
 */
#ifndef GATEWAY_TLS_PARTS_H
#define GATEWAY_TLS_PARTS_H

#include <openssl/ssl.h>

#include "gateway/tls.h"

enum { TLS_WHY = 256 };

/* NULL without memory. */
SSL_CTX *tls_new_ctx(const SSL_METHOD *) MUST;

/* A slice as a path, in room. */
const char *tls_path(struct slice, char room[4096]) MUST NONNULL;

/* Loads a certificate chain and its key, unless both are empty. NULL, or the option that failed. */
const char *tls_load_pair(SSL_CTX *, struct slice certificate, struct slice key) MUST NONNULL;

/* What went wrong, from OpenSSL's last error. */
void tls_explain(char why[TLS_WHY]) NONNULL;

/* Makes s a stream over ssl, which is s's from then on. -1, and ssl is freed. */
int tls_attach(struct stream *, SSL *ssl) MUST NONNULL;

struct tls_trust;

/* What the webhook's settings ask for, loaded unless it is there already; NULL, and the option that
 * failed. It is there until the next tls_forget(), or for as long as it is held. */
struct tls_trust *tls_trust_get(const struct conf_webhook *, const char **option) MUST NONNULL;
/* Is it what the settings ask for, with all that the files hold by now? */
bool tls_trust_fits(const struct tls_trust *, const struct conf_webhook *) MUST NONNULL;
SSL_CTX *tls_trust_hold(struct tls_trust *) NONNULL; /* its context, which is not the caller's */
void tls_trust_release(struct tls_trust *) NONNULL;

/* A context for connections to receivers; NULL without memory. */
SSL_CTX *tls_client_ctx(void) MUST;

/* For tls_files. */
const char *tls_peer_check(const struct conf_webhook *, char why[TLS_WHY]) MUST NONNULL;
const char *tls_server_check(const struct conf_listener *, char why[TLS_WHY]) MUST NONNULL;

#endif
