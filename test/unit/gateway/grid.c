/*
 * Tables at a terminal: columns line up in columns of the screen, not in bytes, and nothing that a
 * stranger wrote moves the cursor, hides, or turns the writing around (CONTRACT §11).
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <pty.h>

#include <cmocka.h>

#include "gateway/grid.h"

static const struct grid_column columns[] = {{"N", true, false}, {"TITLE", false, true},
    {"END", false, false}};

/* The printed table; the caller frees it. */
static char *
print(const struct screen *look, const char *const *cells, size_t count)
{
	struct screen screen = *look;
	struct grid grid;
	char *text = NULL;
	size_t n;

	screen.to = open_memstream(&text, &n);
	assert_non_null(screen.to);
	grid_start(&grid, &screen, columns, COUNT_OF(columns));
	for (size_t i = 0; i < count; i++)
		grid_put(&grid, slice_of(cells[i]), i == 0 ? SCREEN_RED : SCREEN_PLAIN);
	assert_true(grid_print(&grid));
	grid_free(&grid);
	fclose(screen.to);
	return text;
}

static void
expect(const struct screen *screen, const char *const *cells, size_t count, const char *want)
{
	char *got = print(screen, cells, count);

	assert_string_equal(got, want);
	free(got);
}

static int
set_locale(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C.UTF-8") == NULL ? -1 : 0;
}

static void
test_grid_lines_up(void **state)
{
	static const char *const cells[] = {"1", "short", "x", "1234", "a longer one", "y"};

	(void)state;
	expect(&(struct screen){.utf8 = true}, cells, COUNT_OF(cells),
	    "   N  TITLE         END\n"
	    "   1  short         x\n"
	    "1234  a longer one  y\n");
	expect(&(struct screen){.utf8 = true}, NULL, 0, "N  TITLE  END\n");
	expect(&(struct screen){.utf8 = true}, (const char *[]){"1", "a", "", "2", "", ""}, 6,
	    "N  TITLE  END\n"
	    "1  a\n"
	    "2\n");
}

static void
test_grid_gives_way(void **state)
{
	static const char *const cells[] = {"1", "0123456789abcdefghij", "x"};

	(void)state;
	expect(&(struct screen){.utf8 = true, .width = 20}, cells, 3,
	    "N  TITLE         END\n"
	    "1  012345678...  x\n");
	expect(&(struct screen){.utf8 = true, .width = 3}, cells, 3,
	    "N  TITLE     END\n"
	    "1  01234...  x\n");
}

static void
test_grid_wide_characters(void **state)
{
	static const char *const cells[] = {"1", "\xe6\xbc\xa2\xe5\xad\x97", "x", "2", "e\xcc\x81t\xc3\xa9",
	    "y"};

	(void)state;
	expect(&(struct screen){.utf8 = true}, cells, COUNT_OF(cells),
	    "N  TITLE  END\n"
	    "1  \xe6\xbc\xa2\xe5\xad\x97   x\n"
	    "2  e\xcc\x81t\xc3\xa9    y\n");
	expect(&(struct screen){.utf8 = false}, cells + 3, 3,
	    "N  TITLE            END\n"
	    "2  e\\u{301}t\\u{e9}  y\n");
}

static void
test_grid_colours(void **state)
{
	static const char *const cells[] = {"1", "a", "b"};

	(void)state;
	expect(&(struct screen){.colour = true}, cells, 3,
	    "\033[2mN\033[0m  \033[2mTITLE\033[0m  \033[2mEND\033[0m\n"
	    "\033[31m1\033[0m  a      b\n");
}

static void
assert_safe(const char *hostile, size_t n, bool utf8, const char *want)
{
	struct buf to = {.ceiling = 4096};
	size_t width = screen_put(&to, (struct slice){hostile, n}, utf8);

	buf_putc(&to, '\0');
	assert_string_equal(to.p, want);
	if (strspn(want, " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
			 "abcdefghijklmnopqrstuvwxyz{|}~") == strlen(want))
		assert_int_equal(width, strlen(want));
	buf_free(&to);
}

#define SAFE(hostile, want) assert_safe(hostile, sizeof(hostile) - 1, true, want)

static void
test_screen_hostile(void **state)
{
	(void)state;
	SAFE("plain \\ text", "plain \\ text");
	SAFE("\033[2J\033]0;title\007", "\\x1b[2J\\x1b]0;title\\x07");
	SAFE("a\nb\rc\td\x7f\0e", "a\\nb\\rc\\td\\x7f\\x00e");
	SAFE("\xc2\x9b" "31m", "\\u{9b}31m");
	SAFE("\x9b\xff\xc3", "\\x9b\\xff\\xc3");
	SAFE("evil\xe2\x80\xaetxt.exe", "evil\\u{202e}txt.exe");
	SAFE("a\xe2\x80\x8b" "b\xef\xbb\xbf", "a\\u{200b}b\\u{feff}");
	SAFE("\xe2\x81\xa6x\xe2\x81\xa9", "\\u{2066}x\\u{2069}");
	SAFE("\xf3\xa0\x81\xa1", "\\u{e0061}");
	SAFE("\xed\xa0\x80", "\\xed\\xa0\\x80");
	SAFE("\xef\xbf\xbf", "\\u{ffff}");
	SAFE("Z\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81",
	    "Z\xcc\x81\xcc\x81\xcc\x81\\u{301}\\u{301}");
	assert_safe("gr\xc3\xbc\xc3\x9f", 6, false, "gr\\u{fc}\\u{df}");
	assert_safe("gr\xc3\xbc\xc3\x9f", 6, true, "gr\xc3\xbc\xc3\x9f");
}

/* Every character there is, alone: what is let through is printable, and as wide as is said. */
static void
test_screen_every_character(void **state)
{
	char text[4];
	struct buf to = {.ceiling = 64};

	(void)state;
	for (uint32_t c = 0; c < 0x110000; c++) {
		size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

		if (c >= 0xd800 && c < 0xe000)
			continue;
		for (size_t i = n - 1; i > 0; i--)
			text[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
		text[0] = (char)(n == 1 ? c : (0xf00 >> n & 0xff) | c >> 6 * (n - 1));
		buf_clear(&to);
		size_t width = screen_put(&to, (struct slice){text, n}, true);
		assert_true(to.n > 0 && to.p[0] != '\033' && (unsigned char)to.p[0] >= ' ');
		if (to.p[0] == '\\' && c != '\\')
			assert_int_equal(width, to.n);
		else
			assert_true(width <= 2 && slice_is(buf_slice(&to), (struct slice){text, n}));
	}
	buf_free(&to);
}

static void
test_screen_fit(void **state)
{
	const struct slice text = SLICE("a\xe6\xbc\xa2" "b");
	size_t width;

	(void)state;
	for (size_t most = 0; most < 6; most++) {
		width = most;
		struct slice fits = screen_fit(text, &width);
		assert_int_equal(width, most == 2 ? 1 : most > 4 ? 4 : most);
		assert_int_equal(fits.n, most == 0 ? 0 : most < 3 ? 1 : most == 3 ? 4 : 5);
	}
}

/* Colours and a width at a terminal only; NO_COLOR and a dumb terminal want none. */
static void
test_screen_open(void **state)
{
	struct winsize size = {.ws_row = 24, .ws_col = 42};
	struct screen screen;
	int master, slave;
	FILE *to;

	(void)state;
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	screen_open(&screen, stderr);
	assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
	to = fdopen(slave, "w");
	screen_open(&screen, to);
	assert_int_equal(screen.width, 42);
	assert_true(screen.colour && screen.utf8);
	setenv("NO_COLOR", "", 1);
	screen_open(&screen, to);
	assert_false(screen.colour);
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	screen_open(&screen, to);
	assert_false(screen.colour);
	fclose(to);
	close(master);
	setenv("LC_ALL", "C", 1);
	to = fopen("/dev/null", "w");
	screen_open(&screen, to);
	assert_true(screen.width == 0 && !screen.colour && !screen.utf8);
	fclose(to);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_grid_lines_up),
	    cmocka_unit_test(test_grid_gives_way),
	    cmocka_unit_test(test_grid_wide_characters),
	    cmocka_unit_test(test_grid_colours),
	    cmocka_unit_test(test_screen_hostile),
	    cmocka_unit_test(test_screen_every_character),
	    cmocka_unit_test(test_screen_fit),
	    cmocka_unit_test(test_screen_open),
	};

	return cmocka_run_group_tests(tests, set_locale, NULL);
}
