/*
 * Listeners: a configuration's become the server's in one step, at start and at each reload.
 *
 *     in_prepare()  finds those that stay, opens those that are new   nothing has changed yet
 *     in_commit()   settings of all, accepting on the new ones; the others are closed, and their
 *                   connections end behind the request they are at
 */
#include "gateway/in_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/log.h"
#include "gateway/passed.h"
#include "gateway/tls.h"

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
	listener->event = event_new(in.base, listener->socket.fd, EV_READ | EV_PERSIST,
	    in_on_accept, listener);
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
