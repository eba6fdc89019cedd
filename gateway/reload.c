/*
 *   SIGHUP, POST /-/reload ─▶ wanted ─▶ (the turn ends) ─▶ reload_step():
 *
 *     read      conf_load_again(), files                 nothing has changed; a fault ends it here
 *     prepare   numbers of names, queues, listeners      in one turn, in memory
 *     commit    the turn: names are stored               if that fails: abandon all of it
 *     take over everybody's pointer goes to the new one, the old one's reference is given back
 *
 * Reading and preparing hold the loop up for as long as they take, which grows with the file.
 */
#include "gateway/reload.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "gateway/apply.h"
#include "gateway/clock.h"
#include "gateway/drain.h"
#include "gateway/expire.h"
#include "gateway/job.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/notify.h"
#include "gateway/reload_report.h"
#include "gateway/route.h"
#include "gateway/server.h"
#include "gateway/task.h"
#include "gateway/tls.h"
#include "gateway/turn.h"

enum { ANSWER_MAX = (1 << 20) + 4096 };

/* A request that waits for the end of the reload. */
struct waiting {
	struct task task; /* first: they are cast to each other */
	LIST_ENTRY(waiting) next;
};

static struct {
	const char *file;
	struct conf *conf; /* the one in force */
	struct event *hangup;
	bool wanted;
	LIST_HEAD(waitings, waiting) waiting;
} reload;

/* ---- the transaction --------------------------------------------------------------------- */

static const char no_memory[] = "there is no memory for it";

/* NULL, or what cannot be had; then nothing is left behind but what the turn still has to undo. */
static const char *
prepare(struct conf *conf, char why[256])
{
	const char *missing;

	if (!apply_configure(conf) || metrics_configure(conf) != 0)
		return no_memory;
	missing = job_prepare(conf);
	if (missing != NULL)
		return missing;
	if (in_prepare(conf, why) == 0)
		return NULL;
	job_abandon();
	return why;
}

static void
warn_insecure(const struct conf *conf)
{
	for (size_t i = 0; i < conf->webhook_count; i++) {
		const struct conf_webhook *webhook = &conf->webhooks[i];

		if (!webhook->https || !webhook->insecure_skip_verify)
			continue;
		log_begin(LOG_LEVEL_WARNING, "server.warning",
		    "insecure_skip_verify: anybody may answer for this receiver");
		log_text("labels.webhook", webhook->name);
		log_end();
	}
}

void
reload_tell_listeners(void)
{
	const char *address;
	bool opened;

	for (size_t i = 0; (address = in_address(i, &opened)) != NULL; i++) {
		if (!opened)
			continue;
		log_begin(LOG_LEVEL_INFO, "server.started",
		    "tocsin " TOCSIN_VERSION " listens on %s", address);
		log_text("server.address", slice_of(address));
		log_end();
	}
}

static void
take_over(struct conf *conf)
{
	job_commit();
	in_commit();
	route_configure(conf);
	expire_configure(conf);
	log_configure(conf->log_level, conf->log_format);
	warn_insecure(conf);
	conf_release(reload.conf);
	reload.conf = conf;
}

/* Takes the reference over, in any case. NULL, or why everything is as it was. */
static const char *
swap(struct conf *conf, char why[256])
{
	const char *missing = prepare(conf, why);

	if (missing != NULL) {
		turn_drop();
		turn_end();
	} else if (turn_end() != STORE_OK) {
		job_abandon();
		in_abandon();
		missing = "the store cannot be written to";
	} else {
		take_over(conf);
		return NULL;
	}
	conf_release(conf);
	return missing;
}

/* ---- a reload ---------------------------------------------------------------------------- */

static void
complain(struct reload_report *report, const char *what)
{
	struct buf line = {.ceiling = 8192};

	buf_printf(&line, "%s: %s", reload.file, what);
	buf_putc(&line, '\0');
	report_error(report, line.failed ? what : line.p);
	buf_free(&line);
}

/* The files' names are the same, so that no comparison finds it. */
static void
report_certificates(struct reload_report *report, const struct conf *conf)
{
	struct conf_difference d = {.change = CONF_CHANGED, .kind = "certificate"};

	for (size_t i = 0; i < conf->listener_count; i++) {
		d.name = conf->listeners[i].address;
		if (in_is_renewed(i))
			report_change(report, &d);
	}
}

static void
replace(struct conf *conf, struct reload_report *report)
{
	struct conf *was = conf_hold(reload.conf);
	const char *missing;
	char why[256];

	missing = swap(conf, why);
	report->unavailable = missing != NULL && missing != why;
	if (missing != NULL) {
		complain(report, missing);
	} else {
		reload_tell_listeners();
		report->before = was;
		report->partial = !conf_compare(was, reload.conf, report_change, report);
		report_certificates(report, reload.conf);
	}
	conf_release(was);
}

static void
run(struct reload_report *report)
{
	struct conf *conf;

	if (drain_begun()) {
		report->unavailable = true;
		complain(report, "is not read any more: the gateway is stopping");
		return;
	}
	conf = conf_load_again(reload.file, reload.conf, &tls_files, report_error, report);
	if (conf != NULL)
		replace(conf, report);
	tls_forget();
}

static void
answer_all(int status, struct buf *body)
{
	struct waiting *waiting, *next;

	for (waiting = LIST_FIRST(&reload.waiting); waiting != NULL; waiting = next) {
		next = LIST_NEXT(waiting, next);
		LIST_REMOVE(waiting, next);
		if (body->failed)
			task_detail(&waiting->task, status,
			    "There is no memory for more; the log says it.");
		else
			task_answer(&waiting->task, status, body);
		free(waiting);
	}
}

static void
tell(const struct reload_report *report, int64_t us)
{
	struct buf body = {.ceiling = ANSWER_MAX};
	int status = report_answer(report, &body);

	report_log(report, us);
	metrics_reload(status == 200, clock_wall());
	answer_all(status, &body);
	buf_free(&body);
}

void
reload_step(void)
{
	struct reload_report report;
	int64_t began = clock_mono();

	if (!reload.wanted)
		return;
	reload.wanted = false;
	report_start(&report, reload.file);
	if (!drain_begun())
		notify_reloading();
	run(&report);
	tell(&report, clock_mono() - began);
	if (!drain_begun())
		notify_ready(server_status());
	report_end(&report);
	log_flush();
}

/* ---- who asks for it --------------------------------------------------------------------- */

static void
on_hangup(evutil_socket_t signal_number, short what, void *arg)
{
	(void)signal_number;
	(void)what;
	(void)arg;
	reload.wanted = true;
}

/* It is answered when the reload is over. */
static void
step_nothing(struct task *task)
{
	(void)task;
}

static void
on_gone(struct task *task)
{
	struct waiting *waiting = (struct waiting *)task;

	LIST_REMOVE(waiting, next);
	free(waiting);
}

void
api_reload(struct route_request *request)
{
	struct waiting *waiting = calloc(1, sizeof *waiting);

	if (waiting == NULL) {
		in_unavailable(request->in, in_no_memory);
		return;
	}
	waiting->task = (struct task){.step = step_nothing, .gone = on_gone, .kind = TASK_RELOAD};
	if (!task_begin(&waiting->task, request)) {
		free(waiting);
		return;
	}
	LIST_INSERT_HEAD(&reload.waiting, waiting, next);
	reload.wanted = true;
	route_log_asked(request, "a reload", NULL, NULL);
}

/* ---- start, stop ------------------------------------------------------------------------- */

const char *
reload_start(struct event_base *base, const char *file, struct conf *conf)
{
	static char why[256];

	reload.file = file;
	LIST_INIT(&reload.waiting);
	expire_configure(conf); /* before the first commit, which sweeps by it */
	reload.hangup = evsignal_new(base, SIGHUP, on_hangup, NULL);
	if (reload.hangup == NULL || event_add(reload.hangup, NULL) != 0)
		return no_memory;
	return swap(conf, why);
}

void
reload_stop(void)
{
	event_free(reload.hangup);
	conf_release(reload.conf);
}
