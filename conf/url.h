/* The addresses of webhooks. */
#ifndef CONF_URL_H
#define CONF_URL_H

#include "proto/base.h"

/* Parts are slices of the text, or of a literal. */
struct url {
	bool https;
	struct slice host;      /* without brackets */
	int port;
	struct slice authority; /* host as written, with the port unless it is the scheme's own */
	struct slice target;    /* path and query, at least "/" */
};

/* NULL, or a sentence on what is wrong that shows nothing of the text. */
const char *url_parse(struct slice text, struct url *) MUST NONNULL;

#endif
