/*
 * What the files of the dry run share among themselves; nobody else includes this.
 *
 *   try.c        from a body to its alerts and what they do
 *   try_steps.c  what mapping and rules tell of their work
 *   try_send.c   the requests that webhooks would get
 */
#ifndef GATEWAY_TRY_PARTS_H
#define GATEWAY_TRY_PARTS_H

#include "gateway/try.h"
#include "proto/observe.h"

/* The steps of one alert, as they come. */
struct try_steps {
	struct buf tests;      /* of the block or rule that is told next */
	struct buf blocks, rules;
	struct json_writer test, block, rule;
	struct json_writer *open; /* the list whose last element takes values, or NULL */
};

void try_steps_init(struct try_steps *, struct arena *) NONNULL;
/* A struct observer's see, with the steps as its arg. */
void try_steps_see(void *steps, const struct observation *);
/* "mapping": [...], "rules": [...] */
void try_steps_write(struct try_steps *, struct json_writer *) NONNULL;

/* "webhooks": the deliveries of an event (zero: none). */
void try_send_write(struct json_writer *, struct txn *, const struct uuid *event, int64_t wall)
    NONNULL;

#endif
