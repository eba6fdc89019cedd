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
#include <sys/stat.h>
#include <unistd.h>

#include "conf/check.h"
#include "conf/derive.h"
#include "conf/read.h"
#include "conf/secret.h"

enum { FILE_MAX = 16 << 20, DEPTH_MAX = 32 };

#define ARENA_MAX ((size_t)512 << 20)

/* What is read, for whom, and who is told of faults. */
struct file {
	const char *name;
	const struct conf *running; /* or NULL */
	const struct conf_files *files; /* or NULL */
	conf_report *report;
	void *arg;
	char *text;
	size_t n;
};

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

/* Nothing but the count changes. */
struct conf *
conf_hold(const struct conf *conf)
{
	conf->own->references++;
	return (struct conf *)conf;
}

void
conf_release(struct conf *conf)
{
	if (conf == NULL || --conf->own->references > 0)
		return;
	secret_wipe(&conf->own->secrets);
	arena_wipe(&conf->own->arena);
	sodium_memzero(conf, sizeof(struct whole)); /* of which it is the first member */
	free(conf);
}

/* One line of our own making: faults that have no place in the file. */
static void
tell(const struct file *file, const char *what, const char *why)
{
	struct buf b;

	buf_init(&b, 16384);
	buf_printf(&b, "%s: %s%s%s", file->name, what, *why == '\0' ? "" : ": ", why);
	buf_putc(&b, '\0');
	file->report(file->arg, b.failed ? "out of memory" : b.p);
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

/* True when there is nothing to complain about; the file's text is changed in place. */
static bool
read_text(const struct file *file, struct conf *conf)
{
	struct arena scratch;
	struct reader r = {.conf = conf,
	    .keep = &conf->own->arena,
	    .scratch = &scratch,
	    .running = file->running,
	    .files = file->files};
	bool starved, ok;

	arena_init(&scratch, ARENA_MAX);
	r.faults =
	    (struct faults){.arena = &scratch, .name = file->name, .text = {file->text, file->n}};
	r.defaults = arena_zalloc(&scratch, option_count * sizeof *r.defaults);
	conf->own->settings = arena_zalloc(r.keep, option_count * sizeof *conf->own->settings);
	if (r.defaults != NULL && conf->own->settings != NULL)
		read_tree(&r, file->text, file->n);
	fault_report(&r.faults, file->report, file->arg);
	starved = scratch.failed || r.keep->failed;
	ok = !r.faults.refused && !starved && derive_all(conf);
	/* Faults may have found no memory either. */
	if (starved || (!ok && !r.faults.refused))
		tell(file, "found no memory", "");
	arena_wipe(&scratch);
	return ok;
}

/* Takes the text over, and wipes and frees it whatever comes of it. */
static struct conf *
parse(struct file *file)
{
	struct conf *conf = make();

	if (conf == NULL) {
		tell(file, "found no memory", "");
	} else if (!read_text(file, conf)) {
		conf_release(conf);
		conf = NULL;
	}
	sodium_memzero(file->text, file->n);
	free(file->text);
	return conf;
}

struct conf *
conf_parse(const char *name, struct slice text, conf_report *report, void *arg)
{
	struct file file = {.name = name, .report = report, .arg = arg, .n = text.n};

	file.text = text.n > FILE_MAX ? NULL : malloc(text.n + 1);
	if (file.text == NULL) {
		tell(&file, text.n > FILE_MAX ? "is larger than 16MiB" : "found no memory", "");
		return NULL;
	}
	if (text.n > 0)
		memcpy(file.text, text.p, text.n);
	return parse(&file);
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

static bool
is_regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static struct conf *
load(struct file *file)
{
	int fd = open(file->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *why;

	if (fd < 0) {
		tell(file, "cannot be read", strerror(errno));
		return NULL;
	}
	why = is_regular(fd) ? read_all(fd, &file->text, &file->n) : "it is not a regular file";
	close(fd);
	if (why == NULL)
		return parse(file);
	tell(file, "cannot be read", why);
	if (file->text != NULL)
		sodium_memzero(file->text, file->n);
	free(file->text);
	return NULL;
}

struct conf *
conf_load(const char *path, const struct conf_files *files, conf_report *report, void *arg)
{
	return load(&(struct file){.name = path, .files = files, .report = report, .arg = arg});
}

struct conf *
conf_load_again(const char *path, const struct conf *running, const struct conf_files *files,
    conf_report *report, void *arg)
{
	return load(&(struct file){.name = path,
	    .running = running,
	    .files = files,
	    .report = report,
	    .arg = arg});
}
