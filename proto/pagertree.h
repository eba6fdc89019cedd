/*
 * An alert in the format of PagerTree's webhook (CONTRACT §6): from a parsed body to the values of
 * alert.h.
 */
#ifndef PROTO_PAGERTREE_H
#define PROTO_PAGERTREE_H

#include "proto/alert.h"

enum pagertree_result {
	PAGERTREE_ALERT,   /* create: critical; acknowledge: acknowledged; resolve: resolved */
	PAGERTREE_NOTHING, /* right, but no alert: another event_type, or nothing to act on */
	PAGERTREE_WRONG,
};

/*
 * Reads body, the tree of a request, and changes it: what is left is the alert's payload, an object
 * of tags (texts without blanks and repeats), meta, urgency, and, where capture is set, all keys
 * that the format does not know; its keys are in lower case. Values of a wrong kind are left out.
 * made_entity becomes the entity id of a create that brings none. The alert's fields are message,
 * alert_type, entity_id, summary and that payload.
 *
 * Unless there is an alert, *why says the reason in a sentence that names the field and lives in
 * the arena.
 */
enum pagertree_result pagertree_read(struct json *body, bool capture, struct slice made_entity,
    struct arena *, struct alert *, struct slice *why) MUST NONNULL;

#endif
