/* One opener per kind of listener; each leaves errno or a sentence behind when it fails. */
#include "gateway/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/net.h"
#include "gateway/passed.h"

enum { BACKLOG = 4096, UNIX_MODE = 0660 };

/* ---- TCP --------------------------------------------------------------------------------- */

/* both: an IPv6 socket takes IPv4 too. */
static int
bind_tcp(const struct address *address, int port, bool both)
{
	struct sockaddr_storage name;
	socklen_t n = net_sockaddr(address, port, &name);
	int on = 1, only = !both, fd;

	fd = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (name.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
	if (bind(fd, (struct sockaddr *)&name, n) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	net_close(fd);
	return -1;
}

static int
open_tcp(const struct conf_listener *conf)
{
	struct address address;
	int fd;

	if (conf->host.n > 0)
		return address_parse(conf->host, &address) ? bind_tcp(&address, conf->port, false)
							   : -1;
	if (!address_parse(SLICE("::"), &address))
		return -1;
	fd = bind_tcp(&address, conf->port, true);
	if (fd < 0 && errno == EAFNOSUPPORT && address_parse(SLICE("0.0.0.0"), &address))
		fd = bind_tcp(&address, conf->port, false);
	return fd;
}

/* ---- unix -------------------------------------------------------------------------------- */

/* What a program that has died left behind: a socket on which nobody answers. */
static bool
is_stale(const struct sockaddr_un *name)
{
	bool refused;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	refused = fd >= 0 && connect(fd, (const struct sockaddr *)name, sizeof *name) != 0 &&
		  errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return refused;
}

static bool
bind_unix(int fd, const struct sockaddr_un *name)
{
	struct stat st;

	if (bind(fd, (const struct sockaddr *)name, sizeof *name) == 0)
		return true;
	if (errno != EADDRINUSE)
		return false;
	if (lstat(name->sun_path, &st) == 0 && !S_ISSOCK(st.st_mode)) {
		errno = ENOTSOCK;
		return false;
	}
	if (is_stale(name) && unlink(name->sun_path) == 0)
		return bind(fd, (const struct sockaddr *)name, sizeof *name) == 0;
	errno = EADDRINUSE;
	return false;
}

/* Nobody can connect before listen(), so the mode is in place in time. */
static int
open_unix(struct listening *l, const struct conf_listener *conf)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd < 0)
		return -1;
	memcpy(name.sun_path, conf->path.p, conf->path.n);
	if (!bind_unix(fd, &name)) {
		net_close(fd);
		return -1;
	}
	if (chmod(name.sun_path, UNIX_MODE) != 0 || listen(fd, BACKLOG) != 0 ||
	    lstat(name.sun_path, &st) != 0) {
		net_close(fd);
		unlink(name.sun_path);
		return -1;
	}
	memcpy(l->path, name.sun_path, sizeof l->path);
	l->device = st.st_dev;
	l->inode = st.st_ino;
	return fd;
}

/* ---- what it became ---------------------------------------------------------------------- */

/* A TCP listener is told as it was configured, a passed one as it is. */
static void
describe(struct listening *l, const struct conf_listener *conf)
{
	struct sockaddr_storage name;
	struct address address;
	bool v6 = conf->host.n > 0 && memchr(conf->host.p, ':', conf->host.n) != NULL;

	net_local(l->fd, &name);
	address = net_address(&name);
	l->local = name.ss_family == AF_UNIX || address_is_loopback(&address);
	if (conf->kind == LISTENER_TCP)
		snprintf(l->text, sizeof l->text, "%s%.*s%s:%d", v6 ? "[" : "", (int)conf->host.n,
		    conf->host.p, v6 ? "]" : "", net_port(&name));
	else
		net_text(&name, l->text);
}

int
socket_listen(struct listening *l, const struct conf_listener *conf, size_t nth, char why[256])
{
	int on = 1;

	*l = (struct listening){.passed = conf->kind == LISTENER_SYSTEMD};
	errno = 0;
	if (l->passed)
		l->fd = passed_socket(nth, why);
	else
		l->fd = conf->kind == LISTENER_UNIX ? open_unix(l, conf) : open_tcp(conf);
	if (l->fd >= 0) {
		/* What is accepted has it from here. */
		setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		describe(l, conf);
		return 0;
	}
	if (!l->passed)
		snprintf(why, 256, "cannot listen on %.*s: %s", (int)conf->address.n,
		    conf->address.p,
		    errno == ENOTSOCK ? "there is a file that is no socket" : strerror(errno));
	return -1;
}

void
socket_close(struct listening *l)
{
	struct stat st;

	if (l->path[0] != '\0' && lstat(l->path, &st) == 0 && st.st_dev == l->device &&
	    st.st_ino == l->inode)
		unlink(l->path);
	if (!l->passed)
		close(l->fd);
}
