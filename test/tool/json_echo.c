/*
 * Lines on stdin, what the JSON code makes of them on stdout, line by line:
 *
 *     d3ff8000000000000     a double by its bits (16 hex digits), printed by json_double()
 *     anything else         a JSON text, read by json_read() and printed by json_tree();
 *                           "! " and a sentence if it is refused
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/json_read.h"
#include "proto/json_write.h"

enum { ARENA_MAX = 64 << 20, LINE_MAX_BYTES = 16 << 20, DEPTH = 64 };

static void
echo_double(struct json_writer *w, const char *digits)
{
	uint64_t bits = strtoull(digits, NULL, 16);
	double v;

	memcpy(&v, &bits, sizeof v);
	json_double(w, v);
}

static void
echo_text(struct json_writer *w, struct arena *arena, char *line, size_t n)
{
	struct json_error error;
	const struct json *value = json_read(arena, line, n, 0, DEPTH, &error);

	if (value != NULL)
		json_tree(w, value);
	else
		buf_printf(w->buf, "! %s", error.what);
	arena_reset(arena);
}

/* False if the answer could not be made or printed. */
static bool
echo_line(struct buf *out, struct arena *arena, char *line, size_t n)
{
	struct json_writer w = {.buf = out};

	buf_clear(out);
	if (n == 17 && line[0] == 'd' && strspn(line + 1, "0123456789abcdef") == 16)
		echo_double(&w, line + 1);
	else
		echo_text(&w, arena, line, n);
	buf_putc(out, '\n');
	return !out->failed && fwrite(out->p, 1, out->n, stdout) == out->n;
}

int
main(void)
{
	struct arena arena;
	struct buf out;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	bool ok = true;

	arena_init(&arena, ARENA_MAX);
	buf_init(&out, LINE_MAX_BYTES);
	while (ok && (n = getline(&line, &room, stdin)) > 0) {
		if (line[n - 1] == '\n')
			line[--n] = '\0';
		ok = echo_line(&out, &arena, line, (size_t)n);
	}
	free(line);
	buf_free(&out);
	arena_free(&arena);
	return ok && fflush(stdout) == 0 ? 0 : 1;
}
