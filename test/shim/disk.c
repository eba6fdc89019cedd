/*
 * Loaded in front of the program (LD_PRELOAD): records what it does to its data directory, and what
 * it says to others in between, in the order in which it happens.
 *
 * $TOCSIN_DISK names the file that records are added to, $TOCSIN_DATA the directory. A record:
 *
 *   kind   1 byte   M  the directory was made      C  a file was created     U  removed
 *                   R  renamed; the data is the old name
 *                   W  is written to               S  the last write was flushed by itself
 *                   F  all of a file was flushed   T  is truncated
 *                   D  the directory was flushed; name "..": the one above
 *                   A  an answer: the data goes out on a connection that was accepted
 *                   Q  a request: on one that was made
 *   name   1 byte   its length; it follows the numbers
 *   offset 8 bytes  W: in the file; T: the new size
 *   size   8 bytes  of the data, which follows the name
 *
 * A write is recorded before it is made, a flush after it. Files that are mapped for writing are
 * not seen: the only one is LMDB's lock.mdb, of which nothing need last.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DESCRIPTORS = 65536, NAME_MOST = 64 };
enum role { OTHER, FILE_PLAIN, FILE_SYNC, DIRECTORY, ABOVE, IN, OUT };

static struct {
	uint8_t role;
	char name[NAME_MOST]; /* of a file in the directory */
} known[DESCRIPTORS];

static int record_fd = -1;
static char data_path[4096]; /* as the program says it */

#define REAL(name)                                                                                 \
	static __typeof__(&name) real;                                                             \
	if (real == NULL)                                                                          \
		real = (__typeof__(&name))find(#name)

static void *
find(const char *name)
{
	void *real = dlsym(RTLD_NEXT, name);

	if (real == NULL)
		abort();
	return real;
}

/* ---- records ----------------------------------------------------------------------------- */

static void
put_record(char kind, const char *name, uint64_t offset, const struct iovec *data, int pieces)
{
	static __typeof__(&writev) real_writev;
	uint8_t head[18] = {(uint8_t)kind, (uint8_t)strlen(name)};
	struct iovec all[66] = {{head, sizeof head}, {(void *)name, strlen(name)}};
	uint64_t size = 0;
	ssize_t total = (ssize_t)(sizeof head + strlen(name));

	if (record_fd < 0)
		return;
	if (real_writev == NULL)
		real_writev = (__typeof__(&writev))find("writev");
	for (int i = 0; i < pieces; i++) {
		all[2 + i] = data[i];
		size += data[i].iov_len;
	}
	memcpy(head + 2, &offset, sizeof offset);
	memcpy(head + 10, &size, sizeof size);
	if (real_writev(record_fd, all, 2 + pieces) != total + (ssize_t)size)
		abort(); /* a record that is not whole is worth nothing */
}

static void
put_event(char kind, const char *name)
{
	put_record(kind, name, 0, NULL, 0);
}

static void __attribute__((constructor))
start(void)
{
	const char *path = getenv("TOCSIN_DISK"), *data = getenv("TOCSIN_DATA");

	if (path == NULL || data == NULL)
		return;
	snprintf(data_path, sizeof data_path, "%s", data);
	record_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* ---- what descriptors are ---------------------------------------------------------------- */

static enum role
role_of(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS ? known[fd].role : OTHER;
}

static void
know(int fd, enum role role, const char *name)
{
	if (fd < 0 || fd >= DESCRIPTORS)
		return;
	known[fd].role = (uint8_t)role;
	snprintf(known[fd].name, sizeof known[fd].name, "%s", name);
}

/* The last part of a path into the directory; NULL: it leads elsewhere. */
static const char *
inside(int dir, const char *path)
{
	size_t n = strlen(data_path);

	if (role_of(dir) == DIRECTORY && strchr(path, '/') == NULL && path[0] != '.')
		return path;
	if (n > 0 && strncmp(path, data_path, n) == 0 && path[n] == '/')
		return path + n + 1;
	return NULL;
}

static void
opened(int fd, int dir, const char *path, int flags, bool fresh)
{
	const char *name = inside(dir, path);

	if (fd < 0)
		return;
	if (strcmp(path, data_path) == 0)
		know(fd, DIRECTORY, "");
	else if (role_of(dir) == DIRECTORY && strcmp(path, "..") == 0)
		know(fd, ABOVE, "");
	else if (name != NULL)
		know(fd, flags & O_DSYNC ? FILE_SYNC : FILE_PLAIN, name);
	else
		know(fd, OTHER, "");
	if (name != NULL && fresh)
		put_event('C', name);
	if (name != NULL && flags & O_TRUNC)
		put_record('T', name, 0, NULL, 0);
}

static int
open_any(int dir, const char *path, int flags, mode_t mode)
{
	REAL(openat);
	bool fresh = flags & O_CREAT && faccessat(dir, path, F_OK, 0) != 0;
	int fd = real(dir, path, flags, mode);

	opened(fd, dir, path, flags, fresh);
	return fd;
}

static mode_t
mode_of(int flags, va_list args)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

int
open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return open_any(AT_FDCWD, path, flags, mode);
}

int
openat(int dir, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return open_any(dir, path, flags, mode);
}

int
close(int fd)
{
	REAL(close);
	know(fd, OTHER, "");
	return real(fd);
}

/* ---- changes ----------------------------------------------------------------------------- */

static void
writing(int fd, const struct iovec *pieces, int n, off_t at)
{
	enum role role = role_of(fd);

	if (role != FILE_PLAIN && role != FILE_SYNC)
		return;
	if (at < 0)
		at = lseek(fd, 0, SEEK_CUR);
	put_record('W', known[fd].name, (uint64_t)at, pieces, n);
}

static void
written(int fd, ssize_t put)
{
	if (role_of(fd) == FILE_SYNC && put >= 0)
		put_event('S', known[fd].name);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	REAL(write);
	ssize_t put;

	writing(fd, &(struct iovec){(void *)p, n}, 1, -1);
	put = real(fd, p, n);
	written(fd, put);
	return put;
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	REAL(pwrite);
	ssize_t put;

	writing(fd, &(struct iovec){(void *)p, n}, 1, at);
	put = real(fd, p, n, at);
	written(fd, put);
	return put;
}

ssize_t
writev(int fd, const struct iovec *pieces, int n)
{
	REAL(writev);
	ssize_t put;

	writing(fd, pieces, n, -1);
	put = real(fd, pieces, n);
	written(fd, put);
	return put;
}

static void
flushed(int fd)
{
	enum role role = role_of(fd);

	if (role == FILE_PLAIN || role == FILE_SYNC)
		put_event('F', known[fd].name);
	else if (role == DIRECTORY || role == ABOVE)
		put_event('D', role == DIRECTORY ? "" : "..");
}

int
fsync(int fd)
{
	REAL(fsync);
	int result = real(fd);

	if (result == 0)
		flushed(fd);
	return result;
}

int
fdatasync(int fd)
{
	REAL(fdatasync);
	int result = real(fd);

	if (result == 0)
		flushed(fd);
	return result;
}

int
ftruncate(int fd, off_t size)
{
	REAL(ftruncate);

	if (role_of(fd) == FILE_PLAIN || role_of(fd) == FILE_SYNC)
		put_record('T', known[fd].name, (uint64_t)size, NULL, 0);
	return real(fd, size);
}

int
mkdir(const char *path, mode_t mode)
{
	REAL(mkdir);
	int result = real(path, mode);

	if (result == 0 && strcmp(path, data_path) == 0)
		put_event('M', "");
	return result;
}

static void
renamed(const char *from, const char *to)
{
	if (from != NULL && to != NULL)
		put_record('R', to, 0, &(struct iovec){(void *)from, strlen(from)}, 1);
}

int
rename(const char *from, const char *to)
{
	REAL(rename);
	int result = real(from, to);

	if (result == 0)
		renamed(inside(AT_FDCWD, from), inside(AT_FDCWD, to));
	return result;
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	REAL(renameat);
	int result = real(from_dir, from, to_dir, to);

	if (result == 0)
		renamed(inside(from_dir, from), inside(to_dir, to));
	return result;
}

int
unlink(const char *path)
{
	REAL(unlink);
	int result = real(path);

	if (result == 0 && inside(AT_FDCWD, path) != NULL)
		put_event('U', inside(AT_FDCWD, path));
	return result;
}

int
unlinkat(int dir, const char *path, int flags)
{
	REAL(unlinkat);
	int result = real(dir, path, flags);

	if (result == 0 && inside(dir, path) != NULL)
		put_event('U', inside(dir, path));
	return result;
}

/* Ways to write that the records do not know: better no campaign than a wrong one. */
#define UNKNOWN(...)                                                                               \
	do {                                                                                       \
		if (role_of(fd) == FILE_PLAIN || role_of(fd) == FILE_SYNC)                         \
			abort();                                                                   \
		return real(__VA_ARGS__);                                                          \
	} while (0)

ssize_t
pwritev(int fd, const struct iovec *pieces, int n, off_t at)
{
	REAL(pwritev);
	UNKNOWN(fd, pieces, n, at);
}

int
sync_file_range(int fd, off64_t at, off64_t n, unsigned flags)
{
	REAL(sync_file_range);
	UNKNOWN(fd, at, n, flags);
}

int
fallocate(int fd, int mode, off_t at, off_t n)
{
	REAL(fallocate);
	UNKNOWN(fd, mode, at, n);
}

void *
mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	REAL(mmap);

	if (protection & PROT_WRITE && flags & MAP_SHARED && role_of(fd) == FILE_PLAIN &&
	    strcmp(known[fd].name, "lock.mdb") != 0)
		abort();
	return real(at, n, protection, flags, fd, offset);
}

/* ---- what others were told --------------------------------------------------------------- */

int
accept4(int fd, struct sockaddr *name, socklen_t *n, int flags)
{
	REAL(accept4);
	int client = real(fd, name, n, flags);

	know(client, IN, "");
	return client;
}

int
connect(int fd, const struct sockaddr *name, socklen_t n)
{
	REAL(connect);
	know(fd, OUT, "");
	return real(fd, name, n);
}

ssize_t
send(int fd, const void *p, size_t n, int flags)
{
	REAL(send);
	enum role role = role_of(fd);

	if (role == IN || role == OUT)
		put_record(role == IN ? 'A' : 'Q', "", 0, &(struct iovec){(void *)p, n}, 1);
	return real(fd, p, n, flags);
}
