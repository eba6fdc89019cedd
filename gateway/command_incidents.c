/* `incidents`, `incident`: what is open, what there is to know of one, and its two changes. */
#include "gateway/clock.h"
#include "gateway/remote.h"
#include "proto/alert.h"

enum { LIMIT_DEFAULT = 50, PAGE_MOST = 500, ALERTS_SHOWN = 10, TARGET_MOST = 8192 };

enum { OPTION_STATUS = REMOTE_OWN };

/* As the API counts them, and what it takes them for in a filter. */
static const struct status {
	const char *word;
	const char *number;
	enum screen_colour colour;
} statuses[] = {{"open", "-1", SCREEN_PLAIN}, {"all", "0", SCREEN_PLAIN},
    {"triggered", "1", SCREEN_RED}, {"acknowledged", "2", SCREEN_YELLOW},
    {"resolved", "3", SCREEN_GREEN}};

static const struct status *
status_of(const struct json *incident)
{
	struct slice number = remote_text(incident, "status");

	for (size_t i = 2; i < COUNT_OF(statuses); i++)
		if (slice_is(number, slice_of(statuses[i].number)))
			return &statuses[i];
	return NULL;
}

static struct slice
urgency(const struct json *incident)
{
	return slice_is(remote_text(incident, "urgency"), SLICE("1")) ? SLICE("high")
								      : SLICE("low");
}

static struct slice
service(const struct json *incident)
{
	return remote_text(json_get(incident, "service_object"), "name");
}

/* ---- the list ---------------------------------------------------------------------------- */

struct incidents {
	struct remote remote; /* first */
	const struct status *status;
	uint64_t limit;
};

static const struct grid_column incident_columns[] = {{"INCIDENT", true, false},
    {"STATUS", false, false}, {"URGENCY", false, false}, {"CREATED (UTC)", false, false},
    {"SERVICE", false, false}, {"TITLE", false, true}};

static void
put_status(struct grid *grid, const struct json *incident)
{
	const struct status *status = status_of(incident);

	if (status == NULL)
		remote_put(grid, incident, "status");
	else
		grid_put(grid, slice_of(status->word), status->colour);
}

static void
put_incident(struct grid *grid, const struct json *incident)
{
	remote_put(grid, incident, "incident_number");
	put_status(grid, incident);
	grid_put(grid, urgency(incident), SCREEN_PLAIN);
	remote_put_date(grid, incident, "creation_date");
	grid_put(grid, service(incident), SCREEN_PLAIN);
	remote_put(grid, incident, "title");
}

static bool
list_incidents(struct incidents *wanted)
{
	struct remote_list list = {.method = "POST", .limit = wanted->limit, .put = put_incident,
	    .columns = incident_columns, .column_count = COUNT_OF(incident_columns)};
	char target[64], body[32];

	snprintf(target, sizeof target, "/api/incidents/filter/?limit=%llu",
	    (unsigned long long)(wanted->limit < PAGE_MOST ? wanted->limit : PAGE_MOST));
	snprintf(body, sizeof body, "{\"status\": %s}", wanted->status->number);
	list.target = slice_of(target);
	list.body = slice_of(body);
	return remote_list(&wanted->remote, &list);
}

static const char *
take_list_option(void *arg, int id, const char *value)
{
	struct incidents *wanted = arg;

	if (id == 'n')
		return remote_limit(value, &wanted->limit);
	if (id != OPTION_STATUS)
		return remote_take(&wanted->remote, id, value);
	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		if (strcmp(value, statuses[i].word) == 0) {
			wanted->status = &statuses[i];
			return NULL;
		}
	return "must be open, triggered, acknowledged, resolved or all";
}

static int
run_incidents(int argc, char **argv)
{
	struct incidents wanted = {.status = &statuses[0], .limit = LIMIT_DEFAULT};
	bool ok;

	remote_start(&wanted.remote, argv[0]);
	if (command_read(argc, argv, 0, take_list_option, &wanted) < 0)
		return 2;
	ok = remote_open(&wanted.remote, SERVE_API, false) && list_incidents(&wanted);
	remote_stop(&wanted.remote);
	return ok ? 0 : 1;
}

static const struct command_option incidents_options[] = {
    {OPTION_STATUS, "status", "S", "open (unless given), triggered, acknowledged, resolved or all"},
    {'n', "limit", "N", "at most so many, 50 unless given"}, REMOTE_OPTIONS};

const struct command command_incidents = {.name = "incidents",
    .usage = "[--status S] [-n N] " REMOTE_USAGE,
    .summary = "lists incidents",
    .detail = "Lists incidents, newest first: those that are open, unless --status says otherwise.",
    .options = incidents_options,
    .run = run_incidents};

/* ---- one --------------------------------------------------------------------------------- */

static const struct grid_column alert_columns[] = {{"ALERT AT (UTC)", false, false},
    {"TYPE", false, false}, {"SUPPRESSED", false, false}, {"ENTITY ID", false, false},
    {"MESSAGE", false, true}};

static const struct grid_column note_columns[] = {{"NOTE AT (UTC)", false, false},
    {"BY", false, false}, {"NOTE", false, true}};

static void
put_alert(struct grid *grid, const struct json *alert)
{
	struct slice type = remote_text(alert, "alert_type");
	const char *word = type.n == 1 ? alert_type_name(type.p[0] - '0') : NULL;

	remote_put_date(grid, alert, "creation_date");
	grid_put(grid, word == NULL ? type : slice_of(word), SCREEN_PLAIN);
	remote_put(grid, alert, "suppressed");
	remote_put(grid, alert, "entity_id");
	remote_put(grid, alert, "message");
}

static void
put_note(struct grid *grid, const struct json *note)
{
	remote_put_date(grid, note, "creation_date");
	remote_put(grid, note, "user");
	remote_put(grid, note, "note");
}

/* At most so many rows of an array, behind an empty line; nothing where there is none. */
static bool
print_rows(struct remote *remote, const struct json *rows, int most,
    const struct grid_column *columns, size_t count, remote_row *put)
{
	struct grid grid;

	if (rows == NULL || rows->type != JSON_ARRAY || rows->first == NULL)
		return true;
	putchar('\n');
	grid_start(&grid, &remote->screen, columns, count);
	for (const struct json *row = rows->first; row != NULL && most > 0; row = row->next, most--)
		put(&grid, row);
	return remote_end(remote, &grid);
}

static bool
print_lines(struct remote *remote, const struct json *incident)
{
	const struct status *status = status_of(incident);
	char created[20], acknowledged[20], resolved[20];
	struct grid grid;

	remote_start_lines(remote, &grid);
	remote_line(&grid, "incident", remote_text(incident, "incident_number"), SCREEN_PLAIN);
	if (status != NULL)
		remote_line(&grid, "status", slice_of(status->word), status->colour);
	remote_line(&grid, "urgency", urgency(incident), SCREEN_PLAIN);
	remote_line(&grid, "title", remote_text(incident, "title"), SCREEN_PLAIN);
	remote_line(&grid, "summary", remote_text(incident, "summary"), SCREEN_PLAIN);
	remote_line(&grid, "service", service(incident), SCREEN_PLAIN);
	remote_line(&grid, "key", remote_text(incident, "incident_key"), SCREEN_PLAIN);
	remote_line(&grid, "assigned to", remote_text(incident, "assigned_to"), SCREEN_PLAIN);
	remote_line(&grid, "created", remote_date(incident, "creation_date", created),
	    SCREEN_PLAIN);
	remote_line(&grid, "acknowledged",
	    remote_date(incident, "acknowledged_date", acknowledged), SCREEN_PLAIN);
	remote_line(&grid, "resolved", remote_date(incident, "resolved_date", resolved),
	    SCREEN_PLAIN);
	remote_line(&grid, "unique id", remote_text(incident, "unique_id"), SCREEN_PLAIN);
	return remote_end(remote, &grid);
}

/* The incident's path with what is behind it. */
static const struct json *
ask(struct remote *remote, const char *method, const char *incident, const char *behind,
    struct slice body)
{
	struct buf target = {.ceiling = TARGET_MOST};
	const struct json *answer = NULL;

	remote->missing = "there is no incident of that number or unique id";
	buf_puts(&target, "/api/incidents/");
	remote_escape(&target, slice_of(incident));
	buf_puts(&target, behind);
	if (target.failed)
		command_failed(remote->command, "the number is too long");
	else
		answer = remote_ask(remote, method, buf_slice(&target), body);
	buf_free(&target);
	return answer;
}

/* Its newest alerts, and its notes. */
static bool
print_more(struct remote *remote, const char *incident)
{
	const struct json *answer = ask(remote, "GET", incident, "/alerts/", SLICE(""));

	if (answer == NULL || !print_rows(remote, answer, ALERTS_SHOWN, alert_columns,
				  COUNT_OF(alert_columns), put_alert))
		return false;
	answer = ask(remote, "GET", incident, "/note/", SLICE(""));
	return answer != NULL && print_rows(remote, json_get(answer, "results"), PAGE_MOST,
				     note_columns, COUNT_OF(note_columns), put_note);
}

/* change: the body of a PATCH, or empty. */
static bool
show_incident(struct remote *remote, const char *number, struct slice change)
{
	const struct json *answer =
	    ask(remote, change.n > 0 ? "PATCH" : "GET", number, "/", change);

	if (answer == NULL)
		return false;
	if (remote->json)
		return remote_print(remote, answer);
	return print_lines(remote, answer) && print_more(remote, number);
}

static const char *
take_remote(void *arg, int id, const char *value)
{
	return remote_take(arg, id, value);
}

static int
run_incident(int argc, char **argv)
{
	struct remote remote;
	struct slice change = SLICE("");
	bool ok;
	int first;

	remote_start(&remote, argv[0]);
	first = command_read(argc, argv, 2, take_remote, &remote);
	if (first < 0)
		return 2;
	if (first == argc)
		return command_wrong("incident", "which? Its number is missing");
	if (argc - first == 2 && strcmp(argv[first + 1], "ack") == 0)
		change = SLICE("{\"status\": 2}");
	else if (argc - first == 2 && strcmp(argv[first + 1], "resolve") == 0)
		change = SLICE("{\"status\": 3}");
	else if (argc - first == 2)
		return command_wrong("incident", "\"%s\" is not ack or resolve", argv[first + 1]);
	ok = remote_open(&remote, SERVE_API, change.n > 0) &&
	     show_incident(&remote, argv[first], change);
	remote_stop(&remote);
	return ok ? 0 : 1;
}

static const struct command_option incident_options[] = {REMOTE_OPTIONS};

const struct command command_incident = {.name = "incident",
    .usage = REMOTE_USAGE " N [ack|resolve]",
    .summary = "shows an incident, acknowledges or resolves it",
    .detail = "Shows the incident of that number, or unique id, with its newest alerts and its "
	      "notes; acknowledges or resolves it before, if told to.",
    .options = incident_options,
    .run = run_incident};
