/*
 * A page of the manual from its beginning: copies standard input to standard output and puts what
 * the program's own tables say in place of these lines:
 *
 *	.\" COMMANDS    each command with its options, from the rows in gateway/command_*.c
 *	.\" OPTIONS     each option of the configuration, from the rows in conf/table.c
 *
 * So that a page cannot say anything else than the program. The output is mdoc(7): sentences and
 * long lines are broken, as mandoc's lint wants them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "conf/table.h"
#include "gateway/command.h"

enum { WIDTH = 76 };

/* ---- text -------------------------------------------------------------------------------- */

/* Words as lines of text: a new one behind each sentence, and where one is full. */
static void
put_words(const char *text, size_t n)
{
	const char *end = text + n, *space;
	size_t at = 0, word;

	for (const char *p = text; p < end; p += word + 1) {
		bool ended = p - text >= 2 && p[-2] == '.' && *p >= 'A' && *p <= 'Z';

		space = memchr(p, ' ', (size_t)(end - p));
		word = (size_t)((space == NULL ? end : space) - p);
		if (at > 0 && (ended || at + 1 + word > WIDTH)) {
			putchar('\n');
			at = 0;
		} else if (at > 0) {
			putchar(' ');
			at++;
		}
		if (at == 0 && (*p == '.' || *p == '\''))
			fputs("\\&", stdout);
		for (size_t i = 0; i < word; i++)
			if (p[i] == '\\')
				fputs("\\e", stdout);
			else
				putchar(p[i]);
		at += word;
	}
	putchar('\n');
}

static void
put_text(const char *text)
{
	put_words(text, strlen(text));
}

/* ---- commands ---------------------------------------------------------------------------- */

static void
put_option(const struct command_option *option)
{
	char text[512];

	if (option->id > 255)
		printf(".It Fl -%s", option->name);
	else
		printf(".It Fl %c , Fl -%s", option->id, option->name);
	printf(option->argument == NULL ? "\n" : " Ar %s\n", option->argument);
	snprintf(text, sizeof text, "%s.", option->help);
	if (text[0] >= 'a' && text[0] <= 'z' && text[strcspn(text, "- ")] == ' ')
		text[0] = (char)(text[0] - 32); /* a word, and no header's name */
	put_text(text);
}

static void
put_command(const struct command *command)
{
	printf(".Ss %s\n.Bd -ragged -offset indent\n.Nm tocsin\n.Cm %s\n", command->name,
	    command->name);
	if (command->usage[0] != '\0')
		put_text(command->usage);
	puts(".Ed");
	for (const char *p = command->detail; *p != '\0'; p += strspn(p, "\n")) {
		size_t n = strcspn(p, "\n");

		puts(".Pp");
		put_words(p, n);
		p += n;
	}
	if (command->options == NULL)
		return;
	puts(".Bl -tag -width Ds");
	for (const struct command_option *at = command->options; at->name != NULL; at++)
		put_option(at);
	puts(".El");
}

static void
put_commands(void)
{
	for (const struct command *const *at = command_table; *at != NULL; at++)
		put_command(*at);
}

/* ---- options ----------------------------------------------------------------------------- */

struct unit {
	const char *name;
	int64_t size;
};

static const struct unit time_units[] = {{"d", INT64_C(86400000000)}, {"h", INT64_C(3600000000)},
    {"m", INT64_C(60000000)}, {"s", INT64_C(1000000)}, {"ms", INT64_C(1000)}, {NULL, 0}};
static const struct unit size_units[] = {{"TiB", INT64_C(1) << 40}, {"GiB", INT64_C(1) << 30},
    {"MiB", INT64_C(1) << 20}, {"KiB", INT64_C(1) << 10}, {NULL, 0}};

/* As the configuration would have it: "10m", "64KiB". */
static const char *
quantity(int64_t n, const struct unit *unit, char out[32])
{
	for (; unit != NULL && unit->name != NULL; unit++)
		if (n > 0 && n % unit->size == 0) {
			snprintf(out, 32, "%lld%s", (long long)(n / unit->size), unit->name);
			return out;
		}
	snprintf(out, 32, "%lld", (long long)n);
	return out;
}

static void
add_range(struct buf *text, const struct option *option, const struct unit *units)
{
	char low[32], high[32];

	if (option->maximum > 0)
		buf_printf(text, ", %s to %s", quantity(option->minimum, units, low),
		    quantity(option->maximum, units, high));
}

static void
add_words(struct buf *text, const struct option_word *word)
{
	for (size_t i = 0; word[i].word != NULL; i++)
		buf_printf(text, "%s\"%s\"", i == 0 ? "" : word[i + 1].word == NULL ? " or " : ", ",
		    word[i].word);
}

/* What a value looks like; the names are those of enum option_type. */
static void
add_type(struct buf *text, const struct option *option)
{
	static const char *const names[OPTION_TYPES] = {[OPTION_BOOL] = "true or false",
	    [OPTION_INT] = "A number", [OPTION_NUMBER] = "A number", [OPTION_TIME] = "A time",
	    [OPTION_SIZE] = "A size", [OPTION_DATE] = "A date", [OPTION_TEXT] = "A text",
	    [OPTION_ID] = "A UUID", [OPTION_UUID] = "A UUID", [OPTION_WORD] = "",
	    [OPTION_BIT] = "", [OPTION_WORDS] = "A list of ", [OPTION_TIMES] = "A list of times",
	    [OPTION_NETWORKS] = "A list of networks", [OPTION_HEADERS] = "An object of texts",
	    [OPTION_SIGNING_KEYS] = "A list of texts", [OPTION_SECTION] = "An object",
	    [OPTION_SECTIONS] = "An object or a list of them",
	    [OPTION_LIST] = "A list of objects", [OPTION_ANY] = "A list"};

	if (option->type == OPTION_BOOL)
		buf_puts(text, "Either ");
	buf_puts(text, names[option->type]);
	if (option->words != NULL)
		add_words(text, option->words);
	if (option->opens != NULL)
		buf_printf(text, "; see %s", option->opens);
	if (option->type == OPTION_INT || option->type == OPTION_NUMBER)
		add_range(text, option, NULL);
	else if (option->type == OPTION_TIME || option->type == OPTION_TIMES)
		add_range(text, option, time_units);
	else if (option->type == OPTION_SIZE)
		add_range(text, option, size_units);
	else if (option->type == OPTION_TEXT && option->maximum > 0)
		buf_printf(text, " of %lld to %lld bytes", (long long)option->minimum,
		    (long long)option->maximum);
	buf_putc(text, '.');
}

static void
add_rest(struct buf *text, const struct option *option)
{
	if (option->flags & OPTION_SECRET)
		buf_puts(text, " A secret.");
	if (option->flags & (OPTION_UNIQUE | OPTION_UNIQUE_IN_FILE))
		buf_printf(text, " No two in the %s are alike.",
		    option->flags & OPTION_UNIQUE_IN_FILE ? "file" : "list");
	if (option->flags & OPTION_REQUIRED)
		buf_puts(text, " Required.");
	else if (option->fallback != NULL)
		buf_printf(text, " Default: %s", option->fallback);
}

static void
put_row(const struct option *option)
{
	struct buf text = {.ceiling = 4096};

	printf(".It Ic %s\n", option->name);
	put_text(option->help);
	add_type(&text, option);
	add_rest(&text, option);
	put_words(text.p, text.n);
	buf_free(&text);
}

static void
put_options(void)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option *option = &option_table[i];
		bool first = i == 0 || strcmp(option[-1].section, option->section) != 0;
		bool last = i + 1 == option_count ||
			    strcmp(option[1].section, option->section) != 0;

		if (first)
			printf(".Ss %s\n.Bl -tag -width Ds\n",
			    option->section[0] == '\0' ? "The file" : option->section);
		put_row(option);
		if (last)
			puts(".El");
	}
}

int
main(void)
{
	char line[1024];

	while (fgets(line, sizeof line, stdin) != NULL)
		if (strcmp(line, ".\\\" COMMANDS\n") == 0)
			put_commands();
		else if (strcmp(line, ".\\\" OPTIONS\n") == 0)
			put_options();
		else
			fputs(line, stdout);
	return ferror(stdin) || fflush(stdout) != 0 || ferror(stdout);
}
