/*
 * A test of a webhook (CONTRACT §9): the vendor's test incident, sent now over the webhook's own
 * connections with its headers, signatures and deadline. It is no event: nothing is stored, the
 * breaker learns nothing, a pause does not hold it. What an incident must have and this one has
 * not: its number is 0, its unique id all zeros, its webhook-id a random one, so that receivers
 * that know ids again take every test as new.
 */
#include <stdio.h>
#include <stdlib.h>

#include "gateway/clock.h"
#include "gateway/engine.h"
#include "gateway/ids.h"
#include "gateway/job.h"
#include "gateway/out.h"
#include "gateway/request.h"
#include "gateway/task.h"
#include "gateway/view.h"

enum { TESTS_MOST = 16, BODY_MOST = 1 << 20 };

struct test {
	struct task task; /* first: they are cast to each other */
	uint32_t webhook;
	struct conf *conf; /* held, once it is started: it is made under this */
	struct out_attempt attempt;
	bool started, ended;
	struct out_result result;
	struct uuid id;
	int64_t wall;     /* when it was started */
	struct buf body;
};

static int running;

static void
free_test(struct test *test)
{
	running--;
	buf_free(&test->body);
	conf_release(test->conf);
	free(test);
}

static void
on_gone(struct task *task)
{
	struct test *test = (struct test *)task;

	if (test->started && !test->ended)
		out_cancel(&test->attempt);
	free_test(test);
}

/* ---- the attempt ------------------------------------------------------------------------- */

static struct test *
test_of(struct out_attempt *attempt)
{
	return (struct test *)((char *)attempt - offsetof(struct test, attempt));
}

static bool
fill(struct out_attempt *attempt, struct buf *head, struct slice *body)
{
	struct test *test = test_of(attempt);

	if (test->body.failed)
		return false;
	*body = buf_slice(&test->body);
	request_write(head, attempt->webhook, &test->id, 1, test->wall, *body);
	return true;
}

/* The connection's code is still at work on the attempt: the answer comes in a step of its own. */
static void
on_done(struct out_attempt *attempt, const struct out_result *result)
{
	struct test *test = test_of(attempt);

	test->ended = true;
	test->result = *result;
	task_go_on(&test->task);
}

static void
write_body(struct test *test, const struct conf_service *service)
{
	struct service_facts facts = engine_service_facts(service, test->wall);
	struct incident incident = {.status = INCIDENT_TRIGGERED,
	    .urgency = 1,
	    .created = test->wall,
	    .title = SLICE("Webhook Test Title"),
	    .summary = SLICE("test summary example"),
	    .incident_key = SLICE("webhook-test")};

	incident_write_webhook(&test->body, "triggered", &incident, &facts,
	    service->assigned_to == NULL ? NULL : &service->assigned_to->facts);
}

static void
start(struct test *test)
{
	const struct conf_webhook *webhook = engine_webhook(test->webhook);
	struct out_pool *pool = job_pool(test->webhook);

	if (webhook == NULL || pool == NULL) {
		task_detail(&test->task, 404, "Not Found.");
		free_test(test);
		return;
	}
	test->started = true;
	test->wall = clock_wall();
	test->id = ids_random_uuid();
	test->conf = conf_hold(route_conf());
	write_body(test, webhook->service);
	test->attempt.webhook = webhook;
	test->attempt.fill = fill;
	test->attempt.done = on_done;
	out_start(pool, &test->attempt);
}

static void
answer(struct test *test)
{
	struct attempt_row attempt = job_attempt(&test->result, test->wall);
	char room[4096];
	struct buf body = BUF_IN(room);
	struct json_writer w = {.buf = &body};

	json_open(&w, '{');
	json_key(&w, "delivered");
	json_bool(&w, test->result.reason == REASON_OK);
	view_attempt(&w, 1, &attempt);
	json_close(&w, '}');
	task_answer(&test->task, 200, &body);
	free_test(test);
}

static void
step_test(struct task *task)
{
	struct test *test = (struct test *)task;

	if (test->started)
		answer(test);
	else
		start(test);
}

/* ---- the request ------------------------------------------------------------------------- */

static void
begin(struct route_request *request, const struct conf_webhook *webhook)
{
	struct test *test = calloc(1, sizeof *test);

	if (test == NULL) {
		in_unavailable(request->in, in_no_memory);
		return;
	}
	running++;
	test->task = (struct task){.step = step_test, .gone = on_gone};
	test->webhook = webhook->id;
	buf_init(&test->body, BODY_MOST);
	if (task_begin(&test->task, request))
		route_log_asked(request, "a test", webhook, NULL);
	else
		free_test(test);
}

void
api_test(struct route_request *request)
{
	struct in_reply *reply = &request->in->reply;
	char name[1024];
	struct conf_webhook *webhook = conf_webhook_by_name(route_conf(),
	    route_decode(request->part[0], name, sizeof name));

	if (webhook == NULL) {
		route_not_found(request);
	} else if (running >= TESTS_MOST) {
		route_detail(request, 429, "Too many tests at a time.");
		snprintf(reply->headers, sizeof reply->headers, "Retry-After: 1\r\n");
	} else {
		begin(request, webhook);
	}
}
