/*
 * The configuration (CONTRACT §10): one JSON file with comments, checked whole, then immutable.
 *
 * conf_load() reads and checks; every fault is reported, not just the first, as
 * "FILE:LINE:COLUMN: key.path: what is wrong". The result is one reference-counted object: whoever
 * keeps a pointer into it across turns holds a reference. The last one wipes the secrets.
 *
 * All times are microseconds (int64_t), all sizes bytes. Texts are slices that live as long as the
 * object; they are well-formed UTF-8.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "proto/buf.h"
#include "proto/cidr.h"
#include "proto/incident.h"
#include "proto/sign.h"

struct mapping;
struct path;
struct rules;

/* Of all that is said about an object, in whatever way: alike for two only if that is. */
struct conf_print {
	uint64_t half[2];
};

enum conf_surface {
	SERVE_INGEST = 1,
	SERVE_STATUS = 2,
	SERVE_API = 4,
	SERVE_OPS = 8,
	SERVE_ALL = 15,
};

enum { CONF_LISTENERS = 64, CONF_UNIX_PATH = 107 }; /* at most; the second in bytes */

enum conf_listener_kind {
	LISTENER_TCP,
	LISTENER_UNIX,    /* "unix:PATH" */
	LISTENER_SYSTEMD, /* "systemd": the n-th of them is the n-th socket passed */
};

struct conf_listener {
	struct slice address;  /* as written: "127.0.0.1:8080", "[::1]:8080" */
	enum conf_listener_kind kind;
	struct slice host;     /* TCP: without brackets and port; empty: all addresses */
	int port;              /* TCP: 0 to 65535; 0: the system chooses */
	struct slice path;     /* UNIX */
	struct slice certificate, private_key; /* paths, both or none: it speaks TLS with them */
	unsigned serve;        /* conf_surface bits */
	bool proxy_protocol;   /* its connections begin with a PROXY header */
	struct conf_print print;
	bool local;            /* reached from this machine only; of SYSTEMD not known yet */
};

struct conf_token {
	struct slice name;
	struct slice token; /* secret */
	bool read_only;
	struct conf_print print;
};

/* A maintenance window: [start, end), again every `repeat` until repeat_until (0: once). */
struct conf_window {
	struct slice name;
	int64_t start, end, repeat, repeat_until;
};

enum conf_integration_type { INTEGRATION_GENERIC, INTEGRATION_PAGERTREE };

struct conf_integration {
	struct conf_service *service;
	struct slice name;
	enum conf_integration_type type;
	struct slice key;        /* as written */
	struct slice token;      /* secret; empty: none (pagertree) */
	bool enabled;
	int default_alert_type;  /* enum alert_type, -1: required */
	int create_incidents_for; /* lowest enum alert_type that creates; 99 for "none";
				   * pagertree: critical always does */
	int default_urgency;     /* 1 high, 0 low */
	bool capture_additional_data;
	struct conf_print print;
	int64_t rate_per_minute; /* 0: no limit */
	int64_t rate_burst;      /* 0: as many as a minute brings */
	const struct path *split;      /* of an array in the body; NULL: the body is one alert */
	const struct mapping *mapping; /* NULL: none; so the next one */
	const struct rules *rules;
	struct uuid unique_id;   /* derived from account, service and name */
	int64_t seen;            /* us: first time this store saw the name; set by the gateway */
	uint32_t id;             /* given by the store to the name; 0 until the gateway asked */
	size_t index;            /* place in conf->integrations */
};

enum conf_auth { AUTH_NONE = 0, AUTH_BASIC = 1, AUTH_HMAC = 2, AUTH_STANDARD = 4 };

enum { EVENT_TRIGGERED = 1, EVENT_ACKNOWLEDGED = 2, EVENT_RESOLVED = 4 }; /* bits of events */

struct conf_header {
	struct slice name, value;
	bool secret; /* the value was not in the file itself */
};

struct conf_webhook {
	struct conf_service *service;
	struct slice name;
	struct slice url;       /* as written; may hold credentials in its query: never logged */
	bool https;
	struct slice host;      /* name or address, without brackets */
	int port;
	struct slice authority; /* for Host: host, in brackets if IPv6, port unless default */
	struct slice target;    /* path and query, at least "/" */
	struct conf_header *headers;
	size_t header_count;
	unsigned auth;          /* conf_auth bits */
	struct slice username, password; /* secret */
	struct slice hmac_key;  /* secret */
	struct sign_key *signing_keys; /* secret; of standard-webhooks, none of them public */
	size_t signing_key_count;
	struct slice ca_file, certificate, private_key; /* paths; empty: none */
	bool insecure_skip_verify;
	unsigned events;
	int max_in_flight;
	int max_waiting;
	int64_t deadline;       /* us, 100 ms to 3 s */
	const int64_t *retry;   /* us; the webhook's own, or the file's */
	size_t retry_count;
	struct conf_print print;
	uint32_t id;            /* as above */
	size_t index;           /* place in conf->webhooks */
};

struct conf_user {
	struct user_facts facts;
	struct conf_print print;
};

struct conf_service {
	struct service_facts facts; /* created is 0 unless configured; status is 0 or 1 */
	bool enabled;
	bool under_maintenance;
	const struct conf_user *assigned_to; /* or NULL */
	struct conf_window *windows;
	size_t window_count;
	/* runs of conf->integrations and conf->webhooks */
	struct conf_integration *integrations;
	size_t integration_count;
	struct conf_webhook *webhooks;
	size_t webhook_count;
	struct conf_print print;    /* without its integrations and webhooks */
	int64_t seen;               /* us: first time this store saw the name; set by the gateway */
	uint32_t id;                /* as above */
};

enum conf_log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum conf_log_format { LOG_FORMAT_AUTO, LOG_FORMAT_JSON, LOG_FORMAT_TEXT };

struct conf {
	struct conf_listener *listeners;
	size_t listener_count;
	struct cidr *trusted_proxies;
	size_t trusted_proxy_count;
	struct slice data;       /* directory, relative to the working directory */
	struct slice account;
	int node;
	struct slice public_url; /* without a trailing slash */
	struct conf_token *tokens;
	size_t token_count;
	struct conf_user *users;
	size_t user_count;
	struct conf_service *services;
	size_t service_count;
	struct conf_integration *integrations; /* of all services, in file order */
	size_t integration_count;
	struct conf_webhook *webhooks;
	size_t webhook_count;
	struct cidr *allow_networks;
	size_t allow_network_count;
	struct {
		int64_t body, header, depth, values, split, connections, store;
		int64_t header_time, body_time, idle_time;
	} limits;
	struct {
		int64_t trace, incident;
	} retention;
	int64_t *retry;
	size_t retry_count;
	int64_t drain;
	enum conf_log_level log_level;
	enum conf_log_format log_format;
	struct conf_private *own; /* arena, reference count, indexes */
};

/* Called once per fault, in file order, with the whole line (no newline, strangers' bytes
 * escaped). */
typedef void conf_report(void *arg, const char *line);

/* What is wrong with the files that a listener or a webhook names for TLS, as a sentence in why;
 * the result is the option of its "tls" that it is about. NULL: nothing. */
struct conf_files {
	const char *(*listener)(const struct conf_listener *, char why[256]);
	const char *(*webhook)(const struct conf_webhook *, char why[256]);
};

/*
 * Reads and checks the file, which must be a regular one, as nobody is to wait for it. NULL when
 * there was a fault; every one was reported. Warnings (such as a secret file that others may read)
 * are reported with "warning: " behind the place and are no fault.
 */
struct conf *conf_load(const char *path, const struct conf_files *, conf_report *, void *arg) MUST;

/* The same for a process that runs under another configuration: what cannot change while it does is
 * a fault, too. */
struct conf *conf_load_again(const char *path, const struct conf *running,
    const struct conf_files *, conf_report *, void *arg) MUST;

/* The same of text in memory; name stands for the file. Secrets from files are still read. */
struct conf *conf_parse(const char *name, struct slice text, conf_report *, void *arg) MUST;

/* A difference between two configurations: something of that kind ("setting", "listener", "token",
 * "user", "service", "integration", "webhook") and name was added, removed or changed; within: the
 * name of its service, or empty. */
struct conf_difference {
	enum conf_change { CONF_ADDED, CONF_REMOVED, CONF_CHANGED } change;
	const char *kind;
	struct slice within, name;
};
typedef void conf_visit(void *arg, const struct conf_difference *);

/* Tells all of them, kind by kind in that order, each in the order of its names. The slices are
 * valid until visit returns. False without memory: not all were told. */
bool conf_compare(const struct conf *was, const struct conf *is, conf_visit *, void *arg) MUST;

struct conf *conf_hold(const struct conf *) NONNULL;
void conf_release(struct conf *); /* NULL is fine */

/* The integration of that type with that key, enabled or not; NULL if there is none. Keys are
 * looked up by their digests, so that the time it takes tells nothing of them. */
struct conf_integration *conf_integration_find(const struct conf *, enum conf_integration_type,
    struct slice key) MUST;
/* The same, but NULL unless it is enabled, and its service too. */
struct conf_integration *conf_integration_by_key(const struct conf *, enum conf_integration_type,
    struct slice key) MUST;
bool conf_integration_enabled(const struct conf_integration *) NONNULL;
struct conf_webhook *conf_webhook_by_name(const struct conf *, struct slice name) MUST;
struct conf_service *conf_service_by_id(const struct conf *, const struct uuid *) MUST;
struct conf_user *conf_user_by_name(const struct conf *, struct slice username) MUST;

/* True while wall time `now` (us) is inside a window of the service, or it is under_maintenance. */
bool conf_in_maintenance(const struct conf_service *, int64_t now) NONNULL;

/* "3s", "60m", "30d", "500ms", "2h"; "512KiB", "64GiB", "100". False for anything else or
 * overflow. */
bool conf_parse_time(struct slice, int64_t *us) MUST NONNULL;
bool conf_parse_size(struct slice, int64_t *bytes) MUST NONNULL;

#endif
