/* What a configuration becomes (CONTRACT §10), and what is found in it. */
#include "parse.h"
#include "proto/alert.h"

#define MS     ((int64_t)1000)
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)

static const char whole[] =
    "{'account': 'acme', 'node': 255, 'data': '/var/lib/tocsin', 'public_url': 'https://t.example/x//',"
    " 'listen': [{'address': '[::1]:8080', 'serve': ['api', 'ops']},"
    "            {'address': ':443', 'serve': ['ingest', 'status']},"
    "            {'address': '127.9.9.9:0'}, {'address': '127.9.9.9:0'}],"
    " 'trusted_proxies': ['10.0.0.0/8', '::1'], 'allow_networks': ['127.0.0.0/8'],"
    " 'tokens': [{'name': 'ops', 'token': '0123456789abcdef'},"
    "            {'name': 'look', 'token': '0123456789abcdeg', 'read_only': true}],"
    " 'users': [{'username': 'ada', 'first_name': 'Ada', 'last_name': 'L', 'email': 'a@b'},"
    "           {'username': 'bob'}],"
    " 'services': ["
    "  {'name': 'One', 'unique_id': 'CADFE35Fe3b14175b118a595bff9a214', 'assigned_to': 'bob',"
    "   'creation_date': '2026-11-21T09:00:00Z', 'summary': 's', 'description': 'd',"
    "   'created_by': 'c', 'team': 'cadfe35fe3b14175b118a595bff9a214', 'auto_resolve_timeout': 60,"
    "   'acknowledgement_timeout': 61, 'collation': 1, 'collation_time': 5,"
    "   'maintenance': [{'name': 'm', 'start': '2026-11-21T09:00:00Z', 'end': '2026-11-21T10:00:00Z',"
    "                    'repeat': '7d', 'repeat_until': '2027-11-21T09:00:00Z'},"
    "                   {'start': '2026-11-21T09:00:00Z', 'end': '2026-11-21T10:00:00Z', 'repeat': 0}],"
    "   'integrations': [{'name': 'I', 'key': 'key-1', 'default_alert_type': 'critical',"
    "                     'create_incidents_for': 'none', 'default_urgency': 'low'},"
    "                    {'name': 'J', 'key': 'key-2', 'enabled': false}],"
    "   'webhooks': [{'name': 'w1', 'url': 'http://[::1]:81/a?b', 'headers': {'X-A': 'b c', 'X-D': 'e'},"
    "                 'auth': [{'type': 'hmac', 'key': 'k'},"
    "                          {'type': 'basic', 'username': 'u', 'password': 'p:q'}],"
    "                 'events': ['resolved', 'triggered'], 'max_in_flight': 1, 'max_waiting': 2,"
    "                 'deadline': '100ms', 'retry': ['100ms', '1d']}]},"
    "  {'name': 'Two', 'enabled': false, 'under_maintenance': true,"
    "   'integrations': [{'name': 'I', 'key': 'KEY-1'}]},"
    "  {'name': 'Three',"
    "   'integrations': [{'name': 'I', 'key': 'key-3'}], 'webhooks': [{'name': 'a', 'url': 'http://h'}]}],"
    " 'limits': {'body': 2048, 'store': '1TiB'}, 'retry': ['7s'], 'log': {'level': 'error', 'format': 'text'}}";

static void
test_conf_top(void **state)
{
	struct conf *conf = parse_good(whole);
	struct address ten = address_ipv4((const uint8_t[]){10, 1, 2, 3});

	(void)state;
	assert_slice(conf->account, "acme");
	assert_int_equal(conf->node, 255);
	assert_slice(conf->data, "/var/lib/tocsin");
	assert_slice(conf->public_url, "https://t.example/x");
	assert_int_equal(conf->trusted_proxy_count, 2);
	assert_true(cidr_has(&conf->trusted_proxies[0], &ten));
	assert_false(cidr_has(&conf->trusted_proxies[1], &ten));
	assert_int_equal(conf->allow_network_count, 1);
	assert_int_equal(conf->limits.body, 2048);
	assert_int_equal(conf->limits.store, (int64_t)1 << 40);
	assert_int_equal(conf->limits.header, 16384); /* its neighbours keep their defaults */
	assert_int_equal(conf->retry_count, 1);
	assert_int_equal(conf->retry[0], 7 * SECOND);
	assert_int_equal(conf->log_level, LOG_LEVEL_ERROR);
	assert_int_equal(conf->log_format, LOG_FORMAT_TEXT);
	conf_release(conf);
}

static void
test_conf_listeners(void **state)
{
	struct conf *conf = parse_good(whole);

	(void)state;
	assert_int_equal(conf->listener_count, 4);
	assert_slice(conf->listeners[0].address, "[::1]:8080");
	assert_slice(conf->listeners[0].host, "::1");
	assert_int_equal(conf->listeners[0].port, 8080);
	assert_int_equal(conf->listeners[0].serve, SERVE_API | SERVE_OPS);
	assert_true(conf->listeners[0].local);
	assert_slice(conf->listeners[1].host, "");
	assert_int_equal(conf->listeners[1].port, 443);
	assert_int_equal(conf->listeners[1].serve, SERVE_INGEST | SERVE_STATUS);
	assert_false(conf->listeners[1].local);
	assert_int_equal(conf->listeners[2].port, 0);
	assert_int_equal(conf->listeners[2].serve, SERVE_ALL);
	assert_true(conf->listeners[2].local);
	conf_release(conf);
}

/* Two sockets may be passed; a path, and who reaches it, is known at once. */
static void
test_conf_listeners_elsewhere(void **state)
{
	struct conf *conf = parse_good("{'listen': [{'address': 'systemd'}, {'address': 'systemd'},"
				       " {'address': 'unix:/run/tocsin.sock', 'proxy_protocol': true,"
				       "  'tls': {'certificate': 'c.pem', 'key': 'k.pem'}}]}");

	(void)state;
	assert_int_equal(conf->listener_count, 3);
	assert_int_equal(conf->listeners[0].kind, LISTENER_SYSTEMD);
	assert_int_equal(conf->listeners[1].kind, LISTENER_SYSTEMD);
	assert_int_equal(conf->listeners[2].kind, LISTENER_UNIX);
	assert_slice(conf->listeners[2].path, "/run/tocsin.sock");
	assert_true(conf->listeners[2].local);
	assert_true(conf->listeners[2].proxy_protocol);
	assert_slice(conf->listeners[2].certificate, "c.pem");
	assert_slice(conf->listeners[2].private_key, "k.pem");
	assert_false(conf->listeners[1].proxy_protocol);
	assert_int_equal(conf->listeners[1].certificate.n, 0);
	conf_release(conf);
}

static void
test_conf_people(void **state)
{
	struct conf *conf = parse_good(whole);

	(void)state;
	assert_int_equal(conf->token_count, 2);
	assert_slice(conf->tokens[0].name, "ops");
	assert_slice(conf->tokens[0].token, "0123456789abcdef");
	assert_false(conf->tokens[0].read_only);
	assert_true(conf->tokens[1].read_only);
	assert_int_equal(conf->user_count, 2);
	assert_slice(conf->users[0].facts.email, "a@b");
	assert_slice(conf->users[1].facts.first_name, "");
	assert_ptr_equal(conf->services[0].assigned_to, &conf->users[1]);
	assert_null(conf->services[1].assigned_to);
	conf_release(conf);
}

static void
test_conf_service(void **state)
{
	struct conf *conf = parse_good(whole);
	const struct conf_service *one = &conf->services[0];
	char id[UUID_TEXT];

	(void)state;
	assert_int_equal(conf->service_count, 3);
	uuid_text(&one->facts.unique_id, id);
	assert_string_equal(id, "cadfe35f-e3b1-4175-b118-a595bff9a214");
	assert_slice(one->facts.team, "cadfe35f-e3b1-4175-b118-a595bff9a214");
	assert_slice(one->facts.sla, "");
	assert_int_equal(one->facts.created, 1795251600 * SECOND);
	assert_slice(one->facts.created_by, "c");
	assert_int_equal(one->facts.auto_resolve_timeout, 60);
	assert_int_equal(one->facts.acknowledgement_timeout, 61);
	assert_int_equal(one->facts.collation, 1);
	assert_int_equal(one->facts.collation_time, 5);
	assert_int_equal(one->facts.status, 1);
	assert_int_equal(conf->services[1].facts.status, 0);
	assert_true(conf->services[1].facts.under_maintenance);
	assert_true(conf_in_maintenance(&conf->services[1], 0));
	assert_int_equal(one->window_count, 2);
	assert_int_equal(one->windows[0].repeat, 7 * 24 * 60 * MINUTE);
	assert_int_equal(one->windows[0].end - one->windows[0].start, 60 * MINUTE);
	assert_int_equal(one->windows[1].repeat, 0);
	conf_release(conf);
}

/* All integrations and webhooks are counted through; services have runs of them. */
static void
test_conf_runs(void **state)
{
	struct conf *conf = parse_good(whole);

	(void)state;
	assert_int_equal(conf->integration_count, 4);
	assert_int_equal(conf->webhook_count, 2);
	for (size_t i = 0; i < conf->integration_count; i++)
		assert_int_equal(conf->integrations[i].index, i);
	assert_ptr_equal(conf->services[0].integrations, &conf->integrations[0]);
	assert_ptr_equal(conf->services[1].integrations, &conf->integrations[2]);
	assert_ptr_equal(conf->services[2].integrations, &conf->integrations[3]);
	assert_ptr_equal(conf->integrations[2].service, &conf->services[1]);
	assert_int_equal(conf->services[1].webhook_count, 0);
	assert_ptr_equal(conf->services[2].webhooks, &conf->webhooks[1]);
	assert_ptr_equal(conf->webhooks[1].service, &conf->services[2]);
	assert_int_equal(conf->webhooks[1].index, 1);
	conf_release(conf);
}

static void
test_conf_integration(void **state)
{
	struct conf *conf = parse_good(whole);
	const struct conf_integration *set = &conf->integrations[0], *unset = &conf->integrations[3];

	(void)state;
	assert_int_equal(set->default_alert_type, 3);
	assert_int_equal(set->create_incidents_for, 99);
	assert_int_equal(set->default_urgency, 0);
	assert_int_equal(unset->type, INTEGRATION_GENERIC);
	assert_int_equal(unset->default_alert_type, -1);
	assert_int_equal(unset->create_incidents_for, 3);
	assert_int_equal(unset->default_urgency, 1);
	assert_true(unset->enabled);
	conf_release(conf);
}

static void
test_conf_webhook(void **state)
{
	struct conf *conf = parse_good(whole);
	const struct conf_webhook *w = &conf->webhooks[0];

	(void)state;
	assert_slice(w->url, "http://[::1]:81/a?b");
	assert_slice(w->host, "::1");
	assert_int_equal(w->port, 81);
	assert_slice(w->authority, "[::1]:81");
	assert_slice(w->target, "/a?b");
	assert_int_equal(w->header_count, 2);
	assert_slice(w->headers[0].name, "X-A");
	assert_slice(w->headers[0].value, "b c");
	assert_slice(w->headers[1].name, "X-D");
	assert_int_equal(w->auth, AUTH_BASIC | AUTH_HMAC);
	assert_slice(w->hmac_key, "k");
	assert_slice(w->username, "u");
	assert_slice(w->password, "p:q");
	assert_int_equal(w->events, EVENT_TRIGGERED | EVENT_RESOLVED);
	assert_int_equal(w->max_in_flight, 1);
	assert_int_equal(w->max_waiting, 2);
	assert_int_equal(w->deadline, 100 * MS);
	assert_int_equal(w->retry_count, 2);
	assert_int_equal(w->retry[1], 24 * 60 * MINUTE);
	/* the other one takes the file's */
	assert_int_equal(conf->webhooks[1].retry_count, 1);
	assert_int_equal(conf->webhooks[1].retry[0], 7 * SECOND);
	assert_int_equal(conf->webhooks[1].auth, AUTH_NONE);
	conf_release(conf);
}

/* The defaults that CONTRACT §8 and §10 promise, by their numbers. */
static void
test_conf_defaults(void **state)
{
	static const int64_t retry[] = {5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE,
	    60 * MINUTE, 120 * MINUTE, 240 * MINUTE, 480 * MINUTE, 480 * MINUTE};
	struct conf *conf = parse_good("{}");

	(void)state;
	assert_int_equal(conf->listener_count, 1);
	assert_slice(conf->listeners[0].address, "127.0.0.1:8080");
	assert_int_equal(conf->listeners[0].serve, SERVE_ALL);
	assert_slice(conf->account, "demo1");
	assert_int_equal(conf->limits.body, 512 << 10);
	assert_int_equal(conf->limits.header, 16 << 10);
	assert_int_equal(conf->limits.depth, 32);
	assert_int_equal(conf->limits.values, 20000);
	assert_int_equal(conf->limits.split, 1000);
	assert_int_equal(conf->limits.connections, 10000);
	assert_int_equal(conf->limits.header_time, 10 * SECOND);
	assert_int_equal(conf->limits.body_time, 30 * SECOND);
	assert_int_equal(conf->limits.idle_time, 75 * SECOND);
	assert_int_equal(conf->limits.store, (int64_t)64 << 30);
	assert_int_equal(conf->retention.trace, 60 * MINUTE);
	assert_int_equal(conf->retention.incident, 30 * 24 * 60 * MINUTE);
	assert_int_equal(conf->drain, 10 * SECOND);
	assert_int_equal(conf->retry_count, COUNT_OF(retry));
	assert_memory_equal(conf->retry, retry, sizeof retry);
	assert_int_equal(conf->log_level, LOG_LEVEL_INFO);
	assert_int_equal(conf->log_format, LOG_FORMAT_AUTO);
	assert_int_equal(conf->service_count + conf->integration_count + conf->webhook_count, 0);
	assert_null(conf_integration_by_key(conf, INTEGRATION_GENERIC, SLICE("k")));
	assert_null(conf_webhook_by_name(conf, SLICE("w")));
	conf_release(conf);
}

static struct uuid
service_id(const char *text)
{
	struct conf *conf = parse_good(text);
	struct uuid id = conf->services[0].facts.unique_id;

	conf_release(conf);
	return id;
}

/* Derived ids never change: what is stored and what receivers keep hangs on them. */
static void
test_conf_derived_id(void **state)
{
	struct uuid id = service_id("{'services': [{'name': 'Payments'}]}");
	struct uuid again = service_id("{'account': 'demo1', 'node': 3, 'services': [{'name': 'Payments'}]}");
	struct uuid name = service_id("{'services': [{'name': 'Payment'}]}");
	struct uuid account = service_id("{'account': 'demo', 'services': [{'name': '1Payments'}]}");
	char text[UUID_TEXT];

	(void)state;
	uuid_text(&id, text);
	/* printf 'demo1\0Payments' | sha256sum, with version 8 and the variant set */
	assert_string_equal(text, "403e1cf2-40e5-8052-98a2-78a7c5ad7ae9");
	assert_memory_equal(&again, &id, sizeof id);
	assert_memory_not_equal(&name, &id, sizeof id);
	assert_memory_not_equal(&account, &id, sizeof id);
}

/* An integration's hangs on its service's name, and not on its key. */
static void
test_conf_derived_integration_id(void **state)
{
	struct conf *conf = parse_good(
	    "{'services': [{'name': 'Payments', 'unique_id': 'cadfe35fe3b14175b118a595bff9a214',"
	    " 'integrations': [{'name': 'Generic', 'key': 'k'}, {'name': 'Other', 'key': 'l'}]},"
	    " {'name': 'Search', 'integrations': [{'name': 'Generic', 'key': 'm'}]}]}");
	const struct conf_integration *i = conf->integrations;
	char text[UUID_TEXT];

	(void)state;
	uuid_text(&i[0].unique_id, text);
	/* printf 'demo1\0Payments\0Generic' | sha256sum, and so on */
	assert_string_equal(text, "7f0aa689-04e0-8ed2-b2da-86fd2c32c501");
	assert_int_not_equal(uuid_compare(&i[0].unique_id, &i[1].unique_id), 0);
	assert_int_not_equal(uuid_compare(&i[0].unique_id, &i[2].unique_id), 0);
	conf_release(conf);
}

static void
test_conf_find_service_and_user(void **state)
{
	struct conf *conf = parse_good(whole);
	struct uuid id;

	(void)state;
	for (size_t i = 0; i < conf->service_count; i++) {
		id = conf->services[i].facts.unique_id;
		assert_ptr_equal(conf_service_by_id(conf, &id), &conf->services[i]);
	}
	id.b[0] ^= 1;
	assert_null(conf_service_by_id(conf, &id));
	assert_ptr_equal(conf_user_by_name(conf, SLICE("bob")), &conf->users[1]);
	assert_null(conf_user_by_name(conf, SLICE("bo")));
	assert_null(conf_user_by_name(conf, SLICE("Bob")));
	assert_null(conf_user_by_name(conf, (struct slice){NULL, 0}));
	conf_release(conf);
}

static void
test_conf_find_integration(void **state)
{
	struct conf *conf = parse_good(whole);
	const enum conf_integration_type generic = INTEGRATION_GENERIC;

	(void)state;
	assert_ptr_equal(conf_integration_by_key(conf, generic, SLICE("key-1")), &conf->integrations[0]);
	assert_ptr_equal(conf_integration_by_key(conf, generic, SLICE("key-3")), &conf->integrations[3]);
	assert_null(conf_integration_by_key(conf, INTEGRATION_PAGERTREE, SLICE("key-1")));
	assert_null(conf_integration_by_key(conf, generic, SLICE("key-2"))); /* disabled */
	assert_null(conf_integration_by_key(conf, generic, SLICE("KEY-1"))); /* its service is */
	assert_null(conf_integration_by_key(conf, generic, SLICE("KEY-3"))); /* exactly */
	assert_null(conf_integration_by_key(conf, generic, SLICE("key-")));
	assert_null(conf_integration_by_key(conf, generic, SLICE("key-11")));
	assert_null(conf_integration_by_key(conf, generic, (struct slice){NULL, 0}));
	conf_release(conf);
}

/* Those that are switched off are there for who asks for them. */
static void
test_conf_find_disabled(void **state)
{
	struct conf *conf = parse_good(whole);
	struct conf_integration *found;

	(void)state;
	found = conf_integration_find(conf, INTEGRATION_GENERIC, SLICE("key-2"));
	assert_non_null(found);
	assert_false(conf_integration_enabled(found));
	found = conf_integration_find(conf, INTEGRATION_GENERIC, SLICE("KEY-1"));
	assert_non_null(found);
	assert_true(found->enabled);
	assert_false(conf_integration_enabled(found)); /* its service is */
	found = conf_integration_find(conf, INTEGRATION_GENERIC, SLICE("key-1"));
	assert_true(conf_integration_enabled(found));
	assert_null(conf_integration_find(conf, INTEGRATION_PAGERTREE, SLICE("key-2")));
	assert_null(conf_integration_find(conf, INTEGRATION_GENERIC, SLICE("key-4")));
	conf_release(conf);
}

/* CONTRACT §6: a PagerTree create opens an incident whatever create_incidents_for says. */
static void
test_conf_pagertree_threshold(void **state)
{
	struct conf *conf = parse_good(
	    "{'services': [{'name': 'S', 'integrations': ["
	    "{'name': 'a', 'key': 'a', 'type': 'pagertree', 'create_incidents_for': 'none'},"
	    "{'name': 'b', 'key': 'b', 'type': 'pagertree', 'create_incidents_for': 'warning',"
	    " 'token': 't', 'capture_additional_data': true},"
	    "{'name': 'c', 'key': 'c', 'create_incidents_for': 'none',"
	    " 'rate_limit': {'per_minute': 7, 'burst': 3}}]}]}");

	(void)state;
	assert_int_equal(conf->integrations[0].create_incidents_for, ALERT_CRITICAL);
	assert_int_equal(conf->integrations[1].create_incidents_for, ALERT_WARNING);
	assert_int_equal(conf->integrations[2].create_incidents_for, 99);
	assert_true(slice_is(conf->integrations[1].token, SLICE("t")));
	assert_true(conf->integrations[1].capture_additional_data);
	assert_int_equal(conf->integrations[2].rate_per_minute, 7);
	assert_int_equal(conf->integrations[2].rate_burst, 3);
	conf_release(conf);
}

static void
test_conf_find_webhook(void **state)
{
	struct conf *conf = parse_good(whole);

	(void)state;
	assert_ptr_equal(conf_webhook_by_name(conf, SLICE("w1")), &conf->webhooks[0]);
	assert_ptr_equal(conf_webhook_by_name(conf, SLICE("a")), &conf->webhooks[1]);
	assert_null(conf_webhook_by_name(conf, SLICE("w")));
	assert_null(conf_webhook_by_name(conf, SLICE("w11")));
	assert_null(conf_webhook_by_name(conf, (struct slice){NULL, 0}));
	conf_release(conf);
}

/* A key stands for one integration of each type. */
static void
test_conf_find_by_type(void **state)
{
	struct conf *conf = parse_good("{'services': [{'name': 'S', 'integrations': [{'name': 'I', 'key': 'k'}]}]}");

	(void)state;
	conf->integrations[0].type = INTEGRATION_PAGERTREE;
	assert_null(conf_integration_by_key(conf, INTEGRATION_GENERIC, SLICE("k")));
	assert_ptr_equal(conf_integration_by_key(conf, INTEGRATION_PAGERTREE, SLICE("k")),
	    &conf->integrations[0]);
	conf_release(conf);
}

/* Enough of them that every branch of the search is taken. */
static void
test_conf_find_among_many(void **state)
{
	enum { MANY = 500 };
	struct buf b;
	struct conf *conf;
	char key[32];

	(void)state;
	buf_init(&b, 1 << 20);
	buf_puts(&b, "{'services': [{'name': 'S', 'integrations': [");
	for (int i = 0; i < MANY; i++)
		buf_printf(&b, "%s{'name': 'i%d', 'key': 'k%d'}", i == 0 ? "" : ",", i, i);
	buf_putc(&b, ']');
	buf_puts(&b, "}]}");
	buf_putc(&b, '\0');
	assert_false(b.failed);
	conf = parse_good(b.p);
	for (int i = 0; i < MANY; i++) {
		snprintf(key, sizeof key, "k%d", i);
		assert_ptr_equal(conf_integration_by_key(conf, INTEGRATION_GENERIC, slice_of(key)),
		    &conf->integrations[i]);
		snprintf(key, sizeof key, "k%d", i + MANY);
		assert_null(conf_integration_by_key(conf, INTEGRATION_GENERIC, slice_of(key)));
	}
	conf_release(conf);
	buf_free(&b);
}

/* Keys and names of integrations may come again where they are told apart. */
static void
test_conf_same_name_elsewhere(void **state)
{
	(void)state;
	conf_release(parse_good(
	    "{'services': [{'name': 'A', 'integrations': [{'name': 'I', 'key': '1'}]},"
	    "              {'name': 'B', 'integrations': [{'name': 'I', 'key': '2'}]}]}"));
}

/* What an object does not need may be written out as long as it says nothing. */
static void
test_conf_written_out(void **state)
{
	(void)state;
	conf_release(parse_good(
	    "{'listen': [{'address': '127.0.0.1:1', 'tls': {'key': null}}], 'services':"
	    " [{'name': 'S', 'integrations': [{'name': 'I', 'key': 'k', 'split': null, 'mapping': [],"
	    " 'rules': [], 'rate_limit': {'per_minute': 0, 'burst': 0}}], 'webhooks': [{'name': 'W',"
	    " 'url': 'http://a', 'tls': {'ca_file': null, 'insecure_skip_verify': false}}]}]}"));
}

/* A listener beyond this machine: with tokens, or for what anybody may see (CONTRACT §2). */
static void
test_conf_exposed(void **state)
{
	(void)state;
	conf_release(parse_good("{'listen': [{'address': ':80', 'serve': ['ingest', 'status']}]}"));
	conf_release(parse_good("{'listen': [{'address': ':80'}],"
				" 'tokens': [{'name': 'T', 'token': '0123456789abcdef'}]}"));
}

/* The bounds themselves are inside. */
static void
test_conf_borders(void **state)
{
	static const char *const texts[] = {
		"{'account': '0123456789_bcdef-123456789ABCDEF', 'node': 255, 'drain': 0}",
		"{'limits': {'body': '1KiB', 'header': '1KiB', 'depth': 2, 'split': 1, 'connections': 1,"
		" 'header_time': '100ms', 'body_time': '100ms', 'idle_time': '100ms', 'store': '16MiB'}}",
		"{'limits': {'body': '16MiB', 'header': '64KiB', 'depth': 512, 'split': 10000,"
		" 'connections': 1000000, 'header_time': '1h', 'body_time': '1h', 'idle_time': '60m',"
		" 'store': '1TiB'}}",
		"{'retention': {'trace': '60m', 'incident': '1h'}, 'retry': ['100ms', '24h']}",
		"{'retention': {'trace': '30d'}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		conf_release(parse_good(texts[i]));
}

static void
test_conf_references(void **state)
{
	struct conf *conf = parse_good("{'account': 'held'}");

	(void)state;
	assert_ptr_equal(conf_hold(conf), conf);
	conf_release(conf);
	assert_slice(conf->account, "held");
	conf_release(conf);
	conf_release(NULL);
}

static void
test_conf_load_absent(void **state)
{
	struct lines lines = {.n = 0};

	(void)state;
	assert_null(conf_load("/nowhere/tocsin.json", NULL, add_line, &lines));
	assert_string_equal(lines.text,
	    "/nowhere/tocsin.json: cannot be read: No such file or directory\n");
	memset(&lines, 0, sizeof lines);
	assert_null(conf_load("/", NULL, add_line, &lines));
	assert_string_equal(lines.text, "/: cannot be read: it is not a regular file\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conf_top),
		cmocka_unit_test(test_conf_listeners),
		cmocka_unit_test(test_conf_listeners_elsewhere),
		cmocka_unit_test(test_conf_people),
		cmocka_unit_test(test_conf_service),
		cmocka_unit_test(test_conf_runs),
		cmocka_unit_test(test_conf_integration),
		cmocka_unit_test(test_conf_webhook),
		cmocka_unit_test(test_conf_defaults),
		cmocka_unit_test(test_conf_derived_id),
		cmocka_unit_test(test_conf_derived_integration_id),
		cmocka_unit_test(test_conf_find_service_and_user),
		cmocka_unit_test(test_conf_find_integration),
		cmocka_unit_test(test_conf_find_disabled),
		cmocka_unit_test(test_conf_pagertree_threshold),
		cmocka_unit_test(test_conf_find_webhook),
		cmocka_unit_test(test_conf_find_by_type),
		cmocka_unit_test(test_conf_find_among_many),
		cmocka_unit_test(test_conf_same_name_elsewhere),
		cmocka_unit_test(test_conf_written_out),
		cmocka_unit_test(test_conf_exposed),
		cmocka_unit_test(test_conf_borders),
		cmocka_unit_test(test_conf_references),
		cmocka_unit_test(test_conf_load_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
