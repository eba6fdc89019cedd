/*
 *   links[hash(integration, entity id)] → open_link ─┐
 *                                                    ├→ open_incident ── services[u32]
 *   numbers[number] ─────────────────────────────────┘              └── dirty
 *
 * A service's incidents stand in number order, the dirty ones longest ago first.
 */
#include "gateway/open_parts.h"

#include <assert.h>
#include <stdlib.h>

enum { ROOM_AT_START = 1024 };

struct open_table open_table;

uint64_t
open_table_hash(uint32_t integration, struct slice entity_id)
{
	uint8_t in[4 + 256], out[crypto_shorthash_BYTES];
	size_t n = entity_id.n < 256 ? entity_id.n : 256;

	put_u32(in, integration);
	memcpy(in + 4, entity_id.p, n);
	crypto_shorthash(out, in, 4 + n, open_table.key);
	return get_u64(out);
}

static struct open_link_bucket *
link_bucket(uint64_t hash)
{
	return &open_table.links[hash & (open_table.link_room - 1)];
}

static struct open_number_bucket *
number_bucket(uint64_t number)
{
	return &open_table.numbers[number & (open_table.number_room - 1)];
}

int
open_start(const uint8_t key[16])
{
	memcpy(open_table.key, key, sizeof open_table.key);
	TAILQ_INIT(&open_table.dirty);
	open_table.link_room = open_table.number_room = ROOM_AT_START;
	open_table.links = calloc(ROOM_AT_START, sizeof *open_table.links);
	open_table.numbers = calloc(ROOM_AT_START, sizeof *open_table.numbers);
	return open_table.links == NULL || open_table.numbers == NULL ? -1 : 0;
}

static void
free_all(void)
{
	struct open_incident *incident;

	for (size_t i = 0; i < open_table.number_room; i++)
		while ((incident = LIST_FIRST(&open_table.numbers[i])) != NULL) {
			LIST_REMOVE(incident, by_number);
			open_free(incident);
		}
}

void
open_stop(void)
{
	open_settle(true);
	if (open_table.numbers != NULL)
		free_all();
	open_undo_stop();
	free(open_table.links);
	free(open_table.numbers);
	free(open_table.services);
	memset(&open_table, 0, sizeof open_table);
}

/* ---- look-ups ---------------------------------------------------------------------------- */

struct open_incident *
open_find(uint32_t integration, struct slice entity_id)
{
	uint64_t hash = open_table_hash(integration, entity_id);
	struct open_link *link;

	LIST_FOREACH (link, link_bucket(hash), in_bucket)
		if (link->hash == hash && link->integration == integration &&
		    slice_is((struct slice){link->entity_id, link->n}, entity_id))
			return link->incident;
	return NULL;
}

struct open_incident *
open_by_number(uint64_t number)
{
	struct open_incident *incident;

	LIST_FOREACH (incident, number_bucket(number), by_number)
		if (incident->number == number)
			return incident;
	return NULL;
}

struct open_incident *
open_newest(uint32_t service)
{
	if (service >= open_table.service_room)
		return NULL;
	return TAILQ_LAST(&open_table.services[service], open_list);
}

size_t
open_total(void)
{
	return open_table.number_count;
}

size_t
open_total_of(enum incident_status status)
{
	return open_table.by_status[status];
}

/* ---- the lists an incident stands on ----------------------------------------------------- */

static void
grow_links(void)
{
	size_t room = 2 * open_table.link_room;
	struct open_link_bucket *links = calloc(room, sizeof *links);
	struct open_link *link;

	if (links == NULL)
		return; /* longer chains, nothing worse */
	for (size_t i = 0; i < open_table.link_room; i++)
		while ((link = LIST_FIRST(&open_table.links[i])) != NULL) {
			LIST_REMOVE(link, in_bucket);
			LIST_INSERT_HEAD(&links[link->hash & (room - 1)], link, in_bucket);
		}
	free(open_table.links);
	open_table.links = links;
	open_table.link_room = room;
}

static void
grow_numbers(void)
{
	size_t room = 2 * open_table.number_room;
	struct open_number_bucket *numbers = calloc(room, sizeof *numbers);
	struct open_incident *incident;

	if (numbers == NULL)
		return;
	for (size_t i = 0; i < open_table.number_room; i++)
		while ((incident = LIST_FIRST(&open_table.numbers[i])) != NULL) {
			LIST_REMOVE(incident, by_number);
			LIST_INSERT_HEAD(&numbers[incident->number & (room - 1)], incident,
			    by_number);
		}
	free(open_table.numbers);
	open_table.numbers = numbers;
	open_table.number_room = room;
}

bool
open_table_room(uint32_t service)
{
	size_t room = open_table.service_room == 0 ? 64 : open_table.service_room;
	struct open_list *services;

	if (service < open_table.service_room)
		return true;
	while (room <= service)
		room *= 2;
	services = calloc(room, sizeof *services);
	if (services == NULL)
		return false;
	for (size_t i = 0; i < room; i++) {
		TAILQ_INIT(&services[i]);
		if (i < open_table.service_room)
			TAILQ_CONCAT(&services[i], &open_table.services[i], in_service);
	}
	free(open_table.services);
	open_table.services = services;
	open_table.service_room = room;
	return true;
}

void
open_table_add_link(struct open_link *link)
{
	if (open_table.link_count++ >= open_table.link_room)
		grow_links();
	LIST_INSERT_HEAD(link_bucket(link->hash), link, in_bucket);
}

void
open_table_remove_link(struct open_link *link)
{
	LIST_REMOVE(link, in_bucket);
	assert(open_table.link_count > 0);
	open_table.link_count--;
}

static void
hook_service(struct open_incident *incident)
{
	struct open_list *list = &open_table.services[incident->service];
	struct open_incident *before;

	TAILQ_FOREACH_REVERSE (before, list, open_list, in_service)
		if (before->number < incident->number)
			break;
	if (before != NULL)
		TAILQ_INSERT_AFTER(list, before, incident, in_service);
	else
		TAILQ_INSERT_HEAD(list, incident, in_service);
}

/* Makes it findable: its number, its service, its links. */
void
open_table_add(struct open_incident *incident)
{
	struct open_link *link;

	if (open_table.number_count++ >= open_table.number_room)
		grow_numbers();
	LIST_INSERT_HEAD(number_bucket(incident->number), incident, by_number);
	open_table.by_status[incident->status]++;
	hook_service(incident);
	SLIST_FOREACH (link, &incident->links, of_incident)
		open_table_add_link(link);
}

void
open_table_remove(struct open_incident *incident)
{
	struct open_link *link;

	LIST_REMOVE(incident, by_number);
	assert(open_table.number_count > 0);
	open_table.number_count--;
	open_table.by_status[incident->status]--;
	TAILQ_REMOVE(&open_table.services[incident->service], incident, in_service);
	SLIST_FOREACH (link, &incident->links, of_incident)
		open_table_remove_link(link);
}

void
open_set_status(struct open_incident *incident, enum incident_status status)
{
	assert(!incident->closed);
	open_table.by_status[incident->status]--;
	open_table.by_status[status]++;
	incident->status = (uint8_t)status;
}

/* In the order of the alerts that made them dirty. That is at the end, unless something is
 * undone. */
static void
hook_dirty(struct open_incident *incident)
{
	struct open_incident *before;

	TAILQ_FOREACH_REVERSE (before, &open_table.dirty, open_list, in_dirty)
		if (uuid_compare(&before->dirty_from, &incident->dirty_from) < 0)
			break;
	if (before != NULL)
		TAILQ_INSERT_AFTER(&open_table.dirty, before, incident, in_dirty);
	else
		TAILQ_INSERT_HEAD(&open_table.dirty, incident, in_dirty);
}

void
open_table_dirty(struct open_incident *incident, bool dirty)
{
	if (incident->dirty && !dirty)
		TAILQ_REMOVE(&open_table.dirty, incident, in_dirty);
	else if (!incident->dirty && dirty)
		hook_dirty(incident);
	incident->dirty = dirty;
}
