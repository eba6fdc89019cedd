/*
 * Letters outside ASCII have their case as it is: no table of Unicode for what is compared with a
 * configuration.
 */
#include "proto/text.h"

#include <stdlib.h>

enum { NUMBER_LONGEST = 63 };

int
text_compare(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return c != 0 ? c : a.n < b.n ? -1 : a.n > b.n;
}

bool
text_contains(struct slice text, struct slice part)
{
	return part.n == 0 || (text.n > 0 && memmem(text.p, text.n, part.p, part.n) != NULL);
}

struct slice
text_lower(struct arena *arena, struct slice text)
{
	size_t i = 0;
	char *copy;

	while (i < text.n && text.p[i] == ascii_lower(text.p[i]))
		i++;
	if (i == text.n)
		return text;
	copy = arena_alloc(arena, text.n);
	if (copy == NULL)
		return (struct slice){NULL, 0};
	for (i = 0; i < text.n; i++)
		copy[i] = ascii_lower(text.p[i]);
	return (struct slice){copy, text.n};
}

bool
text_number(struct slice text, double *number)
{
	char copy[NUMBER_LONGEST + 1];
	char *end;

	*number = 0;
	if (text.n == 0 || text.n > NUMBER_LONGEST)
		return false;
	/* Neither space, nor hex, nor infinity, which strtod() would read. */
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '\0' || strchr("0123456789+-.eE", text.p[i]) == NULL)
			return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	*number = strtod(copy, &end);
	return *end == '\0';
}
