/*
 * `dump` and `backup`: the state of a gateway that may be running.
 *
 * While a reader holds a snapshot, pages that the gateway frees are not used again and its file
 * grows. Both therefore hold one only for as long as a copy takes. What a slow reader of the dump
 * is given comes from such a copy, a file without a name that goes with the process.
 *
 *	backup   DATA ── snapshot ──> DEST.XXXXXX/data.mdb ── fsync, rename ──> DEST/data.mdb
 *	dump     DATA ── snapshot ──> a file without a name ── at leisure ──> standard output
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/command.h"
#include "gateway/dump.h"

enum { WHY_SIZE = 256, OPTION_NO_PAYLOAD = 256 };

/* False with a sentence in why; found: there is a store. */
static bool
copy_to(const char *data, int fd, bool *found, char why[WHY_SIZE])
{
	struct store *store = store_open_reader(data, why);
	bool ok = store != NULL && store_copy(store, fd, why);

	*found = store != NULL;
	store_close(store);
	return ok;
}

/* ---- dump -------------------------------------------------------------------------------- */

/* A file of our own that has no name any more; -1 with errno set. */
static int
nameless_file(const char *dir)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof path, "%s/tocsin-dump-XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

/* The copy's rows to standard output; the exit status. */
static int
print_copy(int fd, bool payload)
{
	char path[32], why[WHY_SIZE];
	struct store *store;
	struct txn *txn;
	int bad = -1;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	store = store_open_copy(path, why);
	if (store == NULL)
		return command_failed("dump", "%s", why);
	txn = store_read(store);
	if (txn != NULL)
		bad = dump_store(txn, payload, stdout);
	store_abort(txn);
	store_close(store);
	if (bad < 0)
		return command_failed("dump", "cannot write it all: %s", strerror(errno));
	return bad == 0 ? 0
			: command_failed("dump", "%d row%s could not be read", bad,
			      bad == 1 ? "" : "s");
}

static const char *
take_no_payload(void *arg, int id, const char *value)
{
	(void)id;
	(void)value;
	*(bool *)arg = false;
	return NULL;
}

static int
run_dump(int argc, char **argv)
{
	const char *dir = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/var/tmp";
	char why[WHY_SIZE];
	bool payload = true, found;
	int first = command_read(argc, argv, 1, take_no_payload, &payload), fd, result;

	if (first < 0)
		return 2;
	if (first == argc)
		return command_wrong("dump", "the directory of the state is missing");
	fd = nameless_file(dir);
	if (fd < 0)
		return command_failed("dump", "no file for a copy in %s: %s", dir, strerror(errno));
	if (copy_to(argv[first], fd, &found, why))
		result = print_copy(fd, payload);
	else if (!found)
		result = command_failed("dump", "%s", why);
	else
		result = command_failed("dump", "%s (the copy is made in %s; TMPDIR names another "
						"place)", why, dir);
	close(fd);
	return result;
}

static const struct command_option dump_options[] = {
    {OPTION_NO_PAYLOAD, "no-payload", NULL, "leaves out what senders wrote: messages, titles, "
	"fields, notes, bodies; entity ids stay"}, {0}};

const struct command command_dump = {.name = "dump",
    .usage = "[--no-payload] DATA",
    .summary = "prints the state as text, of a running gateway too",
    .detail = "Prints the state in the directory DATA, a JSON object a line for each row, table by "
	      "table: alerts, incidents, deliveries, what waits, what became of traces. It is all "
	      "of one moment. No secret is in it; alerts are, as they came.\n\n"
	      "It is printed from a copy, so that a gateway is not held up by whoever reads it "
	      "slowly. The copy is a file without a name in $TMPDIR, or /var/tmp, and as large as "
	      "the state in use.",
    .options = dump_options,
    .run = run_dump};

/* ---- backup ------------------------------------------------------------------------------ */

/* What has to go if the backup does not come to its end; empty: nothing. */
static char unfinished[PATH_MAX], unfinished_file[PATH_MAX + 16];

static void
remove_unfinished(void)
{
	unlink(unfinished_file);
	rmdir(unfinished);
}

static void
on_signal(int number)
{
	remove_unfinished();
	signal(number, SIG_DFL);
	raise(number);
}

/* Whether there is nothing at that place but perhaps an empty directory; errno says what is. */
static bool
is_free(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool empty = true;

	if (dir == NULL)
		return errno == ENOENT;
	while (empty && (entry = readdir(dir)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	closedir(dir);
	if (!empty)
		errno = ENOTEMPTY;
	return empty;
}

static bool
flush_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Makes a directory beside dest and the copy in it, durable. False with a sentence in why. */
static bool
fill_unfinished(const char *data, const char *dest, char why[WHY_SIZE])
{
	static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	bool ok, found;
	int fd;

	signal(SIGXFSZ, SIG_IGN); /* a limit on sizes is an error like a full disk */
	snprintf(unfinished, sizeof unfinished, "%s.XXXXXX", dest);
	for (size_t i = 0; i < COUNT_OF(deadly); i++)
		if (signal(deadly[i], on_signal) == SIG_IGN)
			signal(deadly[i], SIG_IGN);
	if (mkdtemp(unfinished) == NULL) {
		snprintf(why, WHY_SIZE, "cannot make %.200s: %s", unfinished, strerror(errno));
		unfinished[0] = '\0';
		return false;
	}
	snprintf(unfinished_file, sizeof unfinished_file, "%s/data.mdb", unfinished);
	fd = open(unfinished_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ok = fd >= 0 && fchmod(fd, 0600) == 0;
	if (ok && !copy_to(data, fd, &found, why)) {
		close(fd);
		return false;
	}
	ok = ok && fsync(fd) == 0 && flush_dir(unfinished);
	if (!ok)
		snprintf(why, WHY_SIZE, "cannot write %.200s: %s", unfinished, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

struct rows {
	uint64_t alerts, incidents, all;
};

static void
count_rows(void *arg, const char *table, uint64_t n)
{
	struct rows *rows = arg;

	rows->all += n;
	if (strcmp(table, "alerts") == 0)
		rows->alerts = n;
	else if (strcmp(table, "incidents") == 0)
		rows->incidents = n;
}

/* Opens what was written, as a gateway will. */
static bool
look_into(struct rows *rows, char why[WHY_SIZE])
{
	struct store *store = store_open_copy(unfinished_file, why);
	struct txn *txn = store == NULL ? NULL : store_read(store);

	if (txn != NULL)
		store_count(txn, count_rows, rows);
	store_abort(txn);
	store_close(store);
	return txn != NULL && rows->all > 0;
}

/* Gives the copy its name. dest has a directory above it that can be opened. */
static bool
put_in_place(const char *dest, char why[WHY_SIZE])
{
	char above[PATH_MAX];

	if (rename(unfinished, dest) != 0) {
		snprintf(why, WHY_SIZE, "cannot name it %.200s: %s", dest, strerror(errno));
		return false;
	}
	snprintf(above, sizeof above, "%s", dest);
	if (flush_dir(dirname(above)))
		return true;
	snprintf(why, WHY_SIZE, "cannot flush %.200s: %s", above, strerror(errno));
	return false;
}

static int
run_backup(int argc, char **argv)
{
	int first = command_read(argc, argv, 2, NULL, NULL);
	char dest[PATH_MAX - 16], why[WHY_SIZE] = "it cannot be read";
	struct rows rows = {0};
	size_t n;

	if (first < 0)
		return 2;
	if (argc - first < 2)
		return command_wrong("backup", "the directory of the state, or that of the copy, "
					       "is missing");
	snprintf(dest, sizeof dest, "%s", argv[first + 1]);
	for (n = strlen(dest); n > 1 && dest[n - 1] == '/'; n--)
		dest[n - 1] = '\0';
	if (!is_free(dest))
		return command_failed("backup", "%s: %s", dest, strerror(errno));
	if (!fill_unfinished(argv[first], dest, why) || !look_into(&rows, why) ||
	    !put_in_place(dest, why)) {
		remove_unfinished();
		return command_failed("backup", "%s", why);
	}
	printf("%s holds %llu incident%s and %llu alert%s\n", dest,
	    (unsigned long long)rows.incidents, rows.incidents == 1 ? "" : "s",
	    (unsigned long long)rows.alerts, rows.alerts == 1 ? "" : "s");
	return 0;
}

const struct command command_backup = {.name = "backup",
    .usage = "DATA DEST",
    .summary = "copies the state, of a running gateway too",
    .detail = "Copies the state in the directory DATA into a new directory DEST, which a gateway "
	      "can use as its \"data\". The copy is of one moment, on disk when the command ends, "
	      "and for its owner's eyes only. DEST must not exist, or be empty; until the copy is "
	      "whole it has another name, so that there is never half of one.\n\n"
	      "A gateway started on a copy delivers again what was undelivered then. Do not run it "
	      "beside the one that the copy was made of.",
    .run = run_backup};
