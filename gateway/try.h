/*
 * The dry run of a body (CONTRACT §7): what mapping and rules make of it, what the alert would then
 * do to its incident, and what each webhook would be sent. It is the live code, step by step, in a
 * transaction that leaves no trace.
 */
#ifndef GATEWAY_TRY_H
#define GATEWAY_TRY_H

#include "proto/json_write.h"
#include "store/store.h"

struct conf;
struct engine_watch;
struct conf_integration;

/* Of an engine that is started for nothing else. */
extern const struct engine_watch try_watch;

/* The integration of either type with that key, enabled or not; NULL: there is none. */
const struct conf_integration *try_find(const struct conf *, struct slice key) MUST NONNULL;

/*
 * Writes what body[0..n), which is changed, would do as one object:
 *
 *     {"integration": name, "service": name, "status": what the sender would be answered,
 *      "error": text or null, "alerts": [{
 *        "mapping": [{"block": 1, "held": true, "tests": [T…],
 *                     "set": [{"field", "before", "value"}…]}…],
 *        "rules": [{"rule": 1, "description", "held": true, "tests": [T…],
 *                   "actions": [{"action", "before", "value"}…]}…],
 *        "alert": the alert as it is applied or null, "outcome": "created", …,
 *        "error": text or null, "incident": {"incident_number", "unique_id"} or null,
 *        "event": "triggered", … or null,
 *        "webhooks": [{"webhook": name, "state": "waiting" or "dead",
 *                      "headers": [[name, value]…], "body": text}…]}…]}
 *
 * T is {"path", "op", "wanted", "found": text or null, "held"}. Values of headers that are secrets
 * are hidden. The transaction, a write one, must be dropped; engine_settle(false) has been called.
 */
void try_body(struct json_writer *, struct txn *, const struct conf_integration *, char *body,
    size_t n) NONNULL;

#endif
