/*
 * Alert rules (CONTRACT §7): conditions on an alert, and what is done with those that meet them.
 *
 *     [{"description": "...", "when": CONDITION, "then": [{"set_urgency": "low"}, ...],
 *       "stop": false}, ...]
 *
 * In order; every rule whose condition holds applies, a later one wins, `stop` ends the list.
 * Conditions and templates see the alert as it came to the rules; actions change what becomes of
 * it. A template that yields no value changes nothing. hash_entity_id hashes what an action before
 * it may have set.
 */
#ifndef PROTO_RULES_H
#define PROTO_RULES_H

#include "proto/subject.h"

struct rules;

/* NULL after a complaint, without memory, and for an empty list. */
struct rules *rules_compile(struct compiler *, const struct json *) MUST NONNULL;

/* Whether a condition or a template asks for seconds_since_similar. */
bool rules_want_similar(const struct rules *) NONNULL;

/*
 * Applies the rules to *alert, whose fields then show it as it is applied. *matched is a JSON array
 * of the descriptions of those that applied ("rule 2" for the second if it has none), empty if none
 * did. Check the arena's `failed`.
 */
void rules_apply(const struct rules *, struct arena *, const struct subject_facts *, struct alert *,
    struct slice *matched, const struct observer *);

#endif
