/*
 * Changes of open incidents, and what it takes to put them right: the undo list holds, for each
 * change, an incident's plain fields before it, the incident that was added, closed or cleaned, the
 * link that was added. Then: from the table `open`, and to it.
 */
#include "gateway/open_parts.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/incident.h"

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
	struct undo *undo;
	size_t undo_count, undo_room;
	bool failed; /* no memory for an entry: the turn must fail */
} undoing;

bool
open_failed(void)
{
	return undoing.failed;
}

void
open_free(struct open_incident *incident)
{
	struct open_link *link;

	while ((link = SLIST_FIRST(&incident->links)) != NULL) {
		SLIST_REMOVE_HEAD(&incident->links, of_incident);
		free(link);
	}
	free(incident);
}

static struct undo *
note(enum undo_kind kind, struct open_incident *incident)
{
	struct undo *undo;

	if (undoing.undo_count == undoing.undo_room) {
		size_t room = undoing.undo_room == 0 ? 256 : 2 * undoing.undo_room;
		struct undo *grown = realloc(undoing.undo, room * sizeof *grown);

		if (grown == NULL) {
			undoing.failed = true;
			return NULL;
		}
		undoing.undo = grown;
		undoing.undo_room = room;
	}
	undo = &undoing.undo[undoing.undo_count++];
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

	if (!open_table_room(service))
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
	open_table_add(incident);
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
		undoing.failed = true;
		free(link);
		return false;
	}
	undo->link = link;
	link->incident = incident;
	link->integration = integration;
	link->n = (uint32_t)entity_id.n;
	memcpy(link->entity_id, entity_id.p, entity_id.n);
	link->hash = open_table_hash(integration, entity_id);
	SLIST_INSERT_HEAD(&incident->links, link, of_incident);
	incident->link_count++;
	open_table_add_link(link);
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
	open_table_dirty(incident, true);
}

/* What this turn noted first of an incident is how it was before. */
struct uuid
open_committed_head(uint64_t number)
{
	const struct open_incident *incident;
	const struct uuid none = {{0}};

	for (size_t i = 0; i < undoing.undo_count; i++)
		if (undoing.undo[i].incident->number == number)
			return undoing.undo[i].kind == UNDO_ADD ? none : undoing.undo[i].head;
	incident = open_by_number(number);
	return incident != NULL ? incident->head : none;
}

void
open_close(struct open_incident *incident)
{
	assert(!incident->closed);
	if (note(UNDO_CLOSE, incident) == NULL)
		return;
	open_table_dirty(incident, false);
	open_table_remove(incident);
	incident->closed = true;
}

static void
put_fields(struct open_incident *incident, const struct undo *undo)
{
	incident->head = undo->head;
	incident->triggered = undo->triggered;
	incident->acknowledged = undo->acknowledged;
	open_set_status(incident, undo->status);
	open_table_dirty(incident, false);
	incident->dirty_from = undo->dirty_from;
	open_table_dirty(incident, undo->dirty);
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
		open_table_dirty(incident, false);
		open_table_remove(incident);
		open_free(incident);
		break;
	case UNDO_LINK:
		SLIST_REMOVE(&incident->links, undo->link, open_link, of_incident);
		incident->link_count--;
		open_table_remove_link(undo->link);
		free(undo->link);
		break;
	case UNDO_CLOSE:
		incident->closed = false;
		open_table_add(incident);
		put_fields(incident, undo);
		break;
	}
}

void
open_settle(bool committed)
{
	if (committed) {
		for (size_t i = 0; i < undoing.undo_count; i++)
			if (undoing.undo[i].kind == UNDO_CLOSE)
				open_free(undoing.undo[i].incident);
	} else {
		while (undoing.undo_count > 0)
			undo_one(&undoing.undo[--undoing.undo_count]);
	}
	undoing.undo_count = 0;
	undoing.failed = false;
}

void
open_undo_stop(void)
{
	free(undoing.undo);
	memset(&undoing, 0, sizeof undoing);
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
		open_table_dirty(incident, false);
}

void
open_save_heads(struct txn *txn, size_t max)
{
	struct open_incident *incident;

	while (max-- > 0 && (incident = TAILQ_FIRST(&open_table.dirty)) != NULL && !undoing.failed)
		open_save(txn, incident);
}

bool
open_heads_from(struct uuid *id)
{
	struct open_incident *oldest = TAILQ_FIRST(&open_table.dirty);

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
	open_set_status(incident, row->status);
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
