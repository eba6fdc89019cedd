/* What follows from a configuration that has been read and found right. */
#ifndef CONF_DERIVE_H
#define CONF_DERIVE_H

#include "conf/conf.h"

/* False without memory. */
bool derive_all(struct conf *) MUST NONNULL;

#endif
