/* `deliveries`, `replay`: what webhooks were told, or are to be told again. */
#include "gateway/clock.h"
#include "gateway/remote.h"
#include "proto/date.h"
#include "proto/utf8.h"

enum { LIMIT_DEFAULT = 50, PAGE_MOST = 500, TARGET_MOST = 8192, BODY_MOST = 4096 };

enum { OPTION_DEAD = REMOTE_OWN, OPTION_STATE, OPTION_SINCE, OPTION_UNTIL };

/* ---- deliveries -------------------------------------------------------------------------- */

struct deliveries {
	struct remote remote; /* first: takers are given its address */
	const char *webhook, *incident, *state;
	int64_t since, until; /* 0: whenever */
	uint64_t limit;
};

static const char no_webhook[] = "there is no webhook of that name";

static const struct grid_column delivery_columns[] = {{"CREATED (UTC)", false, false},
    {"WEBHOOK", false, true}, {"INCIDENT", true, false}, {"EVENT", false, false},
    {"STATE", false, false}, {"ATTEMPTS", true, false}, {"REASON", false, false},
    {"NEXT ATTEMPT", false, false}, {"ID", false, false}};

static void
put_delivery(struct grid *grid, const struct json *row)
{
	remote_put_date(grid, row, "created");
	remote_put(grid, row, "webhook");
	remote_put(grid, row, "incident_number");
	remote_put(grid, row, "event_type");
	remote_put_state(grid, row);
	remote_put(grid, row, "attempt_count");
	remote_put_reason(grid, row);
	remote_put_date(grid, row, "next_attempt");
	remote_put(grid, row, "id");
}

static const struct grid_column attempt_columns[] = {{"ATTEMPT", true, false},
    {"TIME (UTC)", false, false}, {"REASON", false, false}, {"STATUS", true, false},
    {"LOOKUP MS", true, false}, {"CONNECT", true, false}, {"TLS", true, false},
    {"FIRST BYTE", true, false}, {"TOTAL", true, false}};

static void
put_attempt(struct grid *grid, const struct json *attempt)
{
	static const char *const phases[] = {"lookup", "connect", "tls", "first_byte", "total"};

	remote_put(grid, attempt, "n");
	remote_put_date(grid, attempt, "time");
	remote_put_reason(grid, attempt);
	remote_put(grid, attempt, "status");
	for (size_t i = 0; i < COUNT_OF(phases); i++)
		remote_put(grid, json_get(attempt, "phases_ms"), phases[i]);
}

static bool
print_attempts(struct remote *remote, const struct json *delivery)
{
	const struct json *attempts = json_get(delivery, "attempts");
	struct grid grid;

	if (attempts == NULL || attempts->first == NULL)
		return true;
	putchar('\n');
	grid_start(&grid, &remote->screen, attempt_columns, COUNT_OF(attempt_columns));
	for (const struct json *at = attempts->first; at != NULL; at = at->next)
		put_attempt(&grid, at);
	return remote_end(remote, &grid);
}

static bool
print_delivery(struct remote *remote, const struct json *row)
{
	struct grid grid;
	char created[20], next[20];
	struct slice state = remote_text(row, "state");

	if (remote->json)
		return remote_print(remote, row);
	remote_start_lines(remote, &grid);
	remote_line(&grid, "delivery", remote_text(row, "id"), SCREEN_PLAIN);
	remote_line(&grid, "webhook", remote_text(row, "webhook"), SCREEN_PLAIN);
	remote_line(&grid, "incident", remote_text(row, "incident_number"), SCREEN_PLAIN);
	remote_line(&grid, "event", remote_text(row, "event_type"), SCREEN_PLAIN);
	remote_line(&grid, "state", state, remote_state_colour(state));
	remote_line(&grid, "reason", remote_text(row, "reason"), SCREEN_PLAIN);
	remote_line(&grid, "created", remote_date(row, "created", created), SCREEN_PLAIN);
	remote_line(&grid, "next attempt", remote_date(row, "next_attempt", next), SCREEN_PLAIN);
	return remote_end(remote, &grid) && print_attempts(remote, row);
}

/* One delivery by its id, which is replayed or looked at. */
static bool
ask_delivery(struct remote *remote, const char *method, const char *id, const char *behind)
{
	struct buf target = {.ceiling = TARGET_MOST};
	const struct json *row = NULL;

	remote->missing = "there is no delivery with that id";
	buf_puts(&target, "/api/deliveries/");
	remote_escape(&target, slice_of(id));
	buf_puts(&target, behind);
	if (target.failed)
		command_failed(remote->command, "the id is too long");
	else
		row = remote_ask(remote, method, buf_slice(&target), SLICE(""));
	buf_free(&target);
	return row != NULL && print_delivery(remote, row);
}

static void
add_parameter(struct buf *target, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_printf(target, "&%s=", name);
	remote_escape(target, slice_of(value));
}

static bool
list_deliveries(struct deliveries *d)
{
	struct remote_list list = {.method = "GET", .limit = d->limit, .put = put_delivery,
	    .columns = delivery_columns, .column_count = COUNT_OF(delivery_columns)};
	struct buf target = {.ceiling = TARGET_MOST};
	char since[DATE_TEXT];
	bool ok;

	date_text(d->since, since);
	buf_printf(&target, "/api/deliveries/?limit=%llu",
	    (unsigned long long)(d->limit < PAGE_MOST ? d->limit : PAGE_MOST));
	add_parameter(&target, "webhook", d->webhook);
	add_parameter(&target, "incident", d->incident);
	add_parameter(&target, "state", d->state);
	add_parameter(&target, "since", d->since == 0 ? NULL : since);
	list.target = buf_slice(&target);
	d->remote.missing = no_webhook;
	ok = !target.failed && remote_list(&d->remote, &list);
	buf_free(&target);
	return ok;
}

static const char *
take_option(void *arg, int id, const char *value)
{
	struct deliveries *d = arg;
	static const char no_moment[] = "must be a date, 2026-11-21T09:00:00Z, or how long ago, 2h";

	switch (id) {
	case OPTION_DEAD:
		d->state = "dead";
		return NULL;
	case OPTION_STATE:
		d->state = value;
		return NULL;
	case OPTION_SINCE:
		return remote_moment(value, &d->since) ? NULL : no_moment;
	case OPTION_UNTIL:
		return remote_moment(value, &d->until) ? NULL : no_moment;
	case 'w':
		d->webhook = value;
		return NULL;
	case 'i':
		d->incident = value;
		return NULL;
	case 'n':
		return remote_limit(value, &d->limit);
	default:
		return remote_take(&d->remote, id, value);
	}
}

static int
run_deliveries(int argc, char **argv)
{
	struct deliveries d = {.limit = LIMIT_DEFAULT};
	bool ok;
	int first;

	remote_start(&d.remote, argv[0]);
	first = command_read(argc, argv, 1, take_option, &d);
	if (first < 0)
		return 2;
	ok = remote_open(&d.remote, SERVE_API, false);
	if (ok && first < argc)
		ok = ask_delivery(&d.remote, "GET", argv[first], "/");
	else if (ok)
		ok = list_deliveries(&d);
	remote_stop(&d.remote);
	return ok ? 0 : 1;
}

#define SINCE_OPTION                                                                              \
	{OPTION_SINCE, "since", "D",                                                              \
	    "created then or later: a date, 2026-11-21T09:00:00Z, or how long ago, 2h"}

static const struct command_option deliveries_options[] = {
    {OPTION_DEAD, "dead", NULL, "the dead letters"},
    {OPTION_STATE, "state", "S", "waiting, held, in_flight, delivered or dead"},
    {'w', "webhook", "W", "of that webhook"}, {'i', "incident", "N", "of that incident"},
    SINCE_OPTION, {'n', "limit", "N", "at most so many, 50 unless given"}, REMOTE_OPTIONS};

const struct command command_deliveries = {.name = "deliveries",
    .usage = "[--dead] [--state S] [-w W] [-i N] [--since D] [-n N] " REMOTE_USAGE " [ID]",
    .summary = "lists deliveries, or shows one with its attempts",
    .detail = "Lists what webhooks were told, or are to be, newest first. With an ID it shows that "
	      "delivery with its attempts and their times in milliseconds.",
    .options = deliveries_options,
    .run = run_deliveries};

/* ---- replay ------------------------------------------------------------------------------ */

static void
add_date(struct json_writer *w, const char *key, int64_t us)
{
	char text[DATE_TEXT];

	if (us == 0)
		return;
	date_text(us, text);
	json_key(w, key);
	json_text(w, text);
}

static bool
replay_many(struct deliveries *d)
{
	struct buf body = {.ceiling = BODY_MOST};
	struct json_writer w = {.buf = &body};
	const struct json *answer;
	struct slice count;

	json_open(&w, '{');
	json_key(&w, "webhook");
	json_string(&w, (struct slice){d->webhook, utf8_valid(slice_of(d->webhook))});
	add_date(&w, "since", d->since);
	add_date(&w, "until", d->until);
	json_key(&w, "state");
	json_text(&w, d->state == NULL ? "dead" : d->state);
	json_close(&w, '}');
	d->remote.missing = no_webhook;
	answer = remote_ask(&d->remote, "POST", SLICE("/api/deliveries/replay/"), buf_slice(&body));
	buf_free(&body);
	if (answer == NULL || d->remote.json)
		return answer != NULL && remote_print(&d->remote, answer);
	count = remote_text(answer, "replayed");
	printf("%.*s %s put back\n", (int)count.n, count.p,
	    slice_is(count, SLICE("1")) ? "delivery is" : "deliveries are");
	return true;
}

static int
run_replay(int argc, char **argv)
{
	struct deliveries d = {0};
	bool ok;
	int first;

	remote_start(&d.remote, argv[0]);
	first = command_read(argc, argv, 1, take_option, &d);
	if (first < 0)
		return 2;
	if ((first < argc) == (d.webhook != NULL))
		return command_wrong("replay", "what? Either the id of a delivery, or --webhook");
	ok = remote_open(&d.remote, SERVE_API, true);
	if (ok && first < argc)
		ok = ask_delivery(&d.remote, "POST", argv[first], "/replay/");
	else if (ok)
		ok = replay_many(&d);
	remote_stop(&d.remote);
	return ok ? 0 : 1;
}

static const struct command_option replay_options[] = {{'w', "webhook", "W", "its dead letters"},
    SINCE_OPTION, {OPTION_UNTIL, "until", "D", "created before that"},
    {OPTION_STATE, "state", "S", "dead, or delivered: once more what it was told already"},
    REMOTE_OPTIONS};

const struct command command_replay = {.name = "replay",
    .usage = "ID | -w W [--since D] [--until D] [--state S] " REMOTE_USAGE,
    .summary = "delivers again: one delivery, or a webhook's dead letters",
    .detail = "Puts a delivery back, or those of a webhook that were given up, to be made at once, "
	      "under their ids, the oldest first. It stops where as many wait as the webhook's "
	      "\"max_waiting\" allows.",
    .options = replay_options,
    .run = run_replay};
