/*
 * OpenSSL straight on the non-blocking socket.
 *
 *   tls_peer ── SSL_CTX (shared by all webhooks without settings of their own)
 *            └─ SSL_SESSION of the last handshake, offered by the next
 *
 * Authorities come from one bundle file, read at start: a directory of certificates would be read
 * on the loop. OpenSSL's error queue is emptied before each call, as an old error in it would be
 * taken for the new call's.
 */
#include "gateway/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/cidr.h"

static const char bundle[] = "/etc/ssl/certs/ca-certificates.crt";

struct tls_peer {
	SSL_CTX *ctx;         /* a reference */
	SSL_SESSION *session; /* or NULL */
	bool is_address;      /* the host is an address: no SNI, another check */
	bool verify;
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
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	/* A body whose length is known is complete or it is not, with or without a close_notify. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
				     SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx,
	    SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_session);
	return ctx;
}

static SSL_CTX *
shared_ctx(void)
{
	if (shared == NULL) {
		shared = new_ctx();
		if (shared != NULL && SSL_CTX_load_verify_file(shared, bundle) != 1) {
			SSL_CTX_free(shared);
			shared = NULL;
		}
	}
	if (shared != NULL)
		SSL_CTX_up_ref(shared);
	return shared;
}

/* A slice as a path. */
static const char *
path_of(struct slice text, char out[4096])
{
	snprintf(out, 4096, "%.*s", (int)text.n, text.p);
	return out;
}

/* Loads what the webhook asks for; NULL, or the option that failed. */
static const char *
load(SSL_CTX *ctx, const struct conf_webhook *webhook)
{
	char path[4096];

	ERR_clear_error();
	if (!webhook->insecure_skip_verify &&
	    SSL_CTX_load_verify_file(ctx,
		webhook->ca_file.n > 0 ? path_of(webhook->ca_file, path) : bundle) != 1)
		return "tls.ca_file";
	if ((webhook->certificate.n > 0) != (webhook->private_key.n > 0))
		return webhook->certificate.n > 0 ? "tls.certificate without tls.key"
						  : "tls.key without tls.certificate";
	if (webhook->certificate.n > 0 &&
	    SSL_CTX_use_certificate_chain_file(ctx, path_of(webhook->certificate, path)) != 1)
		return "tls.certificate";
	if (webhook->private_key.n > 0 &&
	    SSL_CTX_use_PrivateKey_file(ctx, path_of(webhook->private_key, path),
		SSL_FILETYPE_PEM) != 1)
		return "tls.key";
	if (webhook->private_key.n > 0 && SSL_CTX_check_private_key(ctx) != 1)
		return "tls.key";
	return NULL;
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

static bool
check_webhook(const struct conf_webhook *webhook, const char *file, conf_report *report, void *arg)
{
	SSL_CTX *ctx = new_ctx();
	const char *option = ctx == NULL ? "tls" : load(ctx, webhook), *reason;
	unsigned long error;
	char line[512];

	if (option != NULL) {
		error = ERR_peek_error();
		reason = ERR_SYSTEM_ERROR(error) ? strerror((int)ERR_GET_REASON(error))
						 : ERR_reason_error_string(error);
		snprintf(line, sizeof line, "%s: webhook %.*s: %s: cannot be loaded: %s", file,
		    (int)webhook->name.n, webhook->name.p, option,
		    reason == NULL ? "incomplete" : reason);
		report(arg, line);
	}
	SSL_CTX_free(ctx);
	return option == NULL;
}

bool
tls_check(const struct conf *conf, const char *file, conf_report *report, void *arg)
{
	bool good = true;

	for (size_t i = 0; i < conf->webhook_count; i++)
		if (conf->webhooks[i].https)
			good = check_webhook(&conf->webhooks[i], file, report, arg) && good;
	return good;
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

void
tls_peer_free(struct tls_peer *peer)
{
	if (peer == NULL)
		return;
	SSL_SESSION_free(peer->session);
	SSL_CTX_free(peer->ctx);
	free(peer);
}

void
tls_stop(void)
{
	SSL_CTX_free(shared);
	shared = NULL;
}

/* ---- streams ----------------------------------------------------------------------------- */

/* What to do about a result that is not success. */
static int
judge(struct stream *s, int result)
{
	long verified;

	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return STREAM_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return STREAM_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		s->why = errno == ECONNRESET ? "connection reset" : "connection lost";
		return STREAM_FAILED;
	default:
		verified = SSL_get_verify_result(s->ssl);
		s->why = verified != X509_V_OK ? X509_verify_cert_error_string(verified)
					       : ERR_reason_error_string(ERR_peek_error());
		return STREAM_FAILED;
	}
}

static int
secure_start(struct stream *s)
{
	int result, verdict;

	ERR_clear_error();
	errno = 0;
	result = SSL_connect(s->ssl);
	if (result == 1)
		return 0;
	verdict = judge(s, result);
	if (verdict == 0) {
		s->why = "closed during the handshake";
		verdict = STREAM_FAILED;
	}
	return verdict;
}

static ssize_t
secure_read(struct stream *s, void *p, size_t n)
{
	int got;

	ERR_clear_error();
	errno = 0;
	got = SSL_read(s->ssl, p, n > INT32_MAX ? INT32_MAX : (int)n);
	return got > 0 ? got : judge(s, got);
}

static ssize_t
secure_write(struct stream *s, const void *p, size_t n)
{
	int put, verdict;

	ERR_clear_error();
	errno = 0;
	put = SSL_write(s->ssl, p, n > INT32_MAX ? INT32_MAX : (int)n);
	if (put > 0)
		return put;
	verdict = judge(s, put);
	return verdict == 0 ? STREAM_FAILED : verdict;
}

/* Marked as shut down, or OpenSSL would think the session broken and not resume it. */
static void
secure_end(struct stream *s)
{
	SSL_set_shutdown(s->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(s->ssl);
	s->ssl = NULL;
}

static const struct stream_ops secure = {secure_start, secure_read, secure_write, secure_end};

static bool
expect_host(SSL *ssl, const struct tls_peer *peer)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

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
	if (SSL_set_fd(ssl, s->fd) != 1 || !expect_host(ssl, peer)) {
		SSL_free(ssl);
		return -1;
	}
	if (peer->session != NULL)
		SSL_set_session(ssl, peer->session);
	s->ops = &secure;
	s->ssl = ssl;
	return 0;
}
