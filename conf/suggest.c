/*
 * The option that a misspelt name is nearest to, by the number of letters that have to be inserted,
 * left out or exchanged (Levenshtein), in one row of the usual table of distances.
 */
#include "conf/read.h"

enum { NAME_LONGEST = 32, FAR = 1000 };

static size_t
least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static size_t
distance(struct slice a, struct slice b)
{
	size_t row[NAME_LONGEST + 1], above, left;

	if (a.n > NAME_LONGEST || b.n > NAME_LONGEST)
		return FAR;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 0; i < a.n; i++) {
		left = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < b.n; j++) {
			above = row[j + 1];
			row[j + 1] = least(above + 1, row[j] + 1,
			    left + (ascii_lower(a.p[i]) != ascii_lower(b.p[j])));
			left = above;
		}
	}
	return row[b.n];
}

const char *
suggest_name(const char *section, struct slice key)
{
	size_t count, best = FAR;
	const struct option *rows = option_section(section, &count);
	const char *name = NULL;

	for (size_t i = 0; i < count; i++) {
		struct slice known = slice_of(rows[i].name);
		size_t d = distance(key, known);

		/* One letter in three may differ: "nod" for node, but "name" is no node. */
		if (d < best && d * 3 <= known.n) {
			best = d;
			name = rows[i].name;
		}
	}
	return name;
}
