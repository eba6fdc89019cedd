/*
 * Standard output is shared with other processes, so O_NONBLOCK may not be set on it: a pipe or
 * terminal is opened once more through /proc, which gives a description of our own, or, where it is
 * another user's and may not be, asked before each write; a socket is written with MSG_DONTWAIT; a
 * file plainly.
 */
#include "gateway/log_out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	int fd;
	bool socket;
	bool ask;     /* writing may block unless there is room */
	bool torn;    /* what is staged begins within a line */
	bool failing; /* the last write did */
	struct buf staged;
} out = {.fd = STDERR_FILENO};

static void
prepare(void)
{
	if (out.staged.ceiling == 0)
		buf_init(&out.staged, LOG_OUT_MOST);
}

static int
open_output(void)
{
	struct stat st;
	int fd;

	if (fstat(STDOUT_FILENO, &st) != 0)
		return STDOUT_FILENO;
	out.socket = S_ISSOCK(st.st_mode);
	if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
		return STDOUT_FILENO;
	fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	out.ask = fd < 0;
	return fd >= 0 ? fd : STDOUT_FILENO;
}

int
log_out_open(void)
{
	prepare();
	if (buf_room(&out.staged, LOG_OUT_LEAST) == NULL)
		return -1;
	out.fd = open_output();
	return 0;
}

bool
log_out_put(const struct buf *lines)
{
	prepare();
	return buf_put_all(&out.staged, lines);
}

bool
log_out_has_room(void)
{
	return out.staged.n <= LOG_OUT_MOST / 2 && !out.failing;
}

static ssize_t
put_out(const char *p, size_t n)
{
	struct pollfd room = {.fd = out.fd, .events = POLLOUT};

	if (out.socket)
		return send(out.fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (out.ask) {
		if (poll(&room, 1, 0) != 1)
			return 0;
		n = n < PIPE_BUF ? n : PIPE_BUF; /* as much as there is room for then */
	}
	return write(out.fd, p, n);
}

/* Lines of what is staged from byte `at` on. */
static uint64_t
count_lines(size_t at)
{
	uint64_t lines = 0;

	for (; at < out.staged.n; at++)
		lines += out.staged.p[at] == '\n';
	return lines;
}

/* Keeps the rest of a line that is half written, so that the next one begins where it should. */
static uint64_t
lose(void)
{
	size_t kept = 0;
	uint64_t lines;

	while (out.torn && out.staged.p[kept++] != '\n')
		continue;
	lines = count_lines(kept);
	buf_cut(&out.staged, kept);
	return lines;
}

uint64_t
log_out_flush(void)
{
	bool gone = false; /* other errors may pass: what is staged is tried again */
	ssize_t n;

	while (out.staged.n > 0) {
		n = put_out(out.staged.p, out.staged.n);
		if (n < 0 && errno == EINTR)
			continue;
		out.failing = n < 0 && errno != EAGAIN;
		gone = n < 0 && errno == EPIPE;
		if (n <= 0)
			break;
		out.torn = out.staged.p[n - 1] != '\n';
		buf_drop(&out.staged, (size_t)n);
	}
	return gone ? lose() : 0;
}

bool
log_out_wait(void)
{
	struct pollfd p = {.fd = out.fd, .events = POLLOUT};

	if (out.staged.n > 0)
		poll(&p, 1, 100);
	return out.staged.n > 0;
}

uint64_t
log_out_stop(void)
{
	uint64_t lines = count_lines(0);

	buf_free(&out.staged);
	out.torn = out.failing = false;
	return lines;
}
