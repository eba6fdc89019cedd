/*
 * The loop is in server_loop(): events and what waits in connections, turn_end(), reap. Above it
 * everything is started in order, below it stopped in reverse. The way from a signal to the end of
 * the loop is drain.c's.
 */
#include "gateway/server.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "gateway/apply.h"
#include "gateway/clock.h"
#include "gateway/descriptors.h"
#include "gateway/drain.h"
#include "gateway/engine.h"
#include "gateway/expire.h"
#include "gateway/ids.h"
#include "gateway/in.h"
#include "gateway/job.h"
#include "gateway/log.h"
#include "gateway/lookup.h"
#include "gateway/metrics.h"
#include "gateway/notify.h"
#include "gateway/out.h"
#include "gateway/passed.h"
#include "gateway/process.h"
#include "gateway/rate.h"
#include "gateway/reload.h"
#include "gateway/route.h"
#include "gateway/tls.h"
#include "gateway/task.h"
#include "gateway/turn.h"
#include "proto/sign.h"
#include "store/store.h"

enum { FULL_PERCENT = 90, SECOND_STEPS = 64 };

static struct {
	struct event_base *base;
	struct store *store;
	struct event *second, *watchdog;
	bool full;
	bool warned; /* by libevent */
	bool sign_due; /* the service manager waits for a sign of life */
} server;

/* ---- the loop ---------------------------------------------------------------------------- */

static void
on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	server.sign_due = true;
}

/* A gateway that turns but can store nothing is as good as stuck. */
static void
give_sign(void)
{
	if (!server.sign_due || turn_failing())
		return;
	server.sign_due = false;
	notify_alive();
}

static void
server_loop(void)
{
	while (!drain_over()) {
		in_pass();
		turn_end();
		reload_step();
		give_sign();
		in_reap();
		out_reap();
		if (server_test_pass != NULL)
			server_test_pass();
	}
}

/* Also while the disk is, of which only a failed commit tells. */
static bool
is_full(void)
{
	return server.full || turn_out_of_room();
}

const char *
server_status(void)
{
	return is_full() ? "the store is full: alerts are refused" : "serving";
}

/* Nobody may send anything while we are not ready: only a commit of our own tells that there is
 * room again. */
static void
look_for_room(void)
{
	if (turn_out_of_room() && turn_write() == NULL)
		turn_fail();
}

/* Once a second: what no other event would bring about. */
static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	struct txn *txn = turn_read();
	struct store_size size;

	(void)fd;
	(void)what;
	(void)arg;
	if (txn != NULL) {
		size = store_size(txn, SECOND_STEPS);
		server.full = size.used >= size.limit / 100 * FULL_PERCENT;
		if (!drain_begun())
			notify_status(server_status());
	}
	look_for_room();
	if (expire_wanted(txn))
		apply_sweep();
	apply_second();
	job_second();
	task_second();
	log_second();
	store_clear_readers(server.store); /* of dumps and backups that were killed */
}

const char *
server_unready(void)
{
	return drain_begun() ? "draining" : is_full() ? "store full" : NULL;
}

bool
server_full(void)
{
	return server.full;
}

/* ---- start ------------------------------------------------------------------------------- */

/* libevent could not do something; what is not watched now will be at the next tick. */
static void
on_library(int severity, const char *message)
{
	if (severity < EVENT_LOG_WARN)
		return;
	server.warned = true;
	in_watch_again();
	log_begin(severity == EVENT_LOG_WARN ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
	    "server.warning",
	    "libevent: %s", message);
	log_end();
}

/* Without random bytes there are no ids; libsodium would abort. */
static void
on_misuse(void)
{
	log_fatal("libsodium cannot go on: there are no random bytes, most likely");
}

static void
on_library_end(int error)
{
	log_fatal("the event loop cannot go on (%d)", error);
}

static struct event_base *
new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (config == NULL)
		return NULL;
	event_config_set_flag(config,
	    EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static void
open_store(const struct conf *conf)
{
	char path[4096], why[256];

	snprintf(path, sizeof path, "%.*s", (int)conf->data.n, conf->data.p);
	server.store = store_open(path, (uint64_t)conf->limits.store, why);
	if (server.store == NULL)
		log_fatal("%s", why);
}

/* Counters, clock and ids go on where they were; then the open incidents. */
static void
load_state(const struct conf *conf)
{
	struct txn *txn = store_read(server.store);
	uint8_t hash_key[16];
	struct meta meta;

	if (txn == NULL)
		log_fatal("the store cannot be read");
	meta_get(txn, &meta);
	clock_start(&meta);
	ids_start(&meta.last_id, conf->node);
	ids_random(hash_key, sizeof hash_key);
	if (engine_start(txn, hash_key, &apply_watch) != 0 || store_failed(txn))
		log_fatal("the open incidents cannot be loaded");
	store_abort(txn);
}

static const char *
test_path(const char *variable, const char *path)
{
	const char *other = server_test_setup == NULL ? NULL : getenv(variable);

	return other == NULL ? path : other;
}

static void
start_parts(void)
{
	metrics_start(clock_wall());
	turn_start(server.base, server.store, apply_seal);
	if (apply_start(server.base) != 0)
		log_fatal("no memory for the loop");
	out_setup(server.base, job_wake);
	if (lookup_start(server.base, test_path("TOCSIN_RESOLV_CONF", "/etc/resolv.conf"),
		test_path("TOCSIN_HOSTS", "/etc/hosts")) != 0 ||
	    job_start(server.base) != 0 || task_start(server.base) != 0 ||
	    in_start(server.base, route_request) != 0)
		log_fatal("no memory for the loop");
	in_set_bare(route_is_bare);
}

/* What operators have switched off stays so over restarts, and is easily forgotten. */
static void
tell_paused(const struct conf *conf)
{
	if (engine_paused()) {
		log_begin(LOG_LEVEL_WARNING, "server.warning",
		    "applying alerts is paused: they are accepted, and wait");
		log_end();
	}
	for (size_t i = 0; i < conf->webhook_count; i++)
		if (engine_held(conf->webhooks[i].id)) {
			log_begin(LOG_LEVEL_WARNING, "server.warning",
			    "the webhook is paused: its deliveries wait");
			log_text("labels.webhook", conf->webhooks[i].name);
			log_end();
		}
}

static void
start_watchdog(void)
{
	int64_t us = notify_watchdog();
	struct timeval period = {us / CLOCK_S, us % CLOCK_S};

	server.watchdog = event_new(server.base, -1, EV_PERSIST, on_watchdog, NULL);
	if (server.watchdog == NULL)
		log_fatal("no memory for the loop");
	if (us > 0)
		event_add(server.watchdog, &period);
}

static void
start_events(void)
{
	struct timeval second = {1, 0};

	server.second = event_new(server.base, -1, EV_PERSIST, on_second, NULL);
	if (server.second == NULL || drain_start(server.base) != 0 ||
	    event_add(server.second, &second) != 0)
		log_fatal("no memory for the loop");
	start_watchdog();
	if (server_test_setup != NULL)
		server_test_setup(server.base);
	event_base_loop(server.base, EVLOOP_NONBLOCK); /* the kernel learns what is watched */
	if (server.warned)
		log_fatal("the event loop cannot watch signals and timers");
	turn_end();
}

/* ---- the way down ------------------------------------------------------------------------ */

/* attempts: in flight when the loop ended; they are made again after the next start. */
static void
tell_stopped(size_t attempts)
{
	log_begin(LOG_LEVEL_INFO, "server.stopped", "stopped%s",
	    drain_hurried() ? " at once, as a second signal came" : "");
	if (drain_hurried() || attempts > 0)
		log_number("labels.attempts_cut_off", (int64_t)attempts);
	log_outcome(true);
	log_end();
}

static void
stop(void)
{
	size_t attempts = job_in_flight();

	in_stop();
	task_stop();
	job_stop();
	out_reap();
	turn_end(); /* outcomes that came with the last events */
	apply_stop();
	turn_stop();
	engine_stop();
	metrics_stop();
	lookup_stop();
	tls_forget();
	rate_stop();
	drain_stop();
	reload_stop();
	event_free(server.second);
	event_free(server.watchdog);
	event_base_loop(server.base, EVLOOP_NONBLOCK); /* cancelled look-ups say so once more */
	event_base_free(server.base);
	store_close(server.store);
	tell_stopped(attempts);
	log_stop();
	notify_stop();
	libevent_global_shutdown();
}

static void
configure(struct conf *conf, const char *file)
{
	const char *missing = reload_start(server.base, file, conf);

	if (missing != NULL)
		log_fatal("the configuration cannot be taken over: %s", missing);
}

int
server_run(struct conf *conf, const char *file)
{
	process_prepare();
	descriptors_raise();
	notify_start();
	passed_start();
	log_start(conf->log_level, conf->log_format);
	if (!sign_start())
		log_fatal("no memory for signatures");
	event_set_log_callback(on_library);
	event_set_fatal_callback(on_library_end);
	sodium_set_misuse_handler(on_misuse);
	server.base = new_base();
	if (server.base == NULL)
		log_fatal("the event loop cannot be started");
	open_store(conf);
	load_state(conf);
	start_parts();
	configure(conf, file);
	tell_paused(conf);
	start_events();
	reload_tell_listeners();
	log_flush();
	notify_ready(server_status());
	server_loop();
	stop();
	return 0;
}
