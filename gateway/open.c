/*
 *   links[hash(integration, entity id)] → open_link ─┐
 *                                                    ├→ open_incident ── services[u32]
 *   numbers[number] ─────────────────────────────────┘              └── dirty
 *
 * A service's incidents stand in number order, the dirty ones longest ago first.
 *
 * The undo list holds, for each change, what it takes to put it right: an incident's plain fields
 * before the change, the incident that was added, closed or cleaned, the link that was added.
 */
#include "gateway/open.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "proto/incident.h"

struct open_link {
	SLIST_ENTRY(open_link) of_incident;
	LIST_ENTRY(open_link) in_bucket;
	struct open_incident *incident;
	uint64_t hash;
	uint32_t integration;
	uint32_t n;
	char entity_id[];
};

LIST_HEAD(link_bucket, open_link);
LIST_HEAD(number_bucket, open_incident);
TAILQ_HEAD(incident_list, open_incident);

enum undo_kind { UNDO_FIELDS, UNDO_ADD, UNDO_LINK, UNDO_CLOSE, UNDO_CLEAN };

struct undo {
	enum undo_kind kind;
	struct open_incident *incident;
	struct open_link *link;
	struct uuid head, dirty_from; /* UNDO_FIELDS, UNDO_CLEAN */
	int64_t triggered, acknowledged;
	uint8_t status;
	bool dirty;
};

static struct {
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct link_bucket *links;
	size_t link_room, link_count; /* room is a power of two */
	struct number_bucket *numbers;
	size_t number_room, number_count;
	struct incident_list *services; /* by u32 */
	size_t service_room;
	struct incident_list dirty;
	struct undo *undo;
	size_t undo_count, undo_room;
	bool failed;
} t;

static uint64_t
hash_key(uint32_t integration, struct slice entity_id)
{
	uint8_t in[4 + 256], out[crypto_shorthash_BYTES];
	size_t n = entity_id.n < 256 ? entity_id.n : 256;

	put_u32(in, integration);
	memcpy(in + 4, entity_id.p, n);
	crypto_shorthash(out, in, 4 + n, t.key);
	return get_u64(out);
}

int
open_start(const uint8_t key[16])
{
	memcpy(t.key, key, sizeof t.key);
	TAILQ_INIT(&t.dirty);
	t.link_room = t.number_room = 1024;
	t.links = calloc(t.link_room, sizeof *t.links);
	t.numbers = calloc(t.number_room, sizeof *t.numbers);
	return t.links == NULL || t.numbers == NULL ? -1 : 0;
}

static void
free_incident(struct open_incident *incident)
{
	struct open_link *link;

	while ((link = SLIST_FIRST(&incident->links)) != NULL) {
		SLIST_REMOVE_HEAD(&incident->links, of_incident);
		free(link);
	}
	free(incident);
}

void
open_stop(void)
{
	struct open_incident *incident;

	open_settle(true);
	for (size_t i = 0; i < t.number_room && t.numbers != NULL; i++)
		while ((incident = LIST_FIRST(&t.numbers[i])) != NULL) {
			LIST_REMOVE(incident, by_number);
			free_incident(incident);
		}
	free(t.links);
	free(t.numbers);
	free(t.services);
	free(t.undo);
	memset(&t, 0, sizeof t);
}

/* ---- look-ups ---------------------------------------------------------------------------- */

struct open_incident *
open_find(uint32_t integration, struct slice entity_id)
{
	uint64_t hash = hash_key(integration, entity_id);
	struct open_link *link;

	LIST_FOREACH (link, &t.links[hash & (t.link_room - 1)], in_bucket)
		if (link->hash == hash && link->integration == integration &&
		    slice_is((struct slice){link->entity_id, link->n}, entity_id))
			return link->incident;
	return NULL;
}

struct open_incident *
open_by_number(uint64_t number)
{
	struct open_incident *incident;

	LIST_FOREACH (incident, &t.numbers[number & (t.number_room - 1)], by_number)
		if (incident->number == number)
			return incident;
	return NULL;
}

struct open_incident *
open_newest(uint32_t service)
{
	if (service >= t.service_room)
		return NULL;
	return TAILQ_LAST(&t.services[service], incident_list);
}

size_t
open_total(void)
{
	return t.number_count;
}

bool
open_failed(void)
{
	return t.failed;
}

/* ---- the lists an incident stands on ----------------------------------------------------- */

static void
grow_links(void)
{
	size_t room = 2 * t.link_room;
	struct link_bucket *links = calloc(room, sizeof *links);
	struct open_link *link;

	if (links == NULL)
		return; /* longer chains, nothing worse */
	for (size_t i = 0; i < t.link_room; i++)
		while ((link = LIST_FIRST(&t.links[i])) != NULL) {
			LIST_REMOVE(link, in_bucket);
			LIST_INSERT_HEAD(&links[link->hash & (room - 1)], link, in_bucket);
		}
	free(t.links);
	t.links = links;
	t.link_room = room;
}

static void
grow_numbers(void)
{
	size_t room = 2 * t.number_room;
	struct number_bucket *numbers = calloc(room, sizeof *numbers);
	struct open_incident *incident;

	if (numbers == NULL)
		return;
	for (size_t i = 0; i < t.number_room; i++)
		while ((incident = LIST_FIRST(&t.numbers[i])) != NULL) {
			LIST_REMOVE(incident, by_number);
			LIST_INSERT_HEAD(&numbers[incident->number & (room - 1)], incident,
			    by_number);
		}
	free(t.numbers);
	t.numbers = numbers;
	t.number_room = room;
}

static bool
grow_services(uint32_t service)
{
	size_t room = t.service_room == 0 ? 64 : t.service_room;
	struct incident_list *services;

	while (room <= service)
		room *= 2;
	services = calloc(room, sizeof *services);
	if (services == NULL)
		return false;
	for (size_t i = 0; i < room; i++) {
		TAILQ_INIT(&services[i]);
		if (i < t.service_room)
			TAILQ_CONCAT(&services[i], &t.services[i], in_service);
	}
	free(t.services);
	t.services = services;
	t.service_room = room;
	return true;
}

static void
hook_link(struct open_link *link)
{
	if (t.link_count++ >= t.link_room)
		grow_links();
	LIST_INSERT_HEAD(&t.links[link->hash & (t.link_room - 1)], link, in_bucket);
}

static void
unhook_link(struct open_link *link)
{
	LIST_REMOVE(link, in_bucket);
	t.link_count--;
}

static void
hook_service(struct open_incident *incident)
{
	struct incident_list *list = &t.services[incident->service];
	struct open_incident *before;

	TAILQ_FOREACH_REVERSE (before, list, incident_list, in_service)
		if (before->number < incident->number)
			break;
	if (before != NULL)
		TAILQ_INSERT_AFTER(list, before, incident, in_service);
	else
		TAILQ_INSERT_HEAD(list, incident, in_service);
}

/* Makes it findable: its number, its service, its links. */
static void
hook_incident(struct open_incident *incident)
{
	struct open_link *link;

	if (t.number_count++ >= t.number_room)
		grow_numbers();
	LIST_INSERT_HEAD(&t.numbers[incident->number & (t.number_room - 1)], incident, by_number);
	hook_service(incident);
	SLIST_FOREACH (link, &incident->links, of_incident)
		hook_link(link);
}

static void
unhook_incident(struct open_incident *incident)
{
	struct open_link *link;

	LIST_REMOVE(incident, by_number);
	t.number_count--;
	TAILQ_REMOVE(&t.services[incident->service], incident, in_service);
	SLIST_FOREACH (link, &incident->links, of_incident)
		unhook_link(link);
}

/* In the order of the alerts that made them dirty. That is at the end, unless something is undone. */
static void
hook_dirty(struct open_incident *incident)
{
	struct open_incident *before;

	TAILQ_FOREACH_REVERSE (before, &t.dirty, incident_list, in_dirty)
		if (uuid_compare(&before->dirty_from, &incident->dirty_from) < 0)
			break;
	if (before != NULL)
		TAILQ_INSERT_AFTER(&t.dirty, before, incident, in_dirty);
	else
		TAILQ_INSERT_HEAD(&t.dirty, incident, in_dirty);
}

static void
set_dirty(struct open_incident *incident, bool dirty)
{
	if (incident->dirty && !dirty)
		TAILQ_REMOVE(&t.dirty, incident, in_dirty);
	else if (!incident->dirty && dirty)
		hook_dirty(incident);
	incident->dirty = dirty;
}

/* ---- changes and their undoing ----------------------------------------------------------- */

static struct undo *
note(enum undo_kind kind, struct open_incident *incident)
{
	struct undo *undo;

	if (t.undo_count == t.undo_room) {
		size_t room = t.undo_room == 0 ? 256 : 2 * t.undo_room;
		struct undo *grown = realloc(t.undo, room * sizeof *grown);

		if (grown == NULL) {
			t.failed = true;
			return NULL;
		}
		t.undo = grown;
		t.undo_room = room;
	}
	undo = &t.undo[t.undo_count++];
	*undo = (struct undo){.kind = kind,
	    .incident = incident,
	    .head = incident->head,
	    .dirty_from = incident->dirty_from,
	    .triggered = incident->triggered,
	    .acknowledged = incident->acknowledged,
	    .status = incident->status,
	    .dirty = incident->dirty};
	return undo;
}

struct open_incident *
open_add(uint64_t number, uint32_t service)
{
	struct open_incident *incident;

	if (service >= t.service_room && !grow_services(service))
		return NULL;
	incident = calloc(1, sizeof *incident);
	if (incident == NULL)
		return NULL;
	incident->number = number;
	incident->service = service;
	if (note(UNDO_ADD, incident) == NULL) {
		free(incident);
		return NULL;
	}
	hook_incident(incident);
	return incident;
}

bool
open_link(struct open_incident *incident, uint32_t integration, struct slice entity_id)
{
	struct open_link *link;
	struct undo *undo;

	if (incident->link_count >= OPEN_KEYS_MAX)
		return false;
	link = malloc(sizeof *link + entity_id.n);
	undo = link == NULL ? NULL : note(UNDO_LINK, incident);
	if (undo == NULL) {
		t.failed = true;
		free(link);
		return false;
	}
	undo->link = link;
	link->incident = incident;
	link->integration = integration;
	link->n = (uint32_t)entity_id.n;
	memcpy(link->entity_id, entity_id.p, entity_id.n);
	link->hash = hash_key(integration, entity_id);
	SLIST_INSERT_HEAD(&incident->links, link, of_incident);
	incident->link_count++;
	hook_link(link);
	return true;
}

bool
open_touch(struct open_incident *incident)
{
	return note(UNDO_FIELDS, incident) != NULL;
}

void
open_set_head(struct open_incident *incident, const struct uuid *alert)
{
	if (!open_touch(incident))
		return;
	incident->head = *alert;
	if (!incident->dirty)
		incident->dirty_from = *alert;
	set_dirty(incident, true);
}

void
open_close(struct open_incident *incident)
{
	assert(!incident->closed);
	if (note(UNDO_CLOSE, incident) == NULL)
		return;
	set_dirty(incident, false);
	unhook_incident(incident);
	incident->closed = true;
}

static void
put_fields(struct open_incident *incident, const struct undo *undo)
{
	incident->head = undo->head;
	incident->triggered = undo->triggered;
	incident->acknowledged = undo->acknowledged;
	incident->status = undo->status;
	set_dirty(incident, false);
	incident->dirty_from = undo->dirty_from;
	set_dirty(incident, undo->dirty);
}

static void
undo_one(const struct undo *undo)
{
	struct open_incident *incident = undo->incident;

	switch (undo->kind) {
	case UNDO_FIELDS:
	case UNDO_CLEAN: /* saved in a turn that failed: dirty again, as it was */
		put_fields(incident, undo);
		break;
	case UNDO_ADD:
		set_dirty(incident, false);
		unhook_incident(incident);
		free_incident(incident);
		break;
	case UNDO_LINK:
		SLIST_REMOVE(&incident->links, undo->link, open_link, of_incident);
		incident->link_count--;
		unhook_link(undo->link);
		free(undo->link);
		break;
	case UNDO_CLOSE:
		incident->closed = false;
		hook_incident(incident);
		put_fields(incident, undo);
		break;
	}
}

void
open_settle(bool committed)
{
	if (committed) {
		for (size_t i = 0; i < t.undo_count; i++)
			if (t.undo[i].kind == UNDO_CLOSE)
				free_incident(t.undo[i].incident);
	} else {
		while (t.undo_count > 0)
			undo_one(&t.undo[--t.undo_count]);
	}
	t.undo_count = 0;
	t.failed = false;
}

/* ---- to and from the store --------------------------------------------------------------- */

void
open_save(struct txn *txn, struct open_incident *incident)
{
	static struct open_row row;
	struct open_link *link;

	row = (struct open_row){.service = incident->service,
	    .status = incident->status,
	    .triggered = incident->triggered,
	    .acknowledged = incident->acknowledged,
	    .created = incident->created,
	    .head = incident->head};
	SLIST_FOREACH (link, &incident->links, of_incident)
		row.keys[row.key_count++] =
		    (struct open_key){link->integration, {link->entity_id, link->n}};
	open_put(txn, incident->number, &row);
	if (incident->dirty && note(UNDO_CLEAN, incident) != NULL)
		set_dirty(incident, false);
}

void
open_save_heads(struct txn *txn, size_t max)
{
	struct open_incident *incident;

	while (max-- > 0 && (incident = TAILQ_FIRST(&t.dirty)) != NULL && !t.failed)
		open_save(txn, incident);
}

bool
open_heads_from(struct uuid *id)
{
	struct open_incident *oldest = TAILQ_FIRST(&t.dirty);

	if (oldest != NULL)
		*id = oldest->dirty_from;
	return oldest != NULL;
}

struct loading {
	struct txn *txn;
	int result;
};

static bool
load_row(void *arg, uint64_t number, const struct open_row *row)
{
	struct loading *loading = arg;
	struct open_incident *incident = open_add(number, row->service);
	struct incident_row facts;

	if (incident == NULL || !incidents_get(loading->txn, number, &facts)) {
		loading->result = -1;
		return false;
	}
	incident->unique_id = facts.unique_id;
	incident->status = row->status;
	incident->created = row->created;
	incident->triggered = row->triggered;
	incident->acknowledged = row->acknowledged;
	incident->head = row->head;
	for (size_t i = 0; i < row->key_count; i++)
		if (!open_link(incident, row->keys[i].integration, row->keys[i].entity_id))
			loading->result = -1;
	open_settle(true);
	return loading->result == 0;
}

static bool
load_head(void *arg, const struct uuid *id, const struct alert_row *alert)
{
	struct open_incident *incident = open_by_number(alert->number);

	(void)arg;
	if (alert->number != 0 && incident != NULL && uuid_compare(id, &incident->head) > 0)
		open_set_head(incident, id);
	open_settle(true);
	return true;
}

int
open_load(struct txn *txn, const struct uuid *heads_from)
{
	struct loading loading = {.txn = txn};

	open_each(txn, load_row, &loading);
	if (loading.result == 0)
		alerts_from(txn, heads_from, load_head, NULL);
	return loading.result;
}
