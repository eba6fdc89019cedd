/*
 * Receivers.
 *
 *   tls_peer ── SSL_CTX (shared by all webhooks without settings of their own)
 *            └─ SSL_SESSION of the last handshake, offered by the next
 *
 * Authorities come from one bundle file, read at start: a directory of certificates would be read
 * on the loop.
 */
#include "gateway/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/tls_parts.h"
#include "proto/cidr.h"

static const char bundle[] = "/etc/ssl/certs/ca-certificates.crt";

struct tls_peer {
	SSL_CTX *ctx;         /* a reference */
	SSL_SESSION *session; /* or NULL */
	bool is_address;      /* the host is an address: no SNI, another check */
	bool verify;
	X509 *known;          /* it has this certificate, whatever its host; or NULL */
	char host[256];
};

static SSL_CTX *shared; /* the system's authorities; a reference of our own while it is not NULL */

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

static SSL_CTX *
new_ctx(void)
{
	SSL_CTX *ctx = tls_new_ctx(TLS_client_method());

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_session_cache_mode(ctx,
	    SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_session);
	return ctx;
}

/*
 * OpenSSL decodes an authority's extensions when it first needs them, and takes it for invalid for
 * ever when memory is short then. So they are needed now, when that can still be told; a
 * certificate that is no good is none of our business.
 */
static bool
load_authorities(SSL_CTX *ctx, const char *file)
{
	STACK_OF(X509_OBJECT) *all;

	if (SSL_CTX_load_verify_file(ctx, file) != 1)
		return false;
	all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(ctx));
	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		X509 *authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));

		ERR_clear_error();
		if (authority != NULL && X509_check_purpose(authority, -1, 0) != 1 &&
		    ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE)
			return false;
	}
	return true;
}

static SSL_CTX *
shared_ctx(void)
{
	if (shared == NULL) {
		shared = new_ctx();
		if (shared != NULL && !load_authorities(shared, bundle)) {
			SSL_CTX_free(shared);
			shared = NULL;
		}
	}
	if (shared != NULL)
		SSL_CTX_up_ref(shared);
	return shared;
}

/* Loads what the webhook asks for; NULL, or the option that failed. */
static const char *
load(SSL_CTX *ctx, const struct conf_webhook *webhook)
{
	char path[4096];

	ERR_clear_error();
	if (!webhook->insecure_skip_verify &&
	    !load_authorities(ctx, webhook->ca_file.n > 0 ? tls_path(webhook->ca_file, path)
							  : bundle))
		return "tls.ca_file";
	return tls_load_pair(ctx, webhook->certificate, webhook->private_key);
}

static bool
has_own_settings(const struct conf_webhook *webhook)
{
	return webhook->ca_file.n > 0 || webhook->certificate.n > 0 || webhook->private_key.n > 0 ||
	       webhook->insecure_skip_verify;
}

static SSL_CTX *
ctx_of(const struct conf_webhook *webhook)
{
	SSL_CTX *ctx;

	if (!has_own_settings(webhook))
		return shared_ctx();
	ctx = new_ctx();
	if (ctx != NULL && load(ctx, webhook) != NULL) {
		SSL_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

bool
tls_peer_check(const struct conf_webhook *webhook, char why[TLS_WHY])
{
	SSL_CTX *ctx = new_ctx();
	const char *option = ctx == NULL ? "tls" : load(ctx, webhook);

	if (option != NULL)
		tls_explain(option, why);
	SSL_CTX_free(ctx);
	return option == NULL;
}

/* ---- peers ------------------------------------------------------------------------------- */

struct tls_peer *
tls_peer_new(const struct conf_webhook *webhook)
{
	struct tls_peer *peer = calloc(1, sizeof *peer);
	struct address address;

	if (peer == NULL)
		return NULL;
	peer->ctx = ctx_of(webhook);
	if (peer->ctx == NULL) {
		free(peer);
		return NULL;
	}
	snprintf(peer->host, sizeof peer->host, "%.*s", (int)webhook->host.n, webhook->host.p);
	peer->is_address = address_parse(webhook->host, &address);
	peer->verify = !webhook->insecure_skip_verify;
	return peer;
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
	peer->ctx = peer->known == NULL ? NULL : new_ctx();
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
	SSL_CTX_free(peer->ctx);
	X509_free(peer->known);
	free(peer);
}

void
tls_stop(void)
{
	SSL_CTX_free(shared);
	shared = NULL;
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
