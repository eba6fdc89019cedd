/*
 * Tables for people: cells are put one by one, row after row, then printed with columns as wide as
 * they need to be. Cells may hold anybody's text (see screen.h).
 */
#ifndef GATEWAY_GRID_H
#define GATEWAY_GRID_H

#include "gateway/screen.h"

enum { GRID_COLUMNS = 12 };

struct grid_column {
	const char *name; /* its heading; all NULL: there are no headings */
	bool right;       /* numbers */
	bool stretch;     /* gives way where a line would be wider than the screen; one at most */
};

struct grid_cell;

struct grid {
	const struct screen *screen;
	const struct grid_column *columns;
	size_t column_count;
	struct grid_cell *cells;
	size_t cell_count, cell_room;
	struct buf text;
	bool failed; /* no memory, or too much of it */
};

/* Both must outlive the grid. */
void grid_start(struct grid *, const struct screen *, const struct grid_column *, size_t count)
    NONNULL;
void grid_put(struct grid *, struct slice text, enum screen_colour) NONNULL;

bool grid_print(const struct grid *) MUST NONNULL; /* false: it was too much */
void grid_free(struct grid *) NONNULL;

#endif
