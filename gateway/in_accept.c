/*
 * Accepting. At most 32 connections are accepted a pass, so that a flood of them is no long turn.
 * At the limit the connection that has waited longest for a request, its first too, gives way, if
 * it has done so for a second; otherwise accepting stops until one ends, and those to come wait in
 * the kernel's queue. Out of descriptors it rests for a while. A listener that stays readable would
 * spin.
 */
#include "gateway/in_parts.h"

#include <errno.h>
#include <sys/socket.h>

#include "gateway/clock.h"
#include "gateway/log.h"
#include "gateway/net.h"

enum { ACCEPT_MOST = 32, REST_US = 100000 };

static void
accept_on(bool accepting)
{
	if (in.accepting == accepting)
		return;
	in.accepting = accepting;
	for (size_t i = 0; i < in.listener_count; i++)
		in_watch(in.listeners[i]->event, accepting);
}

void
in_tell_refused(const char *why)
{
	log_begin(LOG_LEVEL_WARNING, "server.warning", "a connection cannot be accepted: %s", why);
	log_end();
}

static bool
out_of_descriptors(void)
{
	return errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
}

static void
rest(void)
{
	in_tell_refused(strerror(errno));
	in.rests_until = clock_mono() + REST_US;
	accept_on(false);
}

/* The connection that makes room for another, or NULL. One that has not begun is no better than one
 * that is idle: who sends nothing, or a handshake byte by byte, would keep all others out. */
static struct in_conn *
giving_way(void)
{
	static const enum in_state states[] = {IN_IDLE, IN_PROXY, IN_SECURE};
	struct in_conn *longest = NULL, *c;

	for (size_t i = 0; i < COUNT_OF(states); i++) {
		c = TAILQ_FIRST(&in.lists[states[i]]);
		if (c != NULL && (longest == NULL || c->since < longest->since))
			longest = c;
	}
	return longest != NULL && clock_mono() - longest->since >= IN_GIVES_WAY ? longest : NULL;
}

static void
give_way(struct in_conn *c)
{
	if (in_is_opening(c))
		in_dismiss(c, METRICS_CONNECTIONS, "another one needed its place");
	else
		in_close(c);
}

static void
let_wait(void)
{
	metrics_refused(METRICS_CONNECTIONS);
	log_begin(LOG_LEVEL_WARNING, "server.warning",
	    "clients wait for a connection: all %zu are in use (limits.connections)",
	    in.limits.connections);
	log_end();
	accept_on(false);
}

void
in_accept_again(void)
{
	bool room = in.count < in.limits.connections || giving_way() != NULL;

	if (!in.accepting && room && clock_mono() >= in.rests_until)
		accept_on(true);
}

/* waits: there is one to accept for certain, for which another may give way. */
static bool
make_room(bool waits)
{
	struct in_conn *c;

	if (in.count < in.limits.connections)
		return true;
	if (!waits)
		return false;
	c = giving_way();
	if (c != NULL)
		give_way(c);
	else
		let_wait();
	return c != NULL;
}

void
in_on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct in_listener *listener = arg;
	struct sockaddr_storage name;
	struct address peer;
	socklen_t n;
	int client;

	(void)what;
	for (int i = 0; i < ACCEPT_MOST && make_room(i == 0); i++) {
		n = sizeof name;
		client = accept4(fd, (struct sockaddr *)&name, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client >= 0) {
			peer = net_address(&name);
			in_add(client, &peer, listener);
		} else if (out_of_descriptors()) {
			rest();
			return;
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

void
in_accept_all(void)
{
	for (size_t i = 0, before; i < in.listener_count; i++)
		do {
			before = in.count;
			in_on_accept(in.listeners[i]->socket.fd, EV_READ, in.listeners[i]);
		} while (in.count > before);
}
