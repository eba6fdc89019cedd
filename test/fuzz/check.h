/* What fuzz targets share: a trap that stays in every build, and where a slice may lie. */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#include "proto/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(what)                                                                \
	do {                                                                       \
		if (!(what)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
			abort();                                                   \
		}                                                                  \
	} while (0)

static inline bool
lies_in(struct slice part, struct slice whole)
{
	return part.n == 0 || (part.p >= whole.p && part.n <= whole.n &&
	    (size_t)(part.p - whole.p) <= whole.n - part.n);
}

/* Bytes of its own that are just as long, so that a sanitizer sees one byte too many. */
static inline char *
copy_exactly(const void *p, size_t n)
{
	char *copy = malloc(n == 0 ? 1 : n);

	CHECK(copy != NULL);
	if (n > 0)
		memcpy(copy, p, n);
	return copy;
}

#endif
