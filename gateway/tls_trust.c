/*
 * What is loaded for receivers: whom to believe, and who we are. Webhooks with the same settings
 * share it, so that a reload, or a hundred webhooks, read a file once:
 *
 *     peers ──▶ trust ── SSL_CTX
 *                 ├ settings: paths of authorities, certificate and key
 *                 └ stamps: what the file system said of these files before they were read
 *
 * A file that has another stamp is another file: what is asked for then is loaded anew, and the old
 * goes with its last peer. Authorities come from one bundle file: a directory of certificates would
 * be read on the loop.
 */
#include "gateway/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "gateway/tls_parts.h"

enum { FILES = 3 };

static const struct slice bundle = SLICE("/etc/ssl/certs/ca-certificates.crt");

struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed, modified;
};

struct tls_trust {
	SSL_CTX *ctx;
	size_t users;
	bool insecure;
	struct slice files[FILES]; /* behind this struct; empty: none */
	struct stamp stamps[FILES];
	LIST_ENTRY(tls_trust) next;
};

static LIST_HEAD(trusts, tls_trust) all = LIST_HEAD_INITIALIZER(all);

/* ---- settings ---------------------------------------------------------------------------- */

static void
files_of(const struct conf_webhook *webhook, struct slice files[FILES])
{
	files[0] = webhook->insecure_skip_verify ? SLICE("")
		   : webhook->ca_file.n > 0      ? webhook->ca_file
						 : bundle;
	files[1] = webhook->certificate;
	files[2] = webhook->private_key;
}

static struct stamp
stamp_of(struct slice file)
{
	char path[4096];
	struct stat st;

	if (file.n == 0 || stat(tls_path(file, path), &st) != 0)
		return (struct stamp){0};
	return (struct stamp){st.st_dev, st.st_ino, st.st_size, st.st_ctim, st.st_mtim};
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
same_stamp(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       same_time(&a->changed, &b->changed) && same_time(&a->modified, &b->modified);
}

bool
tls_trust_fits(const struct tls_trust *trust, const struct conf_webhook *webhook)
{
	struct slice files[FILES];
	struct stamp stamp;

	if (trust->insecure != webhook->insecure_skip_verify)
		return false;
	files_of(webhook, files);
	for (int i = 0; i < FILES; i++) {
		stamp = stamp_of(files[i]);
		if (!slice_is(trust->files[i], files[i]) || !same_stamp(&trust->stamps[i], &stamp))
			return false;
	}
	return true;
}

/* ---- loading ----------------------------------------------------------------------------- */

/*
 * OpenSSL decodes an authority's extensions when it first needs them, and takes it for invalid for
 * ever when memory is short then. So they are needed now, when that can still be told; a
 * certificate that is no good is none of our business.
 */
static bool
load_authorities(SSL_CTX *ctx, struct slice file)
{
	STACK_OF(X509_OBJECT) *objects;
	char path[4096];

	if (SSL_CTX_load_verify_file(ctx, tls_path(file, path)) != 1)
		return false;
	objects = X509_STORE_get0_objects(SSL_CTX_get_cert_store(ctx));
	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509 *authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

		ERR_clear_error();
		if (authority != NULL && X509_check_purpose(authority, -1, 0) != 1 &&
		    ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE)
			return false;
	}
	return true;
}

/* NULL, or the option that failed. */
static const char *
load(struct tls_trust *trust)
{
	ERR_clear_error();
	trust->ctx = tls_client_ctx();
	if (trust->ctx == NULL ||
	    (trust->files[0].n > 0 && !load_authorities(trust->ctx, trust->files[0])))
		return "ca_file";
	return tls_load_pair(trust->ctx, trust->files[1], trust->files[2]);
}

static void
free_trust(struct tls_trust *trust)
{
	SSL_CTX_free(trust->ctx);
	free(trust);
}

/* Not loaded yet; NULL without memory. */
static struct tls_trust *
new_trust(const struct conf_webhook *webhook)
{
	struct slice files[FILES];
	struct tls_trust *trust;
	char *at;

	files_of(webhook, files);
	trust = calloc(1, sizeof *trust + files[0].n + files[1].n + files[2].n + 1);
	if (trust == NULL)
		return NULL;
	trust->insecure = webhook->insecure_skip_verify;
	at = (char *)(trust + 1);
	for (int i = 0; i < FILES; i++) {
		if (files[i].n > 0)
			memcpy(at, files[i].p, files[i].n);
		trust->files[i] = (struct slice){at, files[i].n};
		trust->stamps[i] = stamp_of(files[i]);
		at += files[i].n;
	}
	return trust;
}

struct tls_trust *
tls_trust_get(const struct conf_webhook *webhook, const char **option)
{
	struct tls_trust *trust;

	LIST_FOREACH (trust, &all, next)
		if (tls_trust_fits(trust, webhook))
			return trust;
	trust = new_trust(webhook);
	*option = trust == NULL ? "ca_file" : load(trust);
	if (*option == NULL) {
		LIST_INSERT_HEAD(&all, trust, next);
		return trust;
	}
	if (trust != NULL)
		free_trust(trust);
	return NULL;
}

/* ---- who needs it ------------------------------------------------------------------------ */

SSL_CTX *
tls_trust_hold(struct tls_trust *trust)
{
	trust->users++;
	return trust->ctx;
}

void
tls_trust_release(struct tls_trust *trust)
{
	trust->users--;
}

void
tls_forget(void)
{
	struct tls_trust *trust, *next;

	for (trust = LIST_FIRST(&all); trust != NULL; trust = next) {
		next = LIST_NEXT(trust, next);
		if (trust->users > 0)
			continue;
		LIST_REMOVE(trust, next);
		free_trust(trust);
	}
}
