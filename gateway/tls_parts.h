/*
 * What the files of TLS share among themselves; nobody else includes this.
 *
 *   tls.c         contexts, files, streams
 *   tls_peer.c    receivers: whom to believe, sessions to resume
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

/* Loads a certificate chain and its key; either may be empty, which is a fault if it is only one of
 * them. NULL, or the option that failed. */
const char *tls_load_pair(SSL_CTX *, struct slice certificate, struct slice key) MUST NONNULL;

/* What was wrong with that option, from OpenSSL's last error. */
void tls_explain(const char *option, char why[TLS_WHY]) NONNULL;

/* Makes s a stream over ssl, which is s's from then on. -1, and ssl is freed. */
int tls_attach(struct stream *, SSL *ssl) MUST NONNULL;

/* tls_peer.c: whether all that the webhook's TLS needs can be loaded. */
bool tls_peer_check(const struct conf_webhook *, char why[TLS_WHY]) MUST NONNULL;

#endif
