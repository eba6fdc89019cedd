/* Repeated keys of a JSON object, for json_read. */
#ifndef PROTO_JSON_REPEAT_H
#define PROTO_JSON_REPEAT_H

#include "proto/json_read.h"

/* Of the members with one key leaves one: the last, in the place of the first. False if the arena
 * has no room for the work. */
bool json_repeat_merge(struct arena *, struct json *object) MUST NONNULL;

#endif
