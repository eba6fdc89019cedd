/*
 * Listeners. At most 32 connections are accepted a pass, so that a flood of them is no long turn.
 * Out of descriptors, or at the limit, accepting stops until a tick finds room: a listener that
 * stays readable would spin.
 */
#include "gateway/in_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/net.h"

enum { ACCEPT_MOST = 32, BACKLOG = 4096 };

struct in_listener {
	struct event *event;
	int fd;
	unsigned surfaces;
	bool loopback;
	LIST_ENTRY(in_listener) next;
};

void
in_accept_on(bool accepting)
{
	struct in_listener *listener;

	if (in.accepting == accepting)
		return;
	in.accepting = accepting;
	LIST_FOREACH (listener, &in.listeners, next)
		if (accepting)
			event_add(listener->event, NULL);
		else
			event_del(listener->event);
}

static bool
out_of_descriptors(void)
{
	return errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct in_listener *listener = arg;
	struct sockaddr_storage name;
	struct address peer;
	socklen_t n;
	int client;

	(void)what;
	for (int i = 0; i < ACCEPT_MOST; i++) {
		if (in.count >= in.limits.connections) {
			in_accept_on(false);
			return;
		}
		n = sizeof name;
		client = accept4(fd, (struct sockaddr *)&name, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client >= 0) {
			peer = net_address(&name);
			in_add(client, &peer, listener->surfaces, listener->loopback);
		} else if (out_of_descriptors()) {
			in_accept_on(false);
			return;
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

static int
bind_socket(const struct address *address, int port)
{
	struct sockaddr_storage name;
	socklen_t n = net_sockaddr(address, port, &name);
	int on = 1, fd;

	fd = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&name, n) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Without a host: all addresses, IPv6 and IPv4; only IPv4 where the kernel has no IPv6. */
static int
bind_listener(const struct conf_listener *conf)
{
	struct address address;
	int fd;

	if (conf->host.n > 0)
		return address_parse(conf->host, &address) ? bind_socket(&address, conf->port) : -1;
	if (!address_parse(SLICE("::"), &address))
		return -1;
	fd = bind_socket(&address, conf->port);
	if (fd < 0 && errno == EAFNOSUPPORT && address_parse(SLICE("0.0.0.0"), &address))
		fd = bind_socket(&address, conf->port);
	return fd;
}

static struct in_listener *
new_listener(int fd, const struct conf_listener *conf)
{
	struct in_listener *listener = calloc(1, sizeof *listener);

	if (listener == NULL)
		return NULL;
	listener->event = event_new(in.base, fd, EV_READ | EV_PERSIST, on_accept, listener);
	if (listener->event == NULL) {
		free(listener);
		return NULL;
	}
	listener->fd = fd;
	listener->surfaces = conf->serve;
	listener->loopback = conf->loopback;
	event_add(listener->event, NULL);
	LIST_INSERT_HEAD(&in.listeners, listener, next);
	return listener;
}

int
in_listen(const struct conf_listener *conf, int *port, char why[256])
{
	int fd = bind_listener(conf);

	if (fd < 0 || new_listener(fd, conf) == NULL) {
		snprintf(why, 256, "cannot listen on %.*s: %s", (int)conf->address.n,
		    conf->address.p, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*port = net_local_port(fd);
	return 0;
}

void
in_close_listeners(void)
{
	struct in_listener *listener;

	while ((listener = LIST_FIRST(&in.listeners)) != NULL) {
		LIST_REMOVE(listener, next);
		event_free(listener->event);
		close(listener->fd);
		free(listener);
	}
}
