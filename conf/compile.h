/* What integrations do to alerts (CONTRACT §7), made ready: split, mapping and rules. */
#ifndef CONF_COMPILE_H
#define CONF_COMPILE_H

#include "proto/json_read.h"

struct reader;

/* For every integration of the file; users must have been read. */
void compile_integrations(struct reader *, const struct json *root) NONNULL;

#endif
