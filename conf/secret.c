/*
 * Each secret is a block of its own, so that it can be zeroed before its memory goes back. What the
 * JSON reader decoded for it (a text with escapes is not where it was in the file) is zeroed as
 * soon as the copy is made; the file's text is wiped whole when the parse is over.
 */
#include "conf/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/utf8.h"

struct secret {
	struct secret *next;
	size_t n;
	_Alignas(max_align_t) char p[];
};

void *
secret_room(struct secret **list, size_t n)
{
	struct secret *secret = calloc(1, sizeof *secret + n + 1);

	if (secret == NULL)
		return NULL;
	secret->next = *list;
	secret->n = n;
	*list = secret;
	return secret->p;
}

static bool
keep(struct secret **list, struct slice text, struct slice *out)
{
	char *p = secret_room(list, text.n);

	if (p == NULL)
		return false;
	if (text.n > 0)
		memcpy(p, text.p, text.n);
	*out = (struct slice){p, text.n};
	return true;
}

void
secret_wipe(struct secret **list)
{
	struct secret *secret;

	while ((secret = *list) != NULL) {
		*list = secret->next;
		sodium_memzero(secret->p, secret->n);
		free(secret);
	}
}

/* A text's bytes, decoded by the JSON reader, unless they are the file's own. */
static void
forget(const struct faults *f, struct slice text)
{
	uintptr_t p = (uintptr_t)text.p, file = (uintptr_t)f->text.p;

	if (text.n > 0 && (p < file || p >= file + f->text.n))
		sodium_memzero((char *)text.p, text.n);
}

static bool
take(struct secret **list, struct faults *f, const struct json *node, struct slice text,
    struct slice *out)
{
	if (keep(list, text, out))
		return true;
	fault_add(f, node, "found no memory");
	return false;
}

/* The file's path as a C string in the arena; NULL when it cannot be one. */
static const char *
resolve(struct faults *f, struct slice path)
{
	const char *slash = strrchr(f->name, '/');
	int directory = slash == NULL || path.p[0] == '/' ? 0 : (int)(slash - f->name) + 1;
	struct slice full;

	full = arena_printf(f->arena, "%.*s%.*s%c", directory, f->name, (int)path.n, path.p, '\0');
	return full.p;
}

/* Opens a regular file, without waiting for anything that is not one. */
static int
open_file(struct faults *f, const struct json *node, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *why = NULL;
	struct stat st = {.st_mode = 0};

	if (fd < 0 || fstat(fd, &st) < 0)
		why = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		why = "not a regular file";
	if (why != NULL) {
		fault_add(f, node, "cannot read %s: %s", fault_quote(f, slice_of(path)), why);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (st.st_mode & (S_IRGRP | S_IROTH))
		fault_warn(f, node, "%s may be read by others than its owner",
		    fault_quote(f, slice_of(path)));
	return fd;
}

/* Up to SECRET_MAX + 1 bytes; -1 with errno set. */
static ssize_t
read_all(int fd, char *p)
{
	size_t n = 0;
	ssize_t got;

	while (n <= SECRET_MAX) {
		got = read(fd, p + n, SECRET_MAX + 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

static bool
take_file(struct secret **list, struct faults *f, const struct json *node, const char *path,
    struct slice *out)
{
	char p[SECRET_MAX + 1];
	int fd = open_file(f, node, path);
	bool ok = false;
	ssize_t n;

	if (fd < 0)
		return false;
	n = read_all(fd, p);
	if (n < 0) {
		fault_add(f, node, "cannot read %s: %s", fault_quote(f, slice_of(path)),
		    strerror(errno));
	} else if (n > SECRET_MAX) {
		fault_add(f, node, "is in a file larger than 64KiB");
	} else {
		if (n > 0 && p[n - 1] == '\n')
			n--;
		ok = take(list, f, node, (struct slice){p, (size_t)n}, out);
	}
	sodium_memzero(p, sizeof p);
	close(fd);
	return ok;
}

static bool
read_file(struct secret **list, struct faults *f, const struct json *node, struct slice name,
    struct slice *out)
{
	const char *path;

	if (name.n == 0 || name.n >= 4096 || memchr(name.p, '\0', name.n) != NULL) {
		fault_add(f, node, "names no file");
		return false;
	}
	path = resolve(f, name);
	return path != NULL && take_file(list, f, node, path, out);
}

static bool
read_env(struct secret **list, struct faults *f, const struct json *node, struct slice name,
    struct slice *out)
{
	char variable[256];
	const char *value;

	if (name.n == 0 || name.n >= sizeof variable || memchr(name.p, '\0', name.n) != NULL) {
		fault_add(f, node, "names no environment variable");
		return false;
	}
	memcpy(variable, name.p, name.n);
	variable[name.n] = '\0';
	value = getenv(variable);
	if (value == NULL) {
		fault_add(f, node, "needs %s in the environment", fault_quote(f, name));
		return false;
	}
	return take(list, f, node, slice_of(value), out);
}

bool
secret_read(struct secret **list, struct faults *f, const struct json *node, struct slice *out)
{
	const struct json *from = node->type == JSON_OBJECT ? node->first : NULL;
	bool ok;

	if (node->type == JSON_STRING) {
		ok = take(list, f, node, node->text, out);
		forget(f, node->text);
		return ok;
	}
	if (from == NULL || from->next != NULL || from->type != JSON_STRING ||
	    (!slice_is(from->key, SLICE("file")) && !slice_is(from->key, SLICE("env")))) {
		fault_add(f, node, "must be a text, {\"file\": \"path\"} or {\"env\": \"NAME\"}");
		return false;
	}
	if (slice_is(from->key, SLICE("file")))
		ok = read_file(list, f, from, from->text, out);
	else
		ok = read_env(list, f, from, from->text, out);
	if (ok && utf8_valid(*out) != out->n) {
		fault_add(f, from, "is not UTF-8 text");
		return false;
	}
	return ok;
}
