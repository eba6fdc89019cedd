/*
 * A configuration's life:
 *
 *     text ── json_read() ── read_section() ── check_file() ── derive_all() ── conf
 *                  └──────────────┴────────────────┴── faults, in the order of the file
 *
 * Two arenas: `scratch` has the tree and the faults and ends with the parse, `own->arena` has what
 * stays. Everything that stays is a copy, secrets in blocks of their own, so that the file's text
 * can be wiped at once and the secrets when the last reference goes.
 */
#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include <unistd.h>

#include "conf/check.h"
#include "conf/derive.h"
#include "conf/read.h"
#include "conf/secret.h"

enum { FILE_MAX = 16 << 20, DEPTH_MAX = 32 };

#define ARENA_MAX ((size_t)512 << 20)

struct whole {
	struct conf conf;
	struct conf_private own;
};

static struct conf *
make(void)
{
	struct whole *whole = calloc(1, sizeof *whole);

	if (whole == NULL)
		return NULL;
	whole->conf.own = &whole->own;
	whole->own.references = 1;
	arena_init(&whole->own.arena, ARENA_MAX);
	return &whole->conf;
}

struct conf *
conf_hold(struct conf *conf)
{
	conf->own->references++;
	return conf;
}

void
conf_release(struct conf *conf)
{
	if (conf == NULL || --conf->own->references > 0)
		return;
	secret_wipe(&conf->own->secrets);
	arena_free(&conf->own->arena);
	free(conf); /* the first member of struct whole */
}

/* One line of our own making: faults that have no place in the file. */
static void
tell(const char *name, const char *what, const char *why, conf_report *report, void *arg)
{
	struct buf b;

	buf_init(&b, 16384);
	buf_printf(&b, "%s: %s%s%s", name, what, *why == '\0' ? "" : ": ", why);
	buf_putc(&b, '\0');
	report(arg, b.failed ? "out of memory" : b.p);
	buf_free(&b);
}

static void
read_tree(struct reader *r, char *text, size_t n)
{
	struct json_error error;
	struct json *root;

	root = json_read(r->scratch, text, n, JSON_COMMENTS | JSON_KEEP_DUPLICATES, DEPTH_MAX,
	    &error);
	if (root == NULL) {
		fault_add_at(&r->faults, error.at, "%s", error.what);
		return;
	}
	r->faults.root = root;
	read_section(r, "", r->conf, root);
	if (root->type == JSON_OBJECT)
		check_file(r, root);
}

/* True when there is nothing to complain about; text is changed in place. */
static bool
read_text(struct conf *conf, const char *name, char *text, size_t n, conf_report *report, void *arg)
{
	struct arena scratch;
	struct reader r = {.conf = conf, .keep = &conf->own->arena, .scratch = &scratch};
	bool ok;

	arena_init(&scratch, ARENA_MAX);
	r.faults = (struct faults){.arena = &scratch, .name = name, .text = {text, n}};
	r.defaults = arena_zalloc(&scratch, option_count * sizeof *r.defaults);
	if (r.defaults != NULL)
		read_tree(&r, text, n);
	fault_report(&r.faults, report, arg);
	ok = !r.faults.refused && !scratch.failed && derive_all(conf);
	if (scratch.failed || (!ok && !r.faults.refused))
		tell(name, "found no memory", "", report, arg);
	arena_free(&scratch);
	return ok;
}

/* Takes the text over, and wipes and frees it whatever comes of it. */
static struct conf *
parse(const char *name, char *text, size_t n, conf_report *report, void *arg)
{
	struct conf *conf = make();

	if (conf == NULL) {
		tell(name, "found no memory", "", report, arg);
	} else if (!read_text(conf, name, text, n, report, arg)) {
		conf_release(conf);
		conf = NULL;
	}
	sodium_memzero(text, n);
	free(text);
	return conf;
}

struct conf *
conf_parse(const char *name, struct slice text, conf_report *report, void *arg)
{
	char *copy = text.n > FILE_MAX ? NULL : malloc(text.n + 1);

	if (copy == NULL) {
		tell(name, text.n > FILE_MAX ? "is larger than 16MiB" : "found no memory", "",
		    report, arg);
		return NULL;
	}
	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	return parse(name, copy, text.n, report, arg);
}

/* All of a file into memory that is large enough from the start, so that no copies are left behind
 * by growing. Returns what is wrong, or NULL. */
static const char *
read_all(int fd, char **text, size_t *n)
{
	ssize_t got;

	*text = malloc(FILE_MAX + 1);
	if (*text == NULL)
		return strerror(ENOMEM);
	for (*n = 0; *n <= FILE_MAX; *n += (size_t)got) {
		got = read(fd, *text + *n, FILE_MAX + 1 - *n);
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got < 0)
			return strerror(errno);
		else if (got == 0)
			return NULL;
	}
	return "it is larger than 16MiB";
}

struct conf *
conf_load(const char *path, conf_report *report, void *arg)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *why;
	char *text = NULL;
	size_t n = 0;

	if (fd < 0) {
		tell(path, "cannot be read", strerror(errno), report, arg);
		return NULL;
	}
	why = read_all(fd, &text, &n);
	close(fd);
	if (why == NULL)
		return parse(path, text, n, report, arg);
	tell(path, "cannot be read", why, report, arg);
	if (text != NULL)
		sodium_memzero(text, n);
	free(text);
	return NULL;
}
