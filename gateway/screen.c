/*
 * A character at a time: is it to be seen, and how wide is it? glibc's tables know for the locale's
 * character set; what they count as printable without width is let through as a mark, but for the
 * ranges below, which change what the eye is shown.
 */
#include "gateway/screen.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "proto/utf8.h"

enum { MARKS_MAX = 3 }; /* on one character */

static const struct {
	uint32_t first, last;
} hidden[] = {
    {0x00ad, 0x00ad},   /* soft hyphen */
    {0x034f, 0x034f},   /* grapheme joiner */
    {0x061c, 0x061c},   /* direction */
    {0x115f, 0x1160},   /* fillers */
    {0x180e, 0x180e},   /* without width */
    {0x200b, 0x200f},   /* without width, joiners, direction */
    {0x2028, 0x202e},   /* separators, direction */
    {0x2060, 0x206f},   /* invisible operators, direction */
    {0x3164, 0x3164},   /* filler */
    {0xfeff, 0xfeff},   /* byte order mark */
    {0xffa0, 0xffa0},   /* filler */
    {0xfff0, 0xfffb},   /* annotations */
    {0x1d173, 0x1d17a}, /* musical formatting */
    {0xe0000, 0xe0fff}, /* tags */
};

void
screen_open(struct screen *screen, FILE *to)
{
	const char *term = getenv("TERM");
	bool terminal = isatty(fileno(to)) == 1;
	struct winsize size = {0};

	*screen = (struct screen){.to = to};
	setlocale(LC_CTYPE, "");
	screen->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (!terminal)
		return;
	screen->width = ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col > 0
			    ? size.ws_col
			    : 80;
	screen->colour = getenv("NO_COLOR") == NULL && term != NULL && strcmp(term, "dumb") != 0;
}

static bool
is_hidden(uint32_t c)
{
	for (size_t i = 0; i < COUNT_OF(hidden); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return true;
	return false;
}

/* Columns, or -1: it must be escaped. */
static int
width_of(uint32_t c, bool utf8)
{
	if (c < 0x80)
		return c >= ' ' && c < 0x7f ? 1 : -1;
	return utf8 && !is_hidden(c) ? wcwidth((wchar_t)c) : -1;
}

static size_t
escape(struct buf *to, uint32_t c)
{
	size_t before = to->n;

	if (c == '\n' || c == '\t' || c == '\r')
		buf_printf(to, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
	else
		buf_printf(to, c < 0x80 ? "\\x%02x" : "\\u{%x}", (unsigned)c);
	return to->n - before;
}

/* Appends well-formed text; its width. */
static size_t
put_characters(struct buf *to, struct slice text, bool utf8)
{
	size_t at = 0, from, total = 0;
	int width, marks = 0;
	uint32_t c;

	while (at < text.n) {
		from = at;
		c = utf8_next(text, &at);
		width = width_of(c, utf8);
		marks = width == 0 ? marks + 1 : 0;
		if (width < 0 || marks > MARKS_MAX) {
			total += escape(to, c);
			continue;
		}
		buf_put(to, text.p + from, at - from);
		total += (size_t)width;
	}
	return total;
}

size_t
screen_put(struct buf *to, struct slice text, bool utf8)
{
	size_t total = 0, good;

	while (text.n > 0) {
		good = utf8_valid(text);
		total += put_characters(to, (struct slice){text.p, good}, utf8);
		if (good < text.n) {
			buf_printf(to, "\\x%02x", (unsigned char)text.p[good++]);
			total += 4;
		}
		text = (struct slice){text.p + good, text.n - good};
	}
	return total;
}

struct slice
screen_fit(struct slice safe, size_t *width)
{
	size_t at = 0, end = 0, total = 0;
	int one;

	while (at < safe.n) {
		one = width_of(utf8_next(safe, &at), true);
		if (total + (size_t)one > *width)
			break;
		total += (size_t)one;
		end = at;
	}
	*width = total;
	return (struct slice){safe.p, end};
}

void
screen_colour(const struct screen *screen, enum screen_colour colour)
{
	static const char *const codes[] = {[SCREEN_PLAIN] = "\033[0m",
	    [SCREEN_RED] = "\033[31m",
	    [SCREEN_GREEN] = "\033[32m",
	    [SCREEN_YELLOW] = "\033[33m",
	    [SCREEN_DIM] = "\033[2m"};

	if (screen->colour)
		fputs(codes[colour], screen->to);
}
