/*
 * Listeners' TLS. What a stranger can make us compute is bounded: curves only, as a handshake with
 * one of the large finite-field groups costs a hundred times as much; of TLS 1.2 only what has
 * forward secrecy and authenticated encryption. HTTP/1.1 is all we speak, so a client that offers
 * other protocols only is told so.
 */
#include "gateway/tls.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/tls_parts.h"

static const char groups[] = "X25519:P-256:P-384";
static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20"; /* of TLS 1.2 */

struct tls_server {
	SSL_CTX *ctx; /* a reference; each stream has one too */
};

static int
on_protocols(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *in,
    unsigned in_n, void *arg)
{
	static const unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
	unsigned char *chosen;
	int result = SSL_select_next_proto(&chosen, out_n, ours, sizeof ours, in, in_n);

	(void)ssl;
	(void)arg;
	*out = chosen;
	return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* NULL, or the option that failed. */
static const char *
prepare(SSL_CTX *ctx, const struct conf_listener *conf)
{
	ERR_clear_error();
	if (SSL_CTX_set1_groups_list(ctx, groups) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, ciphers) != 1)
		return "certificate";
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets do */
	SSL_CTX_set_alpn_select_cb(ctx, on_protocols, NULL);
	return tls_load_pair(ctx, conf->certificate, conf->private_key);
}

/* NULL, with the option that failed. */
static SSL_CTX *
load(const struct conf_listener *conf, const char **option, char why[TLS_WHY])
{
	SSL_CTX *ctx = tls_new_ctx(TLS_server_method());

	*option = ctx == NULL ? "certificate" : prepare(ctx, conf);
	if (*option == NULL)
		return ctx;
	tls_explain(why);
	SSL_CTX_free(ctx);
	return NULL;
}

const char *
tls_server_check(const struct conf_listener *conf, char why[TLS_WHY])
{
	const char *option;

	SSL_CTX_free(load(conf, &option, why));
	return option;
}

struct tls_server *
tls_server_new(const struct conf_listener *conf, char why[TLS_WHY])
{
	struct tls_server *server = malloc(sizeof *server);
	const char *option;

	if (server == NULL) {
		snprintf(why, TLS_WHY, "no memory");
		return NULL;
	}
	server->ctx = load(conf, &option, why);
	if (server->ctx != NULL)
		return server;
	free(server);
	return NULL;
}

bool
tls_server_is_same(const struct tls_server *a, const struct tls_server *b)
{
	return X509_cmp(SSL_CTX_get0_certificate(a->ctx), SSL_CTX_get0_certificate(b->ctx)) == 0;
}

void
tls_server_free(struct tls_server *server)
{
	if (server == NULL)
		return;
	SSL_CTX_free(server->ctx);
	free(server);
}

int
tls_accept(struct stream *s, struct tls_server *server)
{
	SSL *ssl = SSL_new(server->ctx);

	if (ssl == NULL)
		return -1;
	SSL_set_accept_state(ssl);
	return tls_attach(s, ssl);
}
