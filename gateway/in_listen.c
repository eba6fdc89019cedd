/*
 * Listeners: a configuration's become the server's in one step, at start and at each reload.
 *
 *     in_prepare()  finds those that stay, opens those that are new   nothing has changed yet
 *     in_commit()   settings of all, accepting on the new ones; the others are closed, and their
 *                   connections end behind the request they are at
 *
 * At most 32 connections are accepted a pass, so that a flood of them is no long turn. At the limit
 * the connection that has waited longest for a request, its first too, gives way, if it has done so
 * for a second; otherwise accepting stops until one ends, and those to come wait in the kernel's
 * queue. Out of descriptors it rests for a while. A listener that stays readable would spin.
 */
#include "gateway/in_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/clock.h"
#include "gateway/log.h"
#include "gateway/net.h"
#include "gateway/passed.h"
#include "gateway/tls.h"

enum { ACCEPT_MOST = 32, REST_US = 100000 };

/* One listener on its way from the configuration into the server. */
struct plan {
	const struct conf_listener *conf;
	struct in_listener *listener;
	bool stays;
	struct tls_server *tls;
};

/* From in_prepare() to in_commit() or in_abandon(). */
static struct {
	const struct conf *conf;
	struct plan list[CONF_LISTENERS];
	struct cidr *trusted;
} plans_made;

/* ---- accepting --------------------------------------------------------------------------- */

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

/* One line a second at most: those that wait ask again and again. */
static bool
may_tell(void)
{
	int64_t now = clock_mono();

	if (in.told != 0 && now - in.told < CLOCK_S)
		return false;
	in.told = now;
	return true;
}

/* A client that goes away is not worth a line. */
void
in_lose(struct in_conn *c, bool lacking)
{
	if (lacking) {
		log_begin(LOG_LEVEL_WARNING, "server.warning", "a connection is closed: no memory");
		log_address("client.ip", &c->client);
		log_end();
	}
	in_close(c);
}

static bool
out_of_descriptors(void)
{
	return errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
}

static void
rest(void)
{
	int64_t now = clock_mono();

	if (may_tell())
		in_tell_refused(strerror(errno));
	in.rests_until = now + REST_US;
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
	if (may_tell()) {
		log_begin(LOG_LEVEL_WARNING, "server.warning",
		    "clients wait for a connection: all %zu are in use (limits.connections)",
		    in.limits.connections);
		log_end();
	}
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

static void
on_accept(evutil_socket_t fd, short what, void *arg)
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

/* ---- one listener ------------------------------------------------------------------------ */

void
in_let_go(struct in_listener *listener)
{
	if (--listener->users > 0)
		return;
	tls_server_free(listener->tls);
	free(listener);
}

/* No longer listens; freed when its last connection has ended. */
static void
shut(struct in_listener *listener)
{
	event_free(listener->event);
	socket_close(&listener->socket);
	in_let_go(listener);
}

static void
retire(struct in_listener *listener)
{
	listener->gone = true;
	in_close_quiet(listener);
	shut(listener);
}

static struct in_listener *
new_listener(const struct conf_listener *conf, size_t nth, char why[256])
{
	struct in_listener *listener = calloc(1, sizeof *listener);

	if (listener == NULL || socket_listen(&listener->socket, conf, nth, why) != 0) {
		free(listener);
		return NULL;
	}
	listener->event = event_new(in.base, listener->socket.fd, EV_READ | EV_PERSIST, on_accept,
	    listener);
	if (listener->event == NULL) {
		socket_close(&listener->socket);
		free(listener);
		return NULL;
	}
	listener->users = 1;
	listener->nth = nth;
	snprintf(listener->address, sizeof listener->address, "%.*s", (int)conf->address.n,
	    conf->address.p);
	return listener;
}

/* ---- all of them ------------------------------------------------------------------------- */

static bool
is_taken(const struct plan *plans, size_t count, const struct in_listener *listener)
{
	while (count > 0 && plans[count - 1].listener != listener)
		count--;
	return count > 0;
}

/* The listener of that address that is there already, and that no plan before this one has. */
static struct in_listener *
find(const struct plan *plans, size_t count, size_t nth)
{
	const struct conf_listener *conf = plans[count].conf;

	for (size_t i = 0; i < in.listener_count; i++) {
		struct in_listener *listener = in.listeners[i];

		if (slice_is(conf->address, slice_of(listener->address)) &&
		    listener->nth == nth && !is_taken(plans, count, listener))
			return listener;
	}
	return NULL;
}

/* Which of the "systemd" listeners the last plan's is; 0 for the others. */
static size_t
count_passed(const struct plan *plans, size_t last)
{
	size_t n = 0;

	for (size_t i = 0; i < last && plans[last].conf->kind == LISTENER_SYSTEMD; i++)
		n += plans[i].conf->kind == LISTENER_SYSTEMD;
	return n;
}

/* CONTRACT §2, for addresses that only the socket knows. */
static bool
is_exposed(const struct conf *conf, const struct plan *plan)
{
	return conf->token_count == 0 && !plan->listener->socket.local &&
	       (plan->conf->serve & (SERVE_API | SERVE_OPS));
}

/* Certificates are read anew each time: they may have been exchanged. */
static bool
load_tls(struct plan *plan, char why[256])
{
	char reason[256];

	if (plan->conf->certificate.n == 0)
		return true;
	plan->tls = tls_server_new(plan->conf, reason);
	if (plan->tls == NULL)
		snprintf(why, 256, "listener %.100s: %.140s", plan->listener->address, reason);
	return plan->tls != NULL;
}

static bool
prepare(const struct conf *conf, struct plan *plans, size_t i, char why[256])
{
	struct plan *plan = &plans[i];
	size_t nth;

	plan->conf = &conf->listeners[i];
	nth = count_passed(plans, i);
	plan->listener = find(plans, i, nth);
	plan->stays = plan->listener != NULL;
	if (!plan->stays)
		plan->listener = new_listener(plan->conf, nth, why);
	if (plan->listener == NULL || !load_tls(plan, why))
		return false;
	if (!is_exposed(conf, plan))
		return true;
	snprintf(why, 256,
	    "listener %.150s serves api or ops beyond this machine, which needs tokens",
	    plan->listener->socket.text);
	return false;
}

static void
undo(const struct plan *plan)
{
	tls_server_free(plan->tls);
	if (plan->listener != NULL && !plan->stays)
		retire(plan->listener);
}

static void
adopt(const struct plan *plan)
{
	struct in_listener *listener = plan->listener;

	listener->renewed = plan->stays && listener->tls != NULL && plan->tls != NULL &&
			    !tls_server_is_same(listener->tls, plan->tls);
	tls_server_free(listener->tls);
	listener->tls = plan->tls;
	listener->surfaces = plan->conf->serve;
	listener->proxy_protocol = plan->conf->proxy_protocol;
	listener->opened = !plan->stays;
	if (listener->opened && in.accepting)
		in_watch(listener->event, true);
}

/* A passed socket cannot be had again, so it is kept for another reload. */
static void
give_up(struct in_listener *listener)
{
	if (listener->socket.passed) {
		log_begin(LOG_LEVEL_WARNING, "server.warning",
		    "no listener takes a socket that the service manager passed: it is kept, and "
		    "who connects to it waits");
		log_text("server.address", slice_of(listener->socket.text));
		log_end();
	}
	retire(listener);
}

static size_t
passed_listeners(void)
{
	size_t n = 0;

	for (size_t i = 0; i < in.listener_count; i++)
		n += in.listeners[i]->socket.passed;
	return n;
}

static void
commit(const struct plan *plans, size_t count)
{
	for (size_t i = 0; i < in.listener_count; i++)
		if (!is_taken(plans, count, in.listeners[i]))
			give_up(in.listeners[i]);
	for (size_t i = 0; i < count; i++) {
		adopt(&plans[i]);
		in.listeners[i] = plans[i].listener;
	}
	in.listener_count = count;
	passed_settle(passed_listeners());
}

/* One too many, so that none needs memory as well. */
static struct cidr *
copy_trusted(const struct conf *conf)
{
	struct cidr *copy = calloc(conf->trusted_proxy_count + 1, sizeof *copy);

	if (copy != NULL && conf->trusted_proxy_count > 0)
		memcpy(copy, conf->trusted_proxies, conf->trusted_proxy_count * sizeof *copy);
	return copy;
}

int
in_prepare(const struct conf *conf, char why[256])
{
	bool good;

	snprintf(why, 256, "no memory for a listener");
	plans_made.conf = conf;
	plans_made.trusted = copy_trusted(conf);
	good = plans_made.trusted != NULL;
	for (size_t i = 0; i < conf->listener_count && good; i++)
		good = prepare(conf, plans_made.list, i, why);
	if (!good)
		in_abandon();
	return good ? 0 : -1;
}

void
in_commit(void)
{
	commit(plans_made.list, plans_made.conf->listener_count);
	free(in.trusted);
	in.trusted = plans_made.trusted;
	in.trusted_count = plans_made.conf->trusted_proxy_count;
	in_set_limits(plans_made.conf);
	memset(&plans_made, 0, sizeof plans_made);
}

void
in_abandon(void)
{
	for (size_t i = 0; i < plans_made.conf->listener_count; i++)
		undo(&plans_made.list[i]);
	free(plans_made.trusted);
	memset(&plans_made, 0, sizeof plans_made);
}

int
in_configure(const struct conf *conf, char why[256])
{
	if (in_prepare(conf, why) != 0)
		return -1;
	in_commit();
	return 0;
}

void
in_close_listeners(bool all)
{
	size_t kept = 0;

	for (size_t i = 0; i < in.listener_count; i++)
		if (all || in.listeners[i]->socket.passed)
			shut(in.listeners[i]);
		else
			in.listeners[kept++] = in.listeners[i];
	in.listener_count = kept;
}

void
in_accept_all(void)
{
	for (size_t i = 0, before; i < in.listener_count; i++)
		do {
			before = in.count;
			on_accept(in.listeners[i]->socket.fd, EV_READ, in.listeners[i]);
		} while (in.count > before);
}

const char *
in_address(size_t i, bool *opened)
{
	if (i >= in.listener_count)
		return NULL;
	*opened = in.listeners[i]->opened;
	return in.listeners[i]->socket.text;
}

bool
in_is_renewed(size_t i)
{
	return in.listeners[i]->renewed;
}
