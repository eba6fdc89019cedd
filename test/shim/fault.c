/*
 * Loaded in front of the program (LD_PRELOAD): counts its allocations and system calls, makes the
 * chosen ones fail, or kills the process at them.
 *
 * $TOCSIN_FAULT names a file of rules, which stays mapped and is shared with the test, so that
 * rules can be changed and counts be read while the program runs:
 *
 *   struct rule: which call; how many were seen; from which one on, and how many, what to do
 *
 * Which call is said by name and, for files and sockets, by what the descriptor is:
 *
 *   pages, meta         writes of LMDB's pages; of its meta page, which is a descriptor of its own
 *   send_in, recv_in    on connections that were accepted
 *   send_out, recv_out  on connections that were made
 *   log                 all other writes
 *   malloc, crypto      allocations; OpenSSL's, of which there are thousands
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define CALLS(X)                                                                                   \
	X(malloc) X(crypto) X(open) X(mkdir) X(flock) X(mmap) X(fsync) X(fdatasync) X(pages)       \
	X(meta) X(log) X(socket) X(bind) X(listen) X(accept) X(connect) X(send_in) X(recv_in)      \
	X(send_out) X(recv_out) X(epoll_create) X(epoll_ctl) X(epoll_wait) X(random)

#define CALL_NUMBER(name) CALL_##name,
enum call { CALLS(CALL_NUMBER) CALL_COUNT };

#define CALL_NAME(name) #name,
static const char *const call_names[] = {CALLS(CALL_NAME)};

enum action { FAIL = 1, KILL_BEFORE = 2, KILL_AFTER = 3, PART = 4 };

struct rule {
	char call[16];
	uint64_t seen;        /* calls so far */
	uint64_t from, count; /* the action is for calls number from, ..., from + count - 1 */
	int32_t error;        /* FAIL: errno */
	int32_t action;       /* PART: half of what is to be written is */
};

enum { DESCRIPTORS = 65536 };
enum role { OTHER, PAGES, META, IN, OUT };

static struct rule *rules[CALL_COUNT];
static uint8_t roles[DESCRIPTORS];

static void __attribute__((constructor))
load_rules(void)
{
	const char *path = getenv("TOCSIN_FAULT");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	struct stat st;
	struct rule *file;

	if (fd < 0 || fstat(fd, &st) != 0)
		return;
	file = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	for (size_t i = 0; i < (size_t)st.st_size / sizeof *file; i++)
		for (int call = 0; call < CALL_COUNT; call++)
			if (strcmp(file[i].call, call_names[call]) == 0)
				rules[call] = &file[i];
}

static void
die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

/* With $TOCSIN_FAULT_TRACE: where the call comes from, for addr2line(1). */
static void
show(const struct rule *rule)
{
	static bool showing;
	void *frames[40];

	if (showing || getenv("TOCSIN_FAULT_TRACE") == NULL)
		return;
	showing = true; /* backtrace() allocates */
	dprintf(STDERR_FILENO, "%s %llu\n", rule->call, (unsigned long long)rule->seen);
	backtrace_symbols_fd(frames, backtrace(frames, 40), STDERR_FILENO);
	showing = false;
}

/* Counts the call; what is to be done about it. */
static int
enter(enum call call)
{
	struct rule *rule = rules[call];

	if (rule == NULL || ++rule->seen < rule->from || rule->seen >= rule->from + rule->count)
		return 0;
	show(rule);
	if (rule->action == KILL_BEFORE)
		die();
	if (rule->action == FAIL)
		errno = rule->error;
	return rule->action;
}

static void
leave(int action)
{
	if (action == KILL_AFTER)
		die();
}

static void *
find(const char *name)
{
	void *real = dlsym(RTLD_NEXT, name);

	if (real == NULL)
		abort();
	return real;
}

#define REAL(name)                                                                                 \
	static __typeof__(&name) real;                                                             \
	if (real == NULL)                                                                          \
		real = (__typeof__(&name))find(#name)

/* The whole of a function that has nothing else to be done. */
#define PASS(call, failed, ...)                                                                    \
	do {                                                                                       \
		int action = enter(call);                                                          \
		if (action == FAIL)                                                                \
			return failed;                                                             \
		__typeof__(real(__VA_ARGS__)) result = real(__VA_ARGS__);                          \
		leave(action);                                                                     \
		return result;                                                                     \
	} while (0)

static enum role
role_of(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS ? roles[fd] : OTHER;
}

static int
known_as(int fd, enum role role)
{
	if (fd >= 0 && fd < DESCRIPTORS)
		roles[fd] = (uint8_t)role;
	return fd;
}

/* ---- memory ------------------------------------------------------------------------------ */

static uintptr_t crypto_from, crypto_to; /* where libcrypto's code is */

static int
find_crypto(struct dl_phdr_info *library, size_t n, void *arg)
{
	(void)n;
	(void)arg;
	if (strstr(library->dlpi_name, "libcrypto") == NULL)
		return 0;
	for (int i = 0; i < library->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &library->dlpi_phdr[i];

		if (part->p_type == PT_LOAD && part->p_flags & PF_X) {
			crypto_from = library->dlpi_addr + part->p_vaddr;
			crypto_to = crypto_from + part->p_memsz;
		}
	}
	return 1;
}

static void __attribute__((constructor))
look_for_crypto(void)
{
	dl_iterate_phdr(find_crypto, NULL);
}

#define ALLOCATION                                                                                 \
	((uintptr_t)__builtin_return_address(0) - crypto_from < crypto_to - crypto_from            \
		? CALL_crypto                                                                      \
		: CALL_malloc)

void *
malloc(size_t n)
{
	REAL(malloc);
	PASS(ALLOCATION, NULL, n);
}

void *
calloc(size_t n, size_t size)
{
	REAL(calloc);
	PASS(ALLOCATION, NULL, n, size);
}

void *
realloc(void *p, size_t n)
{
	REAL(realloc);
	PASS(ALLOCATION, NULL, p, n);
}

int
posix_memalign(void **p, size_t alignment, size_t n)
{
	REAL(posix_memalign);
	PASS(ALLOCATION, ENOMEM, p, alignment, n);
}

void *
mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	REAL(mmap);
	PASS(CALL_mmap, MAP_FAILED, at, n, protection, flags, fd, offset);
}

/* ---- files ------------------------------------------------------------------------------- */

static enum role
role_of_file(const char *path, int flags)
{
	size_t n = strlen(path);

	if (n < 8 || strcmp(path + n - 8, "data.mdb") != 0)
		return OTHER;
	return flags & O_DSYNC ? META : PAGES;
}

static int
opened(int dir, const char *path, int flags, mode_t mode)
{
	REAL(openat);
	int action = enter(CALL_open), fd;

	if (action == FAIL)
		return -1;
	fd = known_as(real(dir, path, flags, mode), role_of_file(path, flags));
	leave(action);
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
	return opened(AT_FDCWD, path, flags, mode);
}

int
openat(int dir, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return opened(dir, path, flags, mode);
}

FILE *
fopen(const char *path, const char *mode)
{
	REAL(fopen);
	PASS(CALL_open, NULL, path, mode);
}

int
mkdir(const char *path, mode_t mode)
{
	REAL(mkdir);
	PASS(CALL_mkdir, -1, path, mode);
}

int
flock(int fd, int what)
{
	REAL(flock);
	PASS(CALL_flock, -1, fd, what);
}

int
fsync(int fd)
{
	REAL(fsync);
	PASS(CALL_fsync, -1, fd);
}

int
fdatasync(int fd)
{
	REAL(fdatasync);
	PASS(CALL_fdatasync, -1, fd);
}

static enum call
write_call(int fd)
{
	enum role role = role_of(fd);

	return role == PAGES  ? CALL_pages
	       : role == META ? CALL_meta
	       : role == IN   ? CALL_send_in
	       : role == OUT  ? CALL_send_out
			      : CALL_log;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	REAL(write);
	int action = enter(write_call(fd));
	ssize_t put;

	if (action == FAIL)
		return -1;
	put = real(fd, p, action == PART ? n / 2 : n);
	leave(action);
	return put;
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	REAL(pwrite);
	int action = enter(write_call(fd));
	ssize_t put;

	if (action == FAIL)
		return -1;
	put = real(fd, p, action == PART ? n / 2 : n, at);
	leave(action);
	return put;
}

/* A part of it: the first half of the pieces. */
ssize_t
writev(int fd, const struct iovec *pieces, int n)
{
	REAL(writev);
	int action = enter(write_call(fd));
	ssize_t put;

	if (action == FAIL)
		return -1;
	put = real(fd, pieces, action == PART ? n / 2 : n);
	leave(action);
	return put;
}

/* Only of OpenSSL: what is not a socket has nothing to be counted for. */
ssize_t
read(int fd, void *p, size_t n)
{
	REAL(read);
	if (role_of(fd) != IN && role_of(fd) != OUT)
		return real(fd, p, n);
	PASS(role_of(fd) == IN ? CALL_recv_in : CALL_recv_out, -1, fd, p, n);
}

int
close(int fd)
{
	REAL(close);
	known_as(fd, OTHER);
	return real(fd);
}

/* ---- sockets and the loop ---------------------------------------------------------------- */

int
socket(int domain, int type, int protocol)
{
	REAL(socket);
	PASS(CALL_socket, -1, domain, type, protocol);
}

int
bind(int fd, const struct sockaddr *name, socklen_t n)
{
	REAL(bind);
	PASS(CALL_bind, -1, fd, name, n);
}

int
listen(int fd, int backlog)
{
	REAL(listen);
	PASS(CALL_listen, -1, fd, backlog);
}

int
accept4(int fd, struct sockaddr *name, socklen_t *n, int flags)
{
	REAL(accept4);
	int action = enter(CALL_accept), client;

	if (action == FAIL)
		return -1;
	client = known_as(real(fd, name, n, flags), IN);
	leave(action);
	return client;
}

int
connect(int fd, const struct sockaddr *name, socklen_t n)
{
	REAL(connect);
	known_as(fd, OUT);
	PASS(CALL_connect, -1, fd, name, n);
}

ssize_t
send(int fd, const void *p, size_t n, int flags)
{
	REAL(send);
	if (role_of(fd) == OTHER)
		return real(fd, p, n, flags);
	PASS(role_of(fd) == IN ? CALL_send_in : CALL_send_out, -1, fd, p, n, flags);
}

ssize_t
recv(int fd, void *p, size_t n, int flags)
{
	REAL(recv);
	if (role_of(fd) == OTHER)
		return real(fd, p, n, flags);
	PASS(role_of(fd) == IN ? CALL_recv_in : CALL_recv_out, -1, fd, p, n, flags);
}

int
epoll_create1(int flags)
{
	REAL(epoll_create1);
	PASS(CALL_epoll_create, -1, flags);
}

int
epoll_ctl(int loop, int what, int fd, struct epoll_event *event)
{
	REAL(epoll_ctl);
	PASS(CALL_epoll_ctl, -1, loop, what, fd, event);
}

int
epoll_wait(int loop, struct epoll_event *events, int most, int ms)
{
	REAL(epoll_wait);
	PASS(CALL_epoll_wait, -1, loop, events, most, ms);
}

ssize_t
getrandom(void *p, size_t n, unsigned flags)
{
	REAL(getrandom);
	PASS(CALL_random, -1, p, n, flags);
}
