/*
 * Taking a configuration over: every name gets its number (new ones are written), the engine's
 * tables by number point into the configuration, and timers are filed where time-outs have changed,
 * a few in each tick. The tables point back if the turn fails.
 */
#include "gateway/engine_parts.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

/* One of the tables by number, which has engine.room elements so far; NULL without memory. */
static void *
grow(void *table, size_t room, size_t size)
{
	char *grown = realloc(table, room * size);

	if (grown != NULL)
		memset(grown + engine.room * size, 0, (room - engine.room) * size);
	return grown;
}

bool
engine_make_room(uint32_t id)
{
	size_t room = engine.room == 0 ? 64 : engine.room;
	void *hooks, *integrations, *services;

	while (room <= id)
		room *= 2;
	if (room == engine.room)
		return true;
	hooks = grow(engine.hooks, room, sizeof *engine.hooks);
	engine.hooks = hooks == NULL ? engine.hooks : hooks;
	integrations = grow(engine.integrations, room, sizeof(*engine.integrations));
	engine.integrations = integrations == NULL ? engine.integrations : integrations;
	services = grow(engine.services, room, sizeof(*engine.services));
	engine.services = services == NULL ? engine.services : services;
	if (hooks == NULL || integrations == NULL || services == NULL)
		return false;
	engine.room = room;
	return true;
}

/* The number of a name, given out on first sight; *seen: when that was. 0 without memory. */
static uint32_t
name_number(struct txn *txn, enum name_kind kind, struct slice text, int64_t wall,
    struct name_row *row)
{
	if (!names_get(txn, kind, text, row)) {
		*row = (struct name_row){.id = engine.meta.next_name++, .seen = wall};
		names_put(txn, kind, text, row);
	}
	return engine_make_room(row->id) ? row->id : 0;
}

static bool
number_integration(struct txn *txn, struct conf_integration *integration, int64_t wall)
{
	struct name_row row = {0};
	struct buf text;

	buf_init(&text, 1 << 20);
	buf_put_slice(&text, integration->service->facts.name);
	buf_putc(&text, '\0');
	buf_put_slice(&text, integration->name);
	if (!text.failed)
		integration->id =
		    name_number(txn, NAME_INTEGRATION, buf_slice(&text), wall, &row);
	integration->seen = row.seen;
	buf_free(&text);
	return integration->id != 0;
}

static bool
number_service(struct txn *txn, struct conf_service *service, int64_t wall)
{
	struct name_row row;

	service->id = name_number(txn, NAME_SERVICE, service->facts.name, wall, &row);
	service->seen = row.seen;
	if (service->id == 0)
		return false;
	for (size_t i = 0; i < service->integration_count; i++)
		if (!number_integration(txn, &service->integrations[i], wall))
			return false;
	for (size_t i = 0; i < service->webhook_count; i++) {
		struct conf_webhook *webhook = &service->webhooks[i];

		webhook->id = name_number(txn, NAME_WEBHOOK, webhook->name, wall, &row);
		if (webhook->id == 0)
			return false;
		engine.hooks[webhook->id].held = row.paused;
	}
	return true;
}

/* Changes whenever a service's timeouts do. */
static uint64_t
timeouts_print(const struct conf *conf)
{
	static const uint8_t key[crypto_shorthash_KEYBYTES] = "timeouts";
	uint64_t print = 0;

	for (size_t i = 0; i < conf->service_count; i++) {
		uint8_t in[8 + 4 + 8 + 8], out[crypto_shorthash_BYTES];

		put_u64(in, print);
		put_u32(in + 8, conf->services[i].id);
		put_u64(in + 12, (uint64_t)conf->services[i].facts.auto_resolve_timeout);
		put_u64(in + 20, (uint64_t)conf->services[i].facts.acknowledgement_timeout);
		crypto_shorthash(out, in, sizeof in, key);
		print = get_u64(out);
	}
	return print;
}

/* The tables by number go to conf; NULL: nothing is configured. */
static void
index_conf(const struct conf *conf)
{
	for (size_t i = 0; i < engine.room; i++) {
		engine.hooks[i].conf = NULL;
		engine.integrations[i] = NULL;
		engine.services[i] = NULL;
	}
	for (size_t i = 0; conf != NULL && i < conf->service_count; i++)
		engine.services[conf->services[i].id] = &conf->services[i];
	for (size_t i = 0; conf != NULL && i < conf->integration_count; i++)
		engine.integrations[conf->integrations[i].id] = &conf->integrations[i];
	for (size_t i = 0; conf != NULL && i < conf->webhook_count; i++)
		engine.hooks[conf->webhooks[i].id].conf = &conf->webhooks[i];
}

int
engine_configure(struct txn *txn, struct conf *conf, int64_t wall)
{
	assert(!engine.swapped);
	engine_touch();
	for (size_t i = 0; i < conf->service_count; i++)
		if (!number_service(txn, &conf->services[i], wall))
			return -1;
	if (!engine_make_room(engine.meta.next_name))
		return -1;
	index_conf(conf);
	engine.former = engine.conf;
	engine.conf = conf_hold(conf);
	engine.swapped = true;
	/* Timers that are filed by now may be those of any configuration since the last print. */
	if (engine.refile != 0 || timeouts_print(conf) != engine.meta.conf_print)
		engine.refile = 1;
	if (engine.refile != 0)
		engine_refile(txn, 0); /* there may be none */
	return 0;
}

void
engine_settle_conf(bool committed)
{
	struct conf *gone = committed ? engine.former : engine.conf;

	if (!engine.swapped)
		return;
	if (!committed) {
		index_conf(engine.former);
		engine.conf = engine.former;
	}
	conf_release(gone);
	engine.former = NULL;
	engine.swapped = false;
}

void
engine_refile(struct txn *txn, uint32_t max)
{
	struct open_incident *incident;

	engine_touch();
	for (; open_after(txn, &engine.refile); engine.refile++) {
		if (max-- == 0)
			return;
		incident = open_by_number(engine.refile);
		if (incident != NULL)
			incident_file_timers(txn, incident);
	}
	engine.refile = 0;
	engine.meta.conf_print = timeouts_print(engine.conf);
}
