/* The sockets are the descriptors from 3 on; LISTEN_FDS says how many. */
#include "gateway/passed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/log.h"
#include "gateway/net.h"

enum { FIRST = 3, MOST = 1024 };

static int count;
static bool settled, closed;

/* The variable's number; 0 if it is not one. */
static long
read_number(const char *variable)
{
	const char *text = getenv(variable);
	char *end;
	long number = text == NULL ? 0 : strtol(text, &end, 10);

	return text == NULL || *end != '\0' ? 0 : number;
}

/* Not for processes that we start, and accepting must never wait. */
static void
prepare(int fd)
{
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void
passed_start(void)
{
	long sockets = read_number("LISTEN_FDS");

	if (read_number("LISTEN_PID") == getpid() && sockets > 0)
		count = sockets > MOST ? MOST : (int)sockets;
	for (int i = 0; i < count; i++)
		prepare(FIRST + i);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

int
passed_count(void)
{
	return count;
}

static void
close_unused(int fd)
{
	struct sockaddr_storage name;
	char text[NET_TEXT] = "";

	net_local(fd, &name);
	if (name.ss_family != 0)
		net_text(&name, text);
	log_begin(LOG_LEVEL_WARNING, "server.warning",
	    "a socket that the service manager passed is closed: no \"systemd\" listener takes it");
	log_text("server.address", slice_of(text));
	log_end();
	close(fd);
	closed = true;
}

void
passed_settle(size_t n)
{
	if (settled)
		return;
	settled = true;
	for (int i = (int)n; i < count; i++)
		close_unused(FIRST + i);
	count = (int)n < count ? (int)n : count;
}

static bool
is(int fd, int option, int value)
{
	socklen_t n = sizeof value;
	int got = 0;

	return getsockopt(fd, SOL_SOCKET, option, &got, &n) == 0 && got == value;
}

int
passed_socket(size_t n, char why[256])
{
	int fd = FIRST + (int)n;

	if (n >= (size_t)count) {
		snprintf(why, 256,
		    "the service manager passed %d sockets (LISTEN_FDS)%s, \"systemd\" is given "
		    "%zu times or more",
		    count, closed ? " that a listener had at the start" : "", n + 1);
		return -1;
	}
	if (!is(fd, SO_ACCEPTCONN, 1) || !is(fd, SO_TYPE, SOCK_STREAM)) {
		snprintf(why, 256,
		    "socket %zu of the service manager's does not listen for connections", n + 1);
		return -1;
	}
	return fd;
}
