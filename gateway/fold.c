/*
 *   line ──► alike one of this second?  ── no ──► takes a place ──► written
 *                  │ yes
 *                  └─► count ≤ 10: written     more: held back ──► fold_next(), at the tick
 *
 * There are few places, since there are few causes of floods. A new line takes the place of one
 * that was not held back; while all are, it is written without one.
 */
#include "gateway/fold.h"

enum { PLACES = 16, WRITTEN = 10, LINE_CEILING = 8192 };

static struct place {
	struct buf line;
	size_t dated;
	uint64_t count; /* of this second; 0: free */
} places[PLACES];

static unsigned oldest; /* where the next line goes, if it may */

static bool
is_alike(const struct place *place, struct slice line, size_t dated)
{
	return place->count > 0 && place->line.n == line.n && place->dated == dated &&
	       memcmp(place->line.p + dated, line.p + dated, line.n - dated) == 0;
}

static struct place *
find(struct slice line, size_t dated)
{
	for (struct place *place = places; place < places + PLACES; place++)
		if (is_alike(place, line, dated))
			return place;
	return NULL;
}

static struct place *
make_room(void)
{
	for (int i = 0; i < PLACES; i++) {
		struct place *place = &places[oldest++ % PLACES];

		if (place->count <= WRITTEN)
			return place;
	}
	return NULL;
}

bool
fold_pass(struct slice line, size_t dated)
{
	struct place *place = find(line, dated);

	if (place != NULL)
		return ++place->count <= WRITTEN;
	place = make_room();
	if (place == NULL)
		return true;
	if (place->line.ceiling == 0)
		buf_init(&place->line, LINE_CEILING);
	buf_clear(&place->line);
	buf_put_slice(&place->line, line);
	place->dated = dated;
	place->count = place->line.failed ? 0 : 1;
	return true;
}

bool
fold_next(struct folded *folded)
{
	for (struct place *place = places; place < places + PLACES; place++) {
		uint64_t count = place->count;

		place->count = 0;
		if (count > WRITTEN) {
			folded->line = (struct slice){place->line.p, place->line.n};
			folded->dated = place->dated;
			folded->repeated = count - WRITTEN;
			return true;
		}
	}
	return false;
}

void
fold_stop(void)
{
	for (struct place *place = places; place < places + PLACES; place++) {
		buf_free(&place->line);
		place->count = 0;
	}
}
