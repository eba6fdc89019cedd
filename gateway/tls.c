/*
 * OpenSSL straight on the non-blocking socket.
 *
 *   tls_peer ────── SSL_CTX ─┐
 *   tls_server ──── SSL_CTX ─┴─ SSL ── struct stream
 *
 * Records are read one by one, as they come (no read-ahead): what OpenSSL has not decoded yet is
 * still in the socket, so the loop hears of it. Messages behind the handshake (tickets, new keys)
 * end a read as well, or a peer could keep one reading for as long as it sends them. OpenSSL's
 * error queue is emptied before each call, as an old error would be taken for the new call's.
 */
#include "gateway/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/socket.h>

#include "gateway/tls_parts.h"

/* ---- contexts ---------------------------------------------------------------------------- */

/* A key that needs a passphrase cannot be loaded: there may be nobody at the terminal. */
static int
no_passphrase(char *room, int size, int writing, void *arg)
{
	(void)room, (void)size, (void)writing, (void)arg;
	return -1;
}

/* OpenSSL makes a list of the algorithms of each kind when it is first asked for one, and does
 * without for ever when memory is short then. SSL_CTX_new() asks for the other kinds. */
static bool
make_lists(void)
{
	EVP_KDF *derivation = EVP_KDF_fetch(NULL, "TLS13-KDF", NULL);
	EVP_KEYEXCH *exchange = EVP_KEYEXCH_fetch(NULL, "X25519", NULL);
	EVP_SIGNATURE *signature = EVP_SIGNATURE_fetch(NULL, "ECDSA", NULL);
	unsigned char byte;
	bool made = derivation != NULL && exchange != NULL && signature != NULL &&
		    RAND_bytes(&byte, 1) == 1;

	EVP_KDF_free(derivation);
	EVP_KEYEXCH_free(exchange);
	EVP_SIGNATURE_free(signature);
	return made;
}

SSL_CTX *
tls_new_ctx(const SSL_METHOD *method)
{
	SSL_CTX *ctx = make_lists() ? SSL_CTX_new(method) : NULL;

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	/* A body whose length is known is complete or it is not, with or without a close_notify. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
				     SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
	return ctx;
}

const char *
tls_path(struct slice text, char room[4096])
{
	snprintf(room, 4096, "%.*s", (int)text.n, text.p);
	return room;
}

const char *
tls_load_pair(SSL_CTX *ctx, struct slice certificate, struct slice key)
{
	char path[4096];

	if (certificate.n == 0)
		return NULL;
	if (SSL_CTX_use_certificate_chain_file(ctx, tls_path(certificate, path)) != 1)
		return "certificate";
	if (SSL_CTX_use_PrivateKey_file(ctx, tls_path(key, path), SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		return "key";
	return NULL;
}

void
tls_explain(char why[TLS_WHY])
{
	unsigned long error = ERR_peek_error();
	const char *reason = ERR_SYSTEM_ERROR(error) ? strerror((int)ERR_GET_REASON(error))
						     : ERR_reason_error_string(error);

	snprintf(why, TLS_WHY, "cannot be loaded: %s", reason == NULL ? "incomplete" : reason);
}

const struct conf_files tls_files = {tls_server_check, tls_peer_check};

/* ---- streams ----------------------------------------------------------------------------- */

/* What OpenSSL calls fatal is no memory, or what came of that. */
static bool
is_ours(void)
{
	return ERR_FATAL_ERROR(ERR_peek_error()) || ERR_FATAL_ERROR(ERR_peek_last_error());
}

/* What to do about a result that is not success. */
static int
judge(struct stream *s, int result)
{
	const char *why;
	long verified;

	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return STREAM_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return STREAM_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		stream_broke(s);
		return STREAM_FAILED;
	default:
		stream_broke(s); /* OpenSSL's own words are better */
		s->lacking = s->lacking || is_ours();
		verified = SSL_get_verify_result(s->ssl);
		why = verified != X509_V_OK ? X509_verify_cert_error_string(verified)
					    : ERR_reason_error_string(ERR_peek_error());
		if (why != NULL)
			s->why = why;
		return STREAM_FAILED;
	}
}

static int
secure_start(struct stream *s)
{
	int result, verdict;

	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(s->ssl);
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

/* Says goodbye, if the socket takes it at once. May not be done after a failure. */
static void
notify_close(struct stream *s)
{
	bool sent = SSL_get_shutdown(s->ssl) & SSL_SENT_SHUTDOWN;

	if (s->why != NULL || sent || !SSL_is_init_finished(s->ssl))
		return;
	ERR_clear_error();
	SSL_shutdown(s->ssl);
}

static void
secure_finish(struct stream *s)
{
	notify_close(s);
	shutdown(s->fd, SHUT_WR);
}

/* Marked as shut down, or OpenSSL would think the session broken and not resume it. */
static void
secure_end(struct stream *s)
{
	notify_close(s);
	SSL_set_shutdown(s->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(s->ssl);
	s->ssl = NULL;
}

static const struct stream_ops secure = {secure_start, secure_read, secure_write, secure_finish,
    secure_end};

int
tls_attach(struct stream *s, SSL *ssl)
{
	if (SSL_set_fd(ssl, s->fd) != 1) {
		SSL_free(ssl);
		return -1;
	}
	s->ops = &secure;
	s->ssl = ssl;
	return 0;
}
