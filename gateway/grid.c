/*
 *	NUMBER  STATUS     TITLE
 *	    12  triggered  the disk of db-1 is f...
 *	└ right             └ stretch: what the others leave of the screen's width
 */
#include "gateway/grid.h"

#include <stdlib.h>

enum { TEXT_MOST = 64 << 20, CELLS_MOST = 1 << 20, GAP = 2, STRETCH_LEAST = 8 };

struct grid_cell {
	size_t at, n, width; /* in text */
	enum screen_colour colour;
};

void
grid_start(struct grid *grid, const struct screen *screen, const struct grid_column *columns,
    size_t count)
{
	*grid = (struct grid){.screen = screen, .columns = columns, .column_count = count};
	buf_init(&grid->text, TEXT_MOST);
	for (size_t i = 0; i < count && columns[0].name != NULL; i++)
		grid_put(grid, slice_of(columns[i].name), SCREEN_DIM);
}

static bool
make_room(struct grid *grid)
{
	size_t room = grid->cell_room == 0 ? 256 : 2 * grid->cell_room;
	struct grid_cell *cells;

	if (room > CELLS_MOST)
		return false;
	cells = realloc(grid->cells, room * sizeof *cells);
	if (cells == NULL)
		return false;
	grid->cells = cells;
	grid->cell_room = room;
	return true;
}

void
grid_put(struct grid *grid, struct slice text, enum screen_colour colour)
{
	struct grid_cell cell = {.at = grid->text.n, .colour = colour};

	if (grid->failed || (grid->cell_count == grid->cell_room && !make_room(grid))) {
		grid->failed = true;
		return;
	}
	cell.width = screen_put(&grid->text, text, grid->screen->utf8);
	cell.n = grid->text.n - cell.at;
	grid->failed = grid->text.failed;
	grid->cells[grid->cell_count++] = cell;
}

/* How wide each column is; the stretching one gives way, though not to nothing. */
static void
measure(const struct grid *grid, size_t widths[GRID_COLUMNS])
{
	size_t total = (grid->column_count - 1) * GAP, screen = grid->screen->width, over;

	memset(widths, 0, GRID_COLUMNS * sizeof *widths);
	for (size_t i = 0; i < grid->cell_count; i++)
		if (grid->cells[i].width > widths[i % grid->column_count])
			widths[i % grid->column_count] = grid->cells[i].width;
	for (size_t i = 0; i < grid->column_count; i++)
		total += widths[i];
	over = screen > 0 && total > screen ? total - screen : 0;
	for (size_t i = 0; i < grid->column_count; i++)
		if (grid->columns[i].stretch && widths[i] > STRETCH_LEAST)
			widths[i] = widths[i] > over + STRETCH_LEAST ? widths[i] - over
								     : STRETCH_LEAST;
}

static const char *const dots = "...";

/* *owed: blanks that stand before the next thing printed, so that no line ends in them. */
static void
print_cell(const struct grid *grid, const struct grid_cell *cell, bool right, size_t width,
    size_t *owed)
{
	FILE *to = grid->screen->to;
	struct slice text = {grid->text.p + cell->at, cell->n};
	size_t used = cell->width, kept = width - strlen(dots);
	bool cut = used > width;

	if (cut) {
		text = screen_fit(text, &kept);
		used = kept + strlen(dots);
	}
	*owed += right ? width - used : 0;
	if (used > 0) {
		fprintf(to, "%*s", (int)*owed, "");
		*owed = 0;
		if (cell->colour != SCREEN_PLAIN)
			screen_colour(grid->screen, cell->colour);
		fprintf(to, "%.*s%s", (int)text.n, text.p, cut ? dots : "");
		if (cell->colour != SCREEN_PLAIN)
			screen_colour(grid->screen, SCREEN_PLAIN);
	}
	*owed += GAP + (right ? 0 : width - used);
}

bool
grid_print(const struct grid *grid)
{
	size_t widths[GRID_COLUMNS], owed = 0;

	measure(grid, widths);
	for (size_t i = 0; !grid->failed && i < grid->cell_count; i++) {
		size_t column = i % grid->column_count;

		print_cell(grid, &grid->cells[i], grid->columns[column].right, widths[column],
		    &owed);
		if (column < grid->column_count - 1)
			continue;
		fputc('\n', grid->screen->to);
		owed = 0;
	}
	return !grid->failed;
}

void
grid_free(struct grid *grid)
{
	buf_free(&grid->text);
	free(grid->cells);
}
