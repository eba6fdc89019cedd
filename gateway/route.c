/*
 * The table of routes and the way to a handler: surface, path, method, token.
 *
 * A path is matched part by part; "{...}" stands for any one part that is not empty, and its name
 * is for readers of metrics. A path that is written out comes before one with "{...}" that it would
 * match too, and hides it. A trailing slash is optional everywhere. Routes of a surface that the
 * listener does not serve do not exist there.
 */
#include "gateway/route.h"

#include <stdio.h>

#include "gateway/log.h"
#include "gateway/turn.h"
#include "proto/json_write.h"
#include "proto/sign.h"

enum access { ACCESS_OPEN, ACCESS_READ, ACCESS_WRITE };

static const struct route {
	const char *method; /* GET answers HEAD too */
	const char *path;
	unsigned surface;
	enum access access;
	route_handler *handler;
} routes[] = {
    {"POST", "integration/{account}/{application}/{key}", SERVE_INGEST, ACCESS_OPEN, api_generic},
    {"POST", "api/integration/{application}/{key}", SERVE_INGEST, ACCESS_OPEN, api_generic},
    {"POST", "api/events/{key}", SERVE_INGEST, ACCESS_OPEN, api_events},
    {"POST", "integration/{int_id}", SERVE_INGEST, ACCESS_OPEN, api_pagertree},
    {"GET", "api/alert/status/{trace_id}", SERVE_STATUS, ACCESS_OPEN, api_status},
    {"GET", "api/incidents", SERVE_API, ACCESS_READ, api_incidents},
    {"POST", "api/incidents", SERVE_API, ACCESS_WRITE, api_incident_create},
    {"POST", "api/incidents/filter", SERVE_API, ACCESS_READ, api_incidents_filter},
    {"GET", "api/incidents/{incident}", SERVE_API, ACCESS_READ, api_incident},
    {"PATCH", "api/incidents/{incident}", SERVE_API, ACCESS_WRITE, api_incident_change},
    {"PUT", "api/incidents/{incident}", SERVE_API, ACCESS_WRITE, api_incident_change},
    {"GET", "api/incidents/{incident}/alerts", SERVE_API, ACCESS_READ, api_alerts},
    {"GET", "api/incidents/{incident}/note", SERVE_API, ACCESS_READ, api_notes},
    {"POST", "api/incidents/{incident}/note", SERVE_API, ACCESS_WRITE, api_note},
    {"GET", "api/deliveries", SERVE_API, ACCESS_READ, api_deliveries},
    {"POST", "api/deliveries/replay", SERVE_API, ACCESS_WRITE, api_replay_many},
    {"GET", "api/deliveries/{delivery}", SERVE_API, ACCESS_READ, api_delivery},
    {"POST", "api/deliveries/{delivery}/replay", SERVE_API, ACCESS_WRITE, api_replay},
    {"POST", "api/webhooks/{name}/test", SERVE_API, ACCESS_WRITE, api_test},
    {"POST", "api/webhooks/{name}/pause", SERVE_API, ACCESS_WRITE, api_webhook_pause},
    {"POST", "api/webhooks/{name}/resume", SERVE_API, ACCESS_WRITE, api_webhook_resume},
    {"POST", "api/try/{key}", SERVE_API, ACCESS_WRITE, api_try},
    {"POST", "-/reload", SERVE_OPS, ACCESS_WRITE, api_reload},
    {"POST", "-/pause", SERVE_OPS, ACCESS_WRITE, api_pause},
    {"POST", "-/resume", SERVE_OPS, ACCESS_WRITE, api_resume},
    {"GET", "-/healthy", SERVE_ALL, ACCESS_OPEN, api_healthy},
    {"GET", "-/ready", SERVE_ALL, ACCESS_OPEN, api_ready},
    {"GET", "metrics", SERVE_OPS, ACCESS_OPEN, api_metrics},
};

static const struct conf *conf;

void
route_configure(const struct conf *configuration)
{
	conf = configuration;
}

const struct conf *
route_conf(void)
{
	return conf;
}

struct json_limits
route_json_limits(void)
{
	return (struct json_limits){(int)conf->limits.depth, (uint32_t)conf->limits.values};
}

/* ---- paths ------------------------------------------------------------------------------- */

/* Cuts the first part, up to '/', off *rest. */
static struct slice
cut_part(struct slice *rest)
{
	const char *slash = rest->n == 0 ? NULL : memchr(rest->p, '/', rest->n);
	struct slice part = {rest->p, slash == NULL ? rest->n : (size_t)(slash - rest->p)};
	size_t used = slash == NULL ? rest->n : part.n + 1;

	rest->p += used;
	rest->n -= used;
	return part;
}

static bool
match(const char *pattern, struct slice path, struct slice part[ROUTE_PARTS])
{
	struct slice wanted = slice_of(pattern), want, have;
	int n = 0;

	while (wanted.n > 0 && path.n > 0) {
		want = cut_part(&wanted);
		have = cut_part(&path);
		if (have.n == 0)
			return false;
		if (want.p[0] == '{')
			part[n++] = have;
		else if (!slice_is(want, have))
			return false;
	}
	return wanted.n == 0 && path.n == 0;
}

/* Without the slash in front and one behind. What has another one there is no path of ours. */
static struct slice
trim(struct slice path)
{
	if (path.n > 0 && path.p[0] == '/')
		path = (struct slice){path.p + 1, path.n - 1};
	if (path.n > 0 && path.p[path.n - 1] == '/')
		path.n--;
	if (path.n > 0 && path.p[path.n - 1] == '/')
		path.n = 0;
	return path;
}

static bool
method_is(const struct route *route, struct slice method)
{
	return slice_is(method, slice_of(route->method)) ||
	       (slice_is(method, SLICE("HEAD")) && strcmp(route->method, "GET") == 0);
}

/* ---- tokens ------------------------------------------------------------------------------ */

/* The token of "Token <token>", the scheme in any case. */
static struct slice
presented(struct slice header)
{
	const struct slice scheme = SLICE("token ");

	if (header.n <= scheme.n || !slice_is_nocase((struct slice){header.p, scheme.n}, scheme))
		return (struct slice){NULL, 0};
	header.p += scheme.n;
	header.n -= scheme.n;
	while (header.n > 0 && header.p[0] == ' ')
		header = (struct slice){header.p + 1, header.n - 1};
	return header;
}

/* Looks at every token, so that the time tells nothing about which one it was. */
static const struct conf_token *
find_token(struct slice given)
{
	const struct conf_token *found = NULL;

	for (size_t i = 0; i < conf->token_count; i++)
		if (sign_equal(conf->tokens[i].token, given))
			found = &conf->tokens[i];
	return found;
}

void
route_log_who(const struct route_request *request)
{
	if (request == NULL)
		return;
	if (request->token != NULL)
		log_text("labels.token", request->token->name);
	log_address("client.ip", &request->in->peer);
}

void
route_log_asked(const struct route_request *request, const char *what,
    const struct conf_webhook *webhook, const struct uuid *delivery)
{
	log_begin(LOG_LEVEL_INFO, "server.warning", "%s is asked for", what);
	if (webhook != NULL)
		log_text("labels.webhook", webhook->name);
	if (delivery != NULL)
		log_uuid("labels.delivery", delivery);
	route_log_who(request);
	log_end();
}

/* Answers whom it does not let in, and says so: who tries tokens is seen. */
static bool
turn_away(struct route_request *request, int status, const char *detail)
{
	route_detail(request, status, detail);
	in_log_refused(request->in->conn, status, detail,
	    request->token == NULL ? SLICE("") : request->token->name);
	return false;
}

static bool
admit(struct route_request *request, enum access access)
{
	struct slice header = http_header(request->in->head, "Authorization");
	struct in_reply *reply = &request->in->reply;

	if (access == ACCESS_OPEN || (conf->token_count == 0 && request->in->local))
		return true;
	request->token = find_token(presented(header));
	if (request->token == NULL) {
		snprintf(reply->headers, sizeof reply->headers, "WWW-Authenticate: Token\r\n");
		return turn_away(request, 401,
		    header.n == 0 ? "Authentication credentials were not provided."
				  : "Invalid token.");
	}
	if (access == ACCESS_WRITE && request->token->read_only)
		return turn_away(request, 403,
		    "You do not have permission to perform this action.");
	return true;
}

bool
route_admit(struct route_request *request)
{
	return admit(request, ACCESS_READ);
}

/* ---- dispatch ---------------------------------------------------------------------------- */

static void
allow(struct route_request *request, const char *methods)
{
	struct in_reply *reply = &request->in->reply;

	route_detail(request, 405, "Method not allowed.");
	snprintf(reply->headers, sizeof reply->headers, "Allow: %s\r\n", methods);
}

/* From a snapshot that fails meanwhile, an answer is worth nothing. */
static void
serve(struct route_request *request, const struct route *route)
{
	bool before = turn_unread();

	route->handler(request);
	if (!before && turn_unread() && request->in->reply.status != 0)
		in_unavailable(request->in, "The store cannot be read.");
}

void
route_request(struct in_request *in)
{
	struct slice path = trim(in->head->path);
	struct route_request request = {.in = in};
	char methods[64] = "";
	bool named = false; /* a path without "{...}" is this one */

	for (size_t i = 0; i < COUNT_OF(routes); i++) {
		const struct route *route = &routes[i];
		bool open = strchr(route->path, '{') != NULL;
		size_t n = strlen(methods);

		if (!(route->surface & in->surfaces) || (named && open) ||
		    !match(route->path, path, request.part))
			continue;
		named = !open;
		if (method_is(route, in->head->method)) {
			in->route = (unsigned)i + 1;
			if (admit(&request, route->access))
				serve(&request, route);
			return;
		}
		snprintf(methods + n, sizeof methods - n, "%s%s%s", n > 0 ? ", " : "",
		    route->method, strcmp(route->method, "GET") == 0 ? ", HEAD" : "");
	}
	if (methods[0] != '\0')
		allow(&request, methods);
	else
		route_not_found(&request);
}

bool
route_is_bare(const struct http_head *head)
{
	struct slice part[ROUTE_PARTS];

	return slice_is(head->method, SLICE("POST")) &&
	       match("integration/{int_id}", trim(head->path), part);
}

unsigned
route_count(void)
{
	return COUNT_OF(routes) + 1;
}

const char *
route_path(unsigned route)
{
	return route == 0 ? "none" : routes[route - 1].path;
}

/* ---- for handlers ------------------------------------------------------------------------ */

struct slice
route_query(const struct route_request *request, const char *name)
{
	struct slice query = request->in->head->query, found = {NULL, 0};
	size_t n = strlen(name);

	while (query.n > 0) {
		const char *end = memchr(query.p, '&', query.n);
		size_t length = end == NULL ? query.n : (size_t)(end - query.p);

		if (length > n && query.p[n] == '=' && memcmp(query.p, name, n) == 0)
			found = (struct slice){query.p + n + 1, length - n - 1};
		length = end == NULL ? length : length + 1;
		query.p += length;
		query.n -= length;
	}
	return found;
}

struct slice
route_decode(struct slice text, char *room, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n && n < size; i++) {
		bool escape = text.p[i] == '%' && i + 2 < text.n;
		int high = escape ? ascii_hex(text.p[i + 1]) : -1;
		int low = escape ? ascii_hex(text.p[i + 2]) : -1;

		if (high >= 0 && low >= 0) {
			room[n++] = (char)(high * 16 + low);
			i += 2;
		} else {
			room[n++] = text.p[i];
		}
	}
	return (struct slice){room, n};
}

bool
route_number(struct slice text, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		*number = *number * 10 + (uint64_t)(text.p[i] - '0');
	}
	return text.n > 0 && text.n <= 18;
}

struct json_writer
route_reply(struct route_request *request, int status)
{
	request->in->reply.status = status;
	buf_clear(request->in->reply.body);
	return (struct json_writer){.buf = request->in->reply.body};
}

void
route_detail(struct route_request *request, int status, const char *detail)
{
	in_detail(request->in, status, detail);
}

bool
route_refuse(struct route_request *request, struct slice field, const char *what)
{
	struct json_writer w = route_reply(request, 400);
	struct buf text;

	buf_init(&text, 1024);
	buf_put_slice(&text, field);
	buf_printf(&text, ": %s", what);
	json_open(&w, '{');
	json_key(&w, "detail");
	json_string(&w, text.failed ? slice_of(what) : buf_slice(&text));
	json_close(&w, '}');
	buf_free(&text);
	return false;
}

const struct json *
route_body(struct route_request *request, struct arena *arena)
{
	struct in_request *in = request->in;
	struct json_error error;
	char what[sizeof error.what + 32];
	struct json *body;

	body = json_read_body(arena, in->body, in->body_n, route_json_limits(), &error);
	if (body != NULL && body->type == JSON_OBJECT)
		return body;
	if (arena->denied) {
		in_unavailable(request->in, "No memory.");
		return NULL;
	}
	if (body == NULL)
		snprintf(what, sizeof what, "%s (at byte %zu)", error.what, error.at);
	route_refuse(request, SLICE("body"), body == NULL ? what : "is not a JSON object");
	return NULL;
}

void
route_not_found(struct route_request *request)
{
	route_detail(request, 404, "Not Found.");
}
