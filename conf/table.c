/*
 * Every option of the configuration (CONTRACT §10).
 *
 * A row says where an option stands, what it looks like, where it is kept, its bounds, its default
 * and what it means. The default is JSON and is read by the same code as the file.
 *
 * The rows of one section stand together.
 */
#include "conf/table.h"

#include "conf/check.h"
#include "conf/conf.h"
#include "conf/shape.h"
#include "proto/alert.h"

#define KIB    ((int64_t)1024)
#define MIB    (1024 * KIB)
#define TIB    (1024 * 1024 * MIB)
#define MS     ((int64_t)1000)
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* Names are part of keys in the store, which are short. */
#define NAME_MAX_BYTES 255

#define OPTION(in, called, kind, ...) \
	{.section = (in), .name = (called), .type = (kind), __VA_ARGS__},
#define CONF(field)        .at = offsetof(struct conf, field)
#define AT(noun, field)    .at = offsetof(struct conf_##noun, field)
#define NOWHERE            .at = OPTION_NOWHERE
#define COUNT(noun, field) .count_at = offsetof(struct noun, field)
#define PRINT(noun)        .print_at = offsetof(struct conf_##noun, print)
#define RANGE(low, high)   .minimum = (low), .maximum = (high)
#define DEFAULT(json)      .fallback = (json)
#define DEFAULT_TEXT(s)    .fallback = "\"" s "\""
#define HELP(sentence)     .help = (sentence)
#define FLAGS(bits)        .flags = (bits)
#define NAME               RANGE(1, NAME_MAX_BYTES), .shape = shape_plain

static const struct option_word surfaces[] = {{"ingest", SERVE_INGEST}, {"status", SERVE_STATUS},
    {"api", SERVE_API}, {"ops", SERVE_OPS}, {NULL, 0}};
static const struct option_word integration_types[] = {{"generic", INTEGRATION_GENERIC},
    {"pagertree", INTEGRATION_PAGERTREE}, {NULL, 0}};
static const struct option_word alert_types[] = {{"critical", ALERT_CRITICAL},
    {"error", ALERT_ERROR}, {"warning", ALERT_WARNING}, {"info", ALERT_INFO},
    {"acknowledged", ALERT_ACKNOWLEDGED}, {"resolved", ALERT_RESOLVED}, {NULL, -1}};
static const struct option_word creating_types[] = {{"none", 99}, {"critical", ALERT_CRITICAL},
    {"error", ALERT_ERROR}, {"warning", ALERT_WARNING}, {NULL, 0}};
static const struct option_word urgencies[] = {{"high", 1}, {"low", 0}, {NULL, 0}};
static const struct option_word events[] = {{"triggered", EVENT_TRIGGERED},
    {"acknowledged", EVENT_ACKNOWLEDGED}, {"resolved", EVENT_RESOLVED}, {NULL, 0}};
static const struct option_word auth_types[] = {{"none", AUTH_NONE}, {"basic", AUTH_BASIC},
    {"hmac", AUTH_HMAC}, {"standard-webhooks", AUTH_STANDARD}, {NULL, 0}};
static const struct option_word log_levels[] = {{"debug", LOG_LEVEL_DEBUG},
    {"info", LOG_LEVEL_INFO}, {"warning", LOG_LEVEL_WARNING}, {"error", LOG_LEVEL_ERROR},
    {NULL, 0}};
static const struct option_word log_formats[] = {{"auto", LOG_FORMAT_AUTO},
    {"json", LOG_FORMAT_JSON}, {"text", LOG_FORMAT_TEXT}, {NULL, 0}};


/* clang-format off */
const struct option option_table[] = {
	OPTION("", "listen", OPTION_LIST, CONF(listeners), COUNT(conf, listener_count),
	    .opens = "listen", .size = sizeof(struct conf_listener), PRINT(listener),
	    .check = check_listener, RANGE(1, CONF_LISTENERS),
	    DEFAULT("[{\"address\": \"127.0.0.1:8080\"}]"),
	    HELP("Where the gateway accepts connections."))
	OPTION("", "trusted_proxies", OPTION_NETWORKS, CONF(trusted_proxies),
	    COUNT(conf, trusted_proxy_count), DEFAULT("[]"),
	    HELP("Networks of proxies that are believed about the client's address."))
	OPTION("", "data", OPTION_TEXT, CONF(data), FLAGS(OPTION_FIXED), RANGE(1, 4000),
	    .shape = shape_plain, DEFAULT_TEXT("data"),
	    HELP("Directory of the state, relative to the working directory."))
	OPTION("", "account", OPTION_TEXT, CONF(account), RANGE(1, 32), .shape = shape_word,
	    DEFAULT_TEXT("demo1"), HELP("The account in the addresses of integrations."))
	OPTION("", "node", OPTION_INT, CONF(node), FLAGS(OPTION_FIXED), RANGE(0, 255), DEFAULT("0"),
	    HELP("This node's number, written into every id that it makes."))
	OPTION("", "public_url", OPTION_TEXT, CONF(public_url), RANGE(1, 2000),
	    .shape = shape_public_url, DEFAULT_TEXT("http://127.0.0.1:8080"),
	    HELP("How others reach this gateway, for links in answers."))
	OPTION("", "tokens", OPTION_LIST, CONF(tokens), COUNT(conf, token_count), .opens = "tokens",
	    .size = sizeof(struct conf_token), PRINT(token), DEFAULT("[]"), RANGE(0, 10000),
	    HELP("Who may use the API."))
	OPTION("", "users", OPTION_LIST, CONF(users), COUNT(conf, user_count), .opens = "users",
	    .size = sizeof(struct conf_user), PRINT(user), DEFAULT("[]"), RANGE(0, 100000),
	    HELP("People to whom a service's incidents can be assigned."))
	OPTION("", "services", OPTION_LIST, CONF(services), COUNT(conf, service_count),
	    .opens = "services", .size = sizeof(struct conf_service), PRINT(service), DEFAULT("[]"),
	    .check = check_service, RANGE(0, 100000), HELP("What is watched."))
	OPTION("", "allow_networks", OPTION_NETWORKS, CONF(allow_networks),
	    COUNT(conf, allow_network_count), DEFAULT("[]"),
	    HELP("Private or otherwise special networks that webhooks may reach."))
	OPTION("", "limits", OPTION_SECTION, .opens = "limits", DEFAULT("{}"),
	    HELP("Bounds on what strangers may send and on what is kept."))
	OPTION("", "retention", OPTION_SECTION, .opens = "retention", DEFAULT("{}"),
	    HELP("How long things are kept."))
	OPTION("", "retry", OPTION_TIMES, CONF(retry), COUNT(conf, retry_count), RANGE(100 * MS,
	    DAY),
	    DEFAULT("[\"5s\", \"30s\", \"2m\", \"10m\", \"30m\", "
		    "\"1h\", \"2h\", \"4h\", \"8h\", \"8h\"]"),
	    HELP("Waits between the attempts of a delivery."))
	OPTION("", "drain", OPTION_TIME, CONF(drain), RANGE(0, 10 * MINUTE), DEFAULT_TEXT("10s"),
	    HELP("How long a stopping gateway goes on serving, no longer ready."))
	OPTION("", "log", OPTION_SECTION, .opens = "log", DEFAULT("{}"), HELP("The log."))

	OPTION("listen", "address", OPTION_TEXT, AT(listener, address), FLAGS(OPTION_REQUIRED),
	    RANGE(1, 200), .shape = shape_listener,
	    HELP("Address and port, :8080 for all addresses; unix: and a path; or systemd."))
	OPTION("listen", "serve", OPTION_WORDS, AT(listener, serve), .words = surfaces,
	    DEFAULT("[\"ingest\", \"status\", \"api\", \"ops\"]"),
	    HELP("What is served there."))
	OPTION("listen", "proxy_protocol", OPTION_BOOL, AT(listener, proxy_protocol),
	    DEFAULT("false"),
	    HELP("Whether connections begin with a PROXY protocol header."))
	OPTION("listen", "tls", OPTION_SECTION, .opens = "listen.tls", DEFAULT("{}"),
	    HELP("Makes the listener speak TLS."))

	OPTION("listen.tls", "certificate", OPTION_TEXT, AT(listener, certificate),
	    FLAGS(OPTION_NULL), RANGE(1, 4000),
	    DEFAULT("null"), HELP("File with the certificate chain."))
	OPTION("listen.tls", "key", OPTION_TEXT, AT(listener, private_key),
	    FLAGS(OPTION_NULL), RANGE(1, 4000),
	    DEFAULT("null"), HELP("File with the private key."))

	OPTION("tokens", "name", OPTION_TEXT, AT(token, name),
	    FLAGS(OPTION_REQUIRED | OPTION_UNIQUE),
	    NAME, HELP("Whose token it is."))
	OPTION("tokens", "token", OPTION_TEXT, AT(token, token),
	    FLAGS(OPTION_REQUIRED | OPTION_SECRET | OPTION_UNIQUE), RANGE(16, 1024),
	    .shape = shape_token, HELP("The token itself, 16 characters or more."))
	OPTION("tokens", "read_only", OPTION_BOOL, AT(token, read_only), DEFAULT("false"),
	    HELP("Whether it may only look."))

	OPTION("users", "username", OPTION_TEXT, AT(user, facts.username),
	    FLAGS(OPTION_REQUIRED | OPTION_UNIQUE), NAME, HELP("The name that assigned_to uses."))
	OPTION("users", "first_name", OPTION_TEXT, AT(user, facts.first_name), RANGE(0, 255),
	    DEFAULT_TEXT(""), HELP("First name, as webhooks show it."))
	OPTION("users", "last_name", OPTION_TEXT, AT(user, facts.last_name), RANGE(0, 255),
	    DEFAULT_TEXT(""), HELP("Last name, as webhooks show it."))
	OPTION("users", "email", OPTION_TEXT, AT(user, facts.email), RANGE(0, 255),
	    DEFAULT_TEXT(""),
	    HELP("Address, as webhooks show it."))

	OPTION("services", "name", OPTION_TEXT, AT(service, facts.name),
	    FLAGS(OPTION_REQUIRED | OPTION_UNIQUE), NAME,
	    HELP("The service's name; what is stored hangs on it."))
	OPTION("services", "unique_id", OPTION_UUID, AT(service, facts.unique_id),
	    FLAGS(OPTION_NULL | OPTION_UNIQUE),
	    DEFAULT("null"), HELP("Its id; derived from account and name where it is null."))
	OPTION("services", "creation_date", OPTION_DATE, AT(service, facts.created),
	    FLAGS(OPTION_NULL), DEFAULT("null"),
	    HELP("Its creation date; the first time this gateway saw it where it is null."))
	OPTION("services", "summary", OPTION_TEXT, AT(service, facts.summary), RANGE(0, 65536),
	    DEFAULT_TEXT(""), HELP("A few words on the service, as webhooks show them."))
	OPTION("services", "description", OPTION_TEXT, AT(service, facts.description),
	    RANGE(0, 65536), DEFAULT_TEXT(""), HELP("More words on the service."))
	OPTION("services", "team", OPTION_ID, AT(service, facts.team), FLAGS(OPTION_NULL),
	    DEFAULT("null"), HELP("Id of its team, as webhooks show it."))
	OPTION("services", "escalation_policy", OPTION_ID, AT(service, facts.escalation_policy),
	    FLAGS(OPTION_NULL), DEFAULT("null"),
	    HELP("Id of the escalation policy of incidents whose alert names none."))
	OPTION("services", "sla", OPTION_ID, AT(service, facts.sla), FLAGS(OPTION_NULL),
	    DEFAULT("null"), HELP("Id of its service level agreement."))
	OPTION("services", "team_priority", OPTION_ID, AT(service, facts.team_priority),
	    FLAGS(OPTION_NULL), DEFAULT("null"), HELP("Id of its priority within the team."))
	OPTION("services", "task_template", OPTION_ID, AT(service, facts.task_template),
	    FLAGS(OPTION_NULL), DEFAULT("null"), HELP("Id of its task template."))
	OPTION("services", "created_by", OPTION_TEXT, AT(service, facts.created_by),
	    FLAGS(OPTION_NULL), RANGE(1, 255), DEFAULT("null"),
	    HELP("Who created it, as webhooks show it."))
	OPTION("services", "assigned_to", OPTION_TEXT, NOWHERE, FLAGS(OPTION_NULL),
	    RANGE(1, 255), DEFAULT("null"), HELP("Username to whom its incidents are assigned."))
	OPTION("services", "enabled", OPTION_BOOL, AT(service, enabled), DEFAULT("true"),
	    HELP("Whether its integrations accept alerts."))
	OPTION("services", "under_maintenance", OPTION_BOOL, AT(service, under_maintenance),
	    DEFAULT("false"), HELP("Whether new alerts fail with a maintenance error."))
	OPTION("services", "auto_resolve_timeout", OPTION_NUMBER,
	    AT(service, facts.auto_resolve_timeout), RANGE(0, 315360000), DEFAULT("0"),
	    HELP("Seconds after which an incident resolves by itself; 0 is never."))
	OPTION("services", "acknowledgement_timeout", OPTION_NUMBER,
	    AT(service, facts.acknowledgement_timeout), RANGE(0, 315360000), DEFAULT("0"),
	    HELP("Seconds after which an acknowledged incident triggers again; 0 is never."))
	OPTION("services", "collation", OPTION_INT, AT(service, facts.collation), RANGE(0, 1),
	    DEFAULT("0"), HELP("1 lets alerts join the service's newest open incident."))
	OPTION("services", "collation_time", OPTION_NUMBER, AT(service, facts.collation_time),
	    RANGE(0, 525600), DEFAULT("0"),
	    HELP("Minutes for which that incident takes such alerts."))
	OPTION("services", "maintenance", OPTION_LIST, AT(service, windows),
	    COUNT(conf_service, window_count), .opens = "services.maintenance",
	    .size = sizeof(struct conf_window), .check = check_window, DEFAULT("[]"),
	    RANGE(0, 1000),
	    HELP("Windows during which new alerts fail with a maintenance error."))
	OPTION("services", "integrations", OPTION_LIST, AT(service, integrations),
	    COUNT(conf_service, integration_count), .opens = "services.integrations",
	    .size = sizeof(struct conf_integration), PRINT(integration),
	    .check = check_integration, DEFAULT("[]"),
	    RANGE(0, 100000), HELP("Where its alerts come from."))
	OPTION("services", "webhooks", OPTION_LIST, AT(service, webhooks),
	    COUNT(conf_service, webhook_count), .opens = "services.webhooks",
	    .size = sizeof(struct conf_webhook), PRINT(webhook),
	    .check = check_webhook, DEFAULT("[]"),
	    RANGE(0, 100000), HELP("Who is told of its incidents."))

	OPTION("services.maintenance", "name", OPTION_TEXT, AT(window, name), RANGE(0, 255),
	    DEFAULT_TEXT(""), HELP("What the window is for."))
	OPTION("services.maintenance", "start", OPTION_DATE, AT(window, start),
	    FLAGS(OPTION_REQUIRED), HELP("When it begins."))
	OPTION("services.maintenance", "end", OPTION_DATE, AT(window, end), FLAGS(OPTION_REQUIRED),
	    HELP("When it ends; that instant is outside of it."))
	OPTION("services.maintenance", "repeat", OPTION_TIME, AT(window, repeat),
	    FLAGS(OPTION_NULL),
	    RANGE(0, 3660 * DAY), DEFAULT("null"),
	    HELP("The time from one beginning to the next; null is once."))
	OPTION("services.maintenance", "repeat_until", OPTION_DATE, AT(window, repeat_until),
	    FLAGS(OPTION_NULL), DEFAULT("null"), HELP("No repetition begins after this."))

	OPTION("services.integrations", "name", OPTION_TEXT, AT(integration, name),
	    FLAGS(OPTION_REQUIRED | OPTION_UNIQUE), NAME,
	    HELP("Its name within the service; open incidents hang on it, not on the key."))
	OPTION("services.integrations", "type", OPTION_WORD, AT(integration, type),
	    .words = integration_types, DEFAULT_TEXT("generic"),
	    HELP("The format of its alerts."))
	OPTION("services.integrations", "key", OPTION_TEXT, AT(integration, key),
	    FLAGS(OPTION_REQUIRED), RANGE(1, 64), .shape = shape_word,
	    HELP("The key in its address."))
	OPTION("services.integrations", "token", OPTION_TEXT, AT(integration, token),
	    FLAGS(OPTION_NULL | OPTION_SECRET), RANGE(1, 1024), .shape = shape_token,
	    DEFAULT("null"),
	    HELP("What a PagerTree source must send as pagertree-token."))
	OPTION("services.integrations", "enabled", OPTION_BOOL, AT(integration, enabled),
	    DEFAULT("true"), HELP("Whether it accepts alerts."))
	OPTION("services.integrations", "default_alert_type", OPTION_WORD,
	    AT(integration, default_alert_type), FLAGS(OPTION_NULL), .words = alert_types,
	    DEFAULT("null"), HELP("The type of alerts that name none; null refuses them."))
	OPTION("services.integrations", "create_incidents_for", OPTION_WORD,
	    AT(integration, create_incidents_for), .words = creating_types,
	    DEFAULT_TEXT("critical"),
	    HELP("The lowest type of alert that creates an incident."))
	OPTION("services.integrations", "default_urgency", OPTION_WORD,
	    AT(integration, default_urgency), .words = urgencies, DEFAULT_TEXT("high"),
	    HELP("The urgency of its incidents."))
	OPTION("services.integrations", "capture_additional_data", OPTION_BOOL,
	    AT(integration, capture_additional_data), DEFAULT("false"),
	    HELP("Whether unknown keys of PagerTree alerts are kept."))
	OPTION("services.integrations", "rate_limit", OPTION_SECTION,
	    .opens = "services.integrations.rate_limit", DEFAULT("{}"),
	    HELP("How many requests it takes."))
	OPTION("services.integrations", "split", OPTION_TEXT, NOWHERE, FLAGS(OPTION_NULL),
	    RANGE(1, 1000), DEFAULT("null"),
	    HELP("Path of an array whose elements are one alert each."))
	OPTION("services.integrations", "mapping", OPTION_ANY, NOWHERE, DEFAULT("[]"),
	    HELP("How a body of another format becomes an alert."))
	OPTION("services.integrations", "rules", OPTION_ANY, NOWHERE, DEFAULT("[]"),
	    HELP("Conditions on alerts and what is done with those that meet them."))

	OPTION("services.integrations.rate_limit", "per_minute", OPTION_NUMBER,
	    AT(integration, rate_per_minute), RANGE(0, 1000000), DEFAULT("0"),
	    HELP("Requests a minute; 0 is no limit."))
	OPTION("services.integrations.rate_limit", "burst", OPTION_NUMBER,
	    AT(integration, rate_burst), RANGE(0, 1000000), DEFAULT("0"),
	    HELP("Requests at once; 0 is a minute's worth."))

	OPTION("services.webhooks", "name", OPTION_TEXT, AT(webhook, name),
	    FLAGS(OPTION_REQUIRED | OPTION_UNIQUE_IN_FILE), NAME,
	    HELP("Its name in the whole file; waiting deliveries hang on it."))
	OPTION("services.webhooks", "url", OPTION_TEXT, AT(webhook, url),
	    FLAGS(OPTION_REQUIRED | OPTION_SECRET), RANGE(1, 4000), .shape = shape_webhook_url,
	    HELP("Where events are posted to."))
	OPTION("services.webhooks", "headers", OPTION_HEADERS, AT(webhook, headers),
	    COUNT(conf_webhook, header_count), RANGE(1, 4000), DEFAULT("{}"),
	    HELP("Further headers of its requests."))
	OPTION("services.webhooks", "auth", OPTION_SECTIONS, .opens = "services.webhooks.auth",
	    .check = check_auth, DEFAULT("{\"type\": \"none\"}"),
	    HELP("How the receiver knows that it is us; one object or a list of them."))
	OPTION("services.webhooks", "tls", OPTION_SECTION, .opens = "services.webhooks.tls",
	    DEFAULT("{}"), HELP("How the receiver's certificate is verified."))
	OPTION("services.webhooks", "events", OPTION_WORDS, AT(webhook, events), .words = events,
	    DEFAULT("[\"triggered\", \"acknowledged\", \"resolved\"]"),
	    HELP("The events that it is told of."))
	OPTION("services.webhooks", "max_in_flight", OPTION_INT, AT(webhook, max_in_flight),
	    RANGE(1, 10000), DEFAULT("64"), HELP("Requests to it at the same time."))
	OPTION("services.webhooks", "max_waiting", OPTION_INT, AT(webhook, max_waiting),
	    RANGE(1, 100000000), DEFAULT("100000"),
	    HELP("Deliveries that may wait for it; more go to the dead letters."))
	OPTION("services.webhooks", "deadline", OPTION_TIME, AT(webhook, deadline),
	    RANGE(100 * MS, 3 * SECOND), DEFAULT_TEXT("3s"),
	    HELP("The time one attempt has in all."))
	OPTION("services.webhooks", "retry", OPTION_TIMES, AT(webhook, retry),
	    COUNT(conf_webhook, retry_count), FLAGS(OPTION_NULL), RANGE(100 * MS, DAY),
	    DEFAULT("null"), HELP("Its own waits between attempts; null is the file's."))

	OPTION("services.webhooks.auth", "type", OPTION_BIT, AT(webhook, auth),
	    FLAGS(OPTION_REQUIRED), .words = auth_types,
	    HELP("none, basic, hmac or standard-webhooks."))
	OPTION("services.webhooks.auth", "username", OPTION_TEXT, AT(webhook, username),
	    RANGE(1, 255), .shape = shape_username, HELP("basic: the user."))
	OPTION("services.webhooks.auth", "password", OPTION_TEXT, AT(webhook, password),
	    FLAGS(OPTION_SECRET), RANGE(1, 1024), .shape = shape_plain,
	    HELP("basic: the password."))
	OPTION("services.webhooks.auth", "key", OPTION_TEXT, AT(webhook, hmac_key),
	    FLAGS(OPTION_SECRET), RANGE(1, 4096), HELP("hmac: the key shared with the receiver."))
	OPTION("services.webhooks.auth", "keys", OPTION_SIGNING_KEYS, AT(webhook, signing_keys),
	    COUNT(conf_webhook, signing_key_count), FLAGS(OPTION_SECRET), RANGE(1, 16),
	    HELP("standard-webhooks: its keys, whsec_ or whsk_; several during a rotation."))

	OPTION("services.webhooks.tls", "ca_file", OPTION_TEXT, AT(webhook, ca_file),
	    FLAGS(OPTION_NULL), RANGE(1, 4000),
	    DEFAULT("null"), HELP("Authorities to trust instead of the system's."))
	OPTION("services.webhooks.tls", "certificate", OPTION_TEXT, AT(webhook, certificate),
	    FLAGS(OPTION_NULL), RANGE(1, 4000),
	    DEFAULT("null"), HELP("File with our own certificate chain."))
	OPTION("services.webhooks.tls", "key", OPTION_TEXT, AT(webhook, private_key),
	    FLAGS(OPTION_NULL), RANGE(1, 4000),
	    DEFAULT("null"), HELP("File with its private key."))
	OPTION("services.webhooks.tls", "insecure_skip_verify", OPTION_BOOL,
	    AT(webhook, insecure_skip_verify),
	    DEFAULT("false"), HELP("Talks to anybody; for experiments only."))

	OPTION("limits", "body", OPTION_SIZE, CONF(limits.body), RANGE(KIB, 16 * MIB),
	    DEFAULT_TEXT("512KiB"), HELP("Body of a request."))
	OPTION("limits", "header", OPTION_SIZE, CONF(limits.header), RANGE(KIB, 64 * KIB),
	    DEFAULT_TEXT("16KiB"), HELP("Head of a request."))
	OPTION("limits", "depth", OPTION_NUMBER, CONF(limits.depth), RANGE(2, 512), DEFAULT("32"),
	    HELP("Nesting of a body."))
	OPTION("limits", "values", OPTION_NUMBER, CONF(limits.values), RANGE(100, 1000000),
	    DEFAULT("20000"), HELP("Values in a body, which cost time whatever their size."))
	OPTION("limits", "split", OPTION_NUMBER, CONF(limits.split), RANGE(1, 10000),
	    DEFAULT("1000"), HELP("Alerts that one body may be split into."))
	OPTION("limits", "connections", OPTION_NUMBER, CONF(limits.connections), RANGE(1, 1000000),
	    DEFAULT("10000"), HELP("Connections to us at the same time."))
	OPTION("limits", "header_time", OPTION_TIME, CONF(limits.header_time),
	    RANGE(100 * MS, HOUR), DEFAULT_TEXT("10s"), HELP("Time for the head of a request."))
	OPTION("limits", "body_time", OPTION_TIME, CONF(limits.body_time), RANGE(100 * MS, HOUR),
	    DEFAULT_TEXT("30s"), HELP("Time for the body of a request."))
	OPTION("limits", "idle_time", OPTION_TIME, CONF(limits.idle_time), RANGE(100 * MS, HOUR),
	    DEFAULT_TEXT("75s"), HELP("Time that a connection may wait for its next request."))
	OPTION("limits", "store", OPTION_SIZE, CONF(limits.store), FLAGS(OPTION_FIXED),
	    RANGE(16 * MIB, TIB), DEFAULT_TEXT("64GiB"), HELP("Size that the state may grow to."))

	OPTION("retention", "trace", OPTION_TIME, CONF(retention.trace),
	    RANGE(60 * MINUTE, 30 * DAY), DEFAULT_TEXT("60m"),
	    HELP("How long the status of an alert can be asked for."))
	OPTION("retention", "incident", OPTION_TIME, CONF(retention.incident),
	    RANGE(HOUR, 3660 * DAY),
	    DEFAULT_TEXT("30d"),
	    HELP("How long resolved incidents, alerts and deliveries are kept."))

	OPTION("log", "level", OPTION_WORD, CONF(log_level), .words = log_levels,
	    DEFAULT_TEXT("info"), HELP("The least important lines that are written."))
	OPTION("log", "format", OPTION_WORD, CONF(log_format), .words = log_formats,
	    DEFAULT_TEXT("auto"), HELP("json, text, or text at a terminal and json elsewhere."))
};
/* clang-format on */

const size_t option_count = COUNT_OF(option_table);

static const struct option *
find_section(const char *section, size_t *count)
{
	const struct option *first = option_table, *end = option_table + option_count, *last;

	while (first < end && strcmp(first->section, section) != 0)
		first++;
	for (last = first; last < end && strcmp(last->section, section) == 0; last++)
		;
	*count = (size_t)(last - first);
	return first;
}

/* Looked for thousands of times in a large file, so those that were found are remembered by where
 * their names stand. */
const struct option *
option_section(const char *section, size_t *count)
{
	static struct {
		const char *name;
		const struct option *first;
		size_t count;
	} found[32];
	size_t i;

	for (i = 0; i < COUNT_OF(found) && found[i].name != NULL; i++)
		if (found[i].name == section) {
			*count = found[i].count;
			return found[i].first;
		}
	if (i == COUNT_OF(found))
		return find_section(section, count);
	found[i].name = section;
	found[i].first = find_section(section, &found[i].count);
	*count = found[i].count;
	return found[i].first;
}
