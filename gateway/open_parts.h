/*
 * What the files of the open table share among themselves; nobody else includes this.
 *
 *   open_table.c  look-ups, and the lists an incident stands on
 *   open.c        changes and their undoing, to and from the store
 */
#ifndef GATEWAY_OPEN_PARTS_H
#define GATEWAY_OPEN_PARTS_H

#include <sodium.h>

#include "gateway/open.h"

struct open_link {
	SLIST_ENTRY(open_link) of_incident;
	LIST_ENTRY(open_link) in_bucket;
	struct open_incident *incident;
	uint64_t hash;
	uint32_t integration;
	uint32_t n;
	char entity_id[];
};

LIST_HEAD(open_link_bucket, open_link);
LIST_HEAD(open_number_bucket, open_incident);
TAILQ_HEAD(open_list, open_incident);

struct open_table {
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct open_link_bucket *links;
	size_t link_room, link_count; /* room is a power of two */
	struct open_number_bucket *numbers;
	size_t number_room, number_count;
	size_t by_status[INCIDENT_RESOLVED + 1]; /* of number_count */
	struct open_list *services;   /* by u32 */
	size_t service_room;
	struct open_list dirty;       /* in the order of dirty_from */
};

extern struct open_table open_table;

uint64_t open_table_hash(uint32_t integration, struct slice entity_id);
/* Room for a service's list; false without memory. */
bool open_table_room(uint32_t service) MUST;
/* Makes an incident, with its links, or one more link, findable; and the opposite. */
void open_table_add(struct open_incident *) NONNULL;
void open_table_remove(struct open_incident *) NONNULL;
void open_table_add_link(struct open_link *) NONNULL;
void open_table_remove_link(struct open_link *) NONNULL;
/* Puts it onto the list of dirty ones, or takes it off. */
void open_table_dirty(struct open_incident *, bool dirty) NONNULL;

void open_undo_stop(void); /* gives the undo list's memory back */
/* Frees an incident that is in no list, and its links. */
void open_free(struct open_incident *) NONNULL;

#endif
