/* Looking into JSON text that json_write made, without reading all of it into a tree. */
#ifndef PROTO_JSON_FIND_H
#define PROTO_JSON_FIND_H

#include "proto/base.h"

/* The text of the value of the object's member of that name, which must be printable ASCII without
 * quotes and backslashes; {NULL, 0}: there is none. */
struct slice json_find(struct slice object, const char *name) NONNULL;

#endif
