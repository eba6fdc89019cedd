/*
 * Receivers.
 *
 *   tls_peer ── tls_trust ── SSL_CTX (shared by webhooks with the same settings)
 *            └─ SSL_SESSION of the last handshake, offered by the next
 */
#include "gateway/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/tls_parts.h"
#include "proto/cidr.h"

struct tls_peer {
	SSL_CTX *ctx;         /* the trust's, or its own */
	struct tls_trust *trust; /* held; NULL: it is known by its certificate */
	SSL_SESSION *session; /* or NULL */
	bool is_address;      /* the host is an address: no SNI, another check */
	bool verify;
	X509 *known;          /* it has this certificate, whatever its host; or NULL */
	char host[256];
};

/* ---- contexts ---------------------------------------------------------------------------- */

/* Keeps the newest session for the peer's next handshake; 1: we took the reference. */
static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls_peer *peer = SSL_get_app_data(ssl);

	SSL_SESSION_free(peer->session);
	peer->session = session;
	return 1;
}

SSL_CTX *
tls_client_ctx(void)
{
	SSL_CTX *ctx = tls_new_ctx(TLS_client_method());

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_session_cache_mode(ctx,
	    SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_session);
	return ctx;
}

/* ---- peers ------------------------------------------------------------------------------- */

const char *
tls_peer_check(const struct conf_webhook *webhook, char why[TLS_WHY])
{
	const char *option = NULL;

	if (tls_trust_get(webhook, &option) == NULL)
		tls_explain(why);
	return option;
}

struct tls_peer *
tls_peer_new(const struct conf_webhook *webhook)
{
	const char *option;
	struct tls_trust *trust = tls_trust_get(webhook, &option);
	struct tls_peer *peer = trust == NULL ? NULL : calloc(1, sizeof *peer);
	struct address address;

	if (peer == NULL)
		return NULL;
	peer->trust = trust;
	peer->ctx = tls_trust_hold(trust);
	snprintf(peer->host, sizeof peer->host, "%.*s", (int)webhook->host.n, webhook->host.p);
	peer->is_address = address_parse(webhook->host, &address);
	peer->verify = !webhook->insecure_skip_verify;
	return peer;
}

bool
tls_peer_fits(const struct tls_peer *peer, const struct conf_webhook *webhook)
{
	return peer->trust != NULL && slice_is(slice_of(peer->host), webhook->host) &&
	       tls_trust_fits(peer->trust, webhook);
}

static X509 *
read_certificate(struct slice file)
{
	X509 *certificate = NULL;
	char path[4096];
	FILE *from = fopen(tls_path(file, path), "re");

	if (from != NULL) {
		certificate = PEM_read_X509(from, NULL, NULL, NULL);
		fclose(from);
	}
	return certificate;
}

/* In place of looking at authorities, names and dates. */
static int
on_verify(X509_STORE_CTX *ctx, void *arg)
{
	const struct tls_peer *peer = arg;

	if (X509_cmp(X509_STORE_CTX_get0_cert(ctx), peer->known) == 0)
		return 1;
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_CERT_REJECTED);
	return 0;
}

struct tls_peer *
tls_peer_known(struct slice file)
{
	struct tls_peer *peer = calloc(1, sizeof *peer);

	if (peer == NULL)
		return NULL;
	peer->known = read_certificate(file);
	peer->ctx = peer->known == NULL ? NULL : tls_client_ctx();
	if (peer->ctx == NULL) {
		tls_peer_free(peer);
		return NULL;
	}
	SSL_CTX_set_cert_verify_callback(peer->ctx, on_verify, peer);
	return peer;
}

void
tls_peer_free(struct tls_peer *peer)
{
	if (peer == NULL)
		return;
	SSL_SESSION_free(peer->session);
	if (peer->trust != NULL)
		tls_trust_release(peer->trust);
	else
		SSL_CTX_free(peer->ctx);
	X509_free(peer->known);
	free(peer);
}

static bool
expect_host(SSL *ssl, const struct tls_peer *peer)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (peer->known != NULL) {
		SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
		return true;
	}
	if (!peer->is_address && SSL_set_tlsext_host_name(ssl, peer->host) != 1)
		return false;
	if (!peer->verify)
		return true;
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	if (peer->is_address)
		return X509_VERIFY_PARAM_set1_ip_asc(param, peer->host) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, peer->host) == 1;
}

int
tls_open(struct stream *s, struct tls_peer *peer)
{
	SSL *ssl = SSL_new(peer->ctx);

	if (ssl == NULL)
		return -1;
	SSL_set_app_data(ssl, peer);
	SSL_set_connect_state(ssl);
	if (!expect_host(ssl, peer)) {
		SSL_free(ssl);
		return -1;
	}
	if (peer->session != NULL)
		SSL_set_session(ssl, peer->session);
	return tls_attach(s, ssl);
}
