/*
 * The state as text (CONTRACT §11): a JSON object a row, table by table in the order of keys. Keys
 * are decoded, ids print as the API prints them, times as dates, numbers of names as the names.
 */
#ifndef GATEWAY_DUMP_H
#define GATEWAY_DUMP_H

#include <stdio.h>

#include "store/store.h"

/* Writes every row to the file. Without payload what senders wrote is left out: texts and fields of
 * alerts and incidents, notes, bodies of events; entity ids stay. A row that cannot be read is
 * written with an "error". The number of those, or -1: the file or the store failed. */
int dump_store(struct txn *, bool payload, FILE *) MUST NONNULL;

#endif
