/*
 * What time takes away: traces after 60 minutes (CONTRACT §4), the rest after retention.incident
 * (CONTRACT §5). Readers judge age by the horizons; the sweep only frees space.
 */
#ifndef GATEWAY_EXPIRE_H
#define GATEWAY_EXPIRE_H

#include "conf/conf.h"
#include "store/store.h"

/* Applies to the horizons from now on. */
void expire_configure(const struct conf *) NONNULL;

/* Ids issued before this (ms of the steady clock) are traces no longer. */
uint64_t expire_trace_horizon(void);
uint64_t expire_incident_horizon(void);

/* Removes old rows: at most 64 and two for each row the transaction has put, stopped after 2 ms. */
void expire_step(struct txn *) NONNULL;
/* True if there is something for expire_step() to remove. txn may be NULL: false. */
bool expire_wanted(struct txn *);
/* True if the last step left something behind. */
bool expire_backlog(void);

#endif
