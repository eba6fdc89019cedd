/* `status`: what became of an alert, by the trace id that its sender was answered with. */
#include "gateway/remote.h"

enum { TARGET_MOST = 8192 };

static const struct grid_column told_columns[] = {{"WEBHOOK", false, true}, {"STATE", false, false},
    {"ATTEMPTS", true, false}, {"REASON", false, false}, {"STATUS", true, false},
    {"LAST ATTEMPT (UTC)", false, false}, {"NEXT ATTEMPT", false, false}};

/* A delivery with its newest attempt. */
static void
put_told(struct grid *grid, const struct json *delivery)
{
	const struct json *attempts = json_get(delivery, "attempts"), *last = NULL;

	for (last = attempts == NULL ? NULL : attempts->first; last != NULL && last->next != NULL;)
		last = last->next;
	remote_put(grid, delivery, "webhook");
	remote_put_state(grid, delivery);
	remote_put(grid, last, "n");
	remote_put_reason(grid, last);
	remote_put(grid, last, "status");
	remote_put_date(grid, last, "time");
	remote_put_date(grid, delivery, "next_attempt");
}

static bool
print_told(struct remote *remote, const struct json *detail)
{
	const struct json *deliveries = json_get(detail, "deliveries");
	struct grid grid;

	if (deliveries == NULL || deliveries->first == NULL)
		return true;
	putchar('\n');
	grid_start(&grid, &remote->screen, told_columns, COUNT_OF(told_columns));
	for (const struct json *at = deliveries->first; at != NULL; at = at->next)
		put_told(&grid, at);
	return remote_end(remote, &grid);
}

static bool
print_status(struct remote *remote, const struct json *answer)
{
	const struct json *incident = json_get(answer, "incident");
	const struct json *detail = json_get(answer, "detail");
	struct slice status = remote_text(answer, "status");
	struct grid grid;

	if (remote->json)
		return remote_print(remote, answer);
	remote_start_lines(remote, &grid);
	remote_line(&grid, "status", status,
	    slice_is(status, SLICE("completed")) ? SCREEN_GREEN
	    : slice_is(status, SLICE("failed"))  ? SCREEN_RED
						 : SCREEN_YELLOW);
	remote_line(&grid, "error", remote_text(answer, "error"), SCREEN_PLAIN);
	remote_line(&grid, "integration", remote_text(json_get(answer, "integration"), "name"),
	    SCREEN_PLAIN);
	remote_line(&grid, "alert", remote_text(answer, "alert"), SCREEN_PLAIN);
	remote_line(&grid, "entity id", remote_text(detail, "entity_id"), SCREEN_PLAIN);
	remote_line(&grid, "suppressed", remote_text(answer, "suppressed"), SCREEN_PLAIN);
	remote_line(&grid, "incident", remote_text(incident, "incident_number"), SCREEN_PLAIN);
	remote_line(&grid, "created it", remote_text(answer, "is_incident_created"), SCREEN_PLAIN);
	return remote_end(remote, &grid) && print_told(remote, detail);
}

/* The detail is for token holders; the rest for anybody who knows the trace. */
static const struct json *
ask_status(struct remote *remote, const char *trace)
{
	const struct slice detail = SLICE("?detail=1");
	struct buf target = {.ceiling = TARGET_MOST};
	const struct json *answer;

	remote->missing = "there is no such trace, or it is older than 60 minutes";
	buf_puts(&target, "/api/alert/status/");
	remote_escape(&target, slice_of(trace));
	buf_putc(&target, '/');
	buf_put_slice(&target, detail);
	remote->forgiven = remote->client.token[0] == '\0' ? 401 : 0;
	answer = remote_ask(remote, "GET", buf_slice(&target), SLICE(""));
	if (answer == NULL && remote->status == remote->forgiven)
		answer = remote_ask(remote, "GET",
		    (struct slice){target.p, target.n - detail.n}, SLICE(""));
	buf_free(&target);
	return answer;
}

static const char *
take_remote(void *arg, int id, const char *value)
{
	return remote_take(arg, id, value);
}

static int
run_status(int argc, char **argv)
{
	struct remote remote;
	const struct json *answer = NULL;
	bool ok;
	int first;

	remote_start(&remote, argv[0]);
	first = command_read(argc, argv, 1, take_remote, &remote);
	if (first < 0)
		return 2;
	if (first == argc)
		return command_wrong("status", "the trace id is missing");
	if (remote_open(&remote, SERVE_STATUS | SERVE_API, false))
		answer = ask_status(&remote, argv[first]);
	ok = answer != NULL && print_status(&remote, answer);
	remote_stop(&remote);
	return ok ? 0 : 1;
}

static const struct command_option status_options[] = {REMOTE_OPTIONS};

const struct command command_status = {.name = "status",
    .usage = REMOTE_USAGE " TRACE",
    .summary = "says what became of an alert, by its trace id",
    .detail = "Says what became of the alert whose sender was answered with that trace id: the "
	      "incident that it made or joined, why it failed, and with a token what each webhook "
	      "was told of it.",
    .options = status_options,
    .run = run_status};
