/*
 * The file has its integrations and webhooks within services; the gateway counts them through. Here
 * the services' lists become runs of one list each:
 *
 *     services[0].integrations ─┐        services[1].integrations ─┐
 *     conf->integrations:       [ a  b ][                          c  d  e ]
 *
 * and what the file left open gets its value: ids of services and integrations, retries of
 * webhooks.
 */
#include "conf/derive.h"

#include <sodium.h>

#include "conf/private.h"
#include "proto/alert.h"

/* The same account and names give the same id, on any node, for ever. inner: of what is inside
 * what has the name, or empty. */
static struct uuid
derive_id(struct slice account, struct slice name, struct slice inner)
{
	uint8_t digest[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	struct uuid id;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const uint8_t *)account.p, account.n);
	crypto_hash_sha256_update(&state, (const uint8_t *)"", 1);
	crypto_hash_sha256_update(&state, (const uint8_t *)name.p, name.n);
	if (inner.n > 0) {
		crypto_hash_sha256_update(&state, (const uint8_t *)"", 1);
		crypto_hash_sha256_update(&state, (const uint8_t *)inner.p, inner.n);
	}
	crypto_hash_sha256_final(&state, digest);
	memcpy(id.b, digest, sizeof id.b);
	/* Version 8 of RFC 9562: made by rules of our own. */
	id.b[6] = (uint8_t)((id.b[6] & 0x0f) | 0x80);
	id.b[8] = (uint8_t)((id.b[8] & 0x3f) | 0x80);
	return id;
}

static void
derive_service(const struct conf *conf, struct conf_service *service)
{
	if (uuid_is_zero(&service->facts.unique_id))
		service->facts.unique_id =
		    derive_id(conf->account, service->facts.name, SLICE(""));
	service->facts.status = service->enabled;
	service->facts.under_maintenance = service->under_maintenance;
}

/* A PagerTree source says `create` when it means an incident (CONTRACT §6). */
static void
lower_threshold(struct conf_integration *integration)
{
	if (integration->type == INTEGRATION_PAGERTREE &&
	    integration->create_incidents_for > ALERT_CRITICAL)
		integration->create_incidents_for = ALERT_CRITICAL;
}

static void
join_integrations(struct conf *conf, struct conf_service *service)
{
	struct conf_integration *run = conf->integrations + conf->integration_count;

	for (size_t i = 0; i < service->integration_count; i++) {
		run[i] = service->integrations[i];
		run[i].service = service;
		run[i].unique_id =
		    derive_id(conf->account, service->facts.name, run[i].name);
		run[i].index = conf->integration_count++;
		lower_threshold(&run[i]);
	}
	service->integrations = run;
}

static void
join_webhooks(struct conf *conf, struct conf_service *service)
{
	struct conf_webhook *run = conf->webhooks + conf->webhook_count;

	for (size_t i = 0; i < service->webhook_count; i++) {
		run[i] = service->webhooks[i];
		run[i].service = service;
		run[i].index = conf->webhook_count++;
		if (run[i].retry == NULL) {
			run[i].retry = conf->retry;
			run[i].retry_count = conf->retry_count;
		}
	}
	service->webhooks = run;
}

/* One element too many each, so that a pointer behind the last run is a pointer all the same. */
static bool
take_memory(struct conf *conf)
{
	struct arena *arena = &conf->own->arena;
	size_t integrations = 1, webhooks = 1;

	for (size_t i = 0; i < conf->service_count; i++) {
		integrations += conf->services[i].integration_count;
		webhooks += conf->services[i].webhook_count;
	}
	conf->integrations = arena_alloc(arena, integrations * sizeof *conf->integrations);
	conf->webhooks = arena_alloc(arena, webhooks * sizeof *conf->webhooks);
	return conf->integrations != NULL && conf->webhooks != NULL;
}

bool
derive_all(struct conf *conf)
{
	if (!take_memory(conf))
		return false;
	for (size_t i = 0; i < conf->service_count; i++) {
		derive_service(conf, &conf->services[i]);
		join_integrations(conf, &conf->services[i]);
		join_webhooks(conf, &conf->services[i]);
	}
	return find_prepare(conf);
}
