/*
 * The table of commands, what prints it, and what reads the arguments by it.
 *
 *	tocsin COMMAND -c FILE --limit 5 OPERAND
 *	       │       └ command_read: by the row's options     └ and how many of these
 *	       └ command_find
 */
#include "gateway/command.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { WIDTH = 78, OPTIONS_MAX = 16 };

static int run_help(int argc, char **argv);
static int run_version(int argc, char **argv);

static const struct command command_version = {.name = "version",
    .usage = "",
    .summary = "prints the version",
    .detail = "Prints the program's name and its version.",
    .run = run_version};

static const struct command command_help = {.name = "help",
    .usage = "[COMMAND]",
    .summary = "lists the commands, or says more about one",
    .detail = "Lists the commands, or says more about one. tocsin COMMAND --help does the same.",
    .run = run_help};

const struct command *const command_table[] = {&command_run, &command_check, &command_key,
    &command_sign, &command_verify, &command_receive, &command_try, &command_dump, &command_backup,
    &command_incidents, &command_incident, &command_deliveries, &command_replay,
    &command_status, &command_version, &command_help, NULL};

const struct command *
command_find(const char *name)
{
	for (const struct command *const *at = command_table; *at != NULL; at++)
		if (strcmp((*at)->name, name) == 0)
			return *at;
	return NULL;
}

/* ---- complaints -------------------------------------------------------------------------- */

static void
complain(const char *command, const char *format, va_list args)
{
	fprintf(stderr, "tocsin %s: ", command);
	vfprintf(stderr, format, args);
}

int
command_wrong(const char *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(command, format, args);
	va_end(args);
	fprintf(stderr, "; see tocsin help %s\n", command);
	return 2;
}

int
command_failed(const char *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(command, format, args);
	va_end(args);
	fputc('\n', stderr);
	return 1;
}

/* ---- standard input ---------------------------------------------------------------------- */

static bool
read_all(FILE *from, struct buf *body)
{
	char part[65536];
	size_t n;

	while ((n = fread(part, 1, sizeof part, from)) > 0)
		buf_put(body, part, n);
	if (body->failed)
		errno = EFBIG;
	return !ferror(from) && !body->failed;
}

bool
command_body(const char *command, const char *file, struct buf *body)
{
	FILE *from = file == NULL ? stdin : fopen(file, "re");
	bool ok = from != NULL && read_all(from, body);

	if (!ok)
		command_failed(command, "%s: %s", file == NULL ? "standard input" : file,
		    strerror(errno));
	if (from != NULL && from != stdin)
		fclose(from);
	return ok;
}

/* ---- help -------------------------------------------------------------------------------- */

/* Words on lines of at most WIDTH; the first one begins at `column`, the others at `indent`. */
static void
print_words(const char *text, size_t n, size_t column, size_t indent)
{
	const char *end = text + n, *space;
	size_t word;

	for (const char *p = text; p < end; p += word + 1, column += word) {
		space = memchr(p, ' ', (size_t)(end - p));
		word = (size_t)((space == NULL ? end : space) - p);
		if (p > text && column + 1 + word > WIDTH) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (p > text) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)word, p);
	}
	putchar('\n');
}

static void
print_detail(const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		putchar('\n');
		print_words(text, n, 0, 0);
		text += n;
		text += strspn(text, "\n");
	}
}

static void
print_options(const struct command_option *option)
{
	enum { COLUMN = 24 };
	char text[80];
	int n;

	putchar('\n');
	for (; option->name != NULL; option++) {
		n = option->id > 255 ? snprintf(text, sizeof text, "      ")
				     : snprintf(text, sizeof text, "  -%c, ", option->id);
		snprintf(text + n, sizeof text - (size_t)n, "--%s%s%s", option->name,
		    option->argument == NULL ? "" : " ",
		    option->argument == NULL ? "" : option->argument);
		n = printf("%-*s ", COLUMN, text);
		print_words(option->help, strlen(option->help), (size_t)n, COLUMN + 1);
	}
}

static void
print_usage(const struct command *command)
{
	int n = printf("usage: tocsin %s%s", command->name, command->usage[0] ? " " : "");

	print_words(command->usage, strlen(command->usage), (size_t)n, (size_t)n);
}

static void
print_command(const struct command *command)
{
	print_usage(command);
	print_detail(command->detail);
	if (command->options != NULL)
		print_options(command->options);
}

static void
print_list(void)
{
	puts("Tocsin, a self-hosted alert gateway.\n\nusage: tocsin COMMAND [ARGUMENT]...\n");
	for (const struct command *const *at = command_table; *at != NULL; at++)
		printf("  %-11s %s\n", (*at)->name, (*at)->summary);
	puts("\ntocsin help COMMAND, or tocsin COMMAND --help, says more about one.");
}

static int
unknown(const char *name)
{
	fprintf(stderr, "tocsin: there is no command \"%s\"; tocsin help lists them\n", name);
	return 2;
}

static int
run_help(int argc, char **argv)
{
	const struct command *command;
	int first = command_read(argc, argv, 1, NULL, NULL);

	if (first < 0)
		return 2;
	if (first == argc) {
		print_list();
		return 0;
	}
	command = command_find(argv[first]);
	if (command == NULL)
		return unknown(argv[first]);
	print_command(command);
	return 0;
}

static int
run_version(int argc, char **argv)
{
	if (command_read(argc, argv, 0, NULL, NULL) < 0)
		return 2;
	puts("tocsin " TOCSIN_VERSION);
	return 0;
}

/* ---- arguments --------------------------------------------------------------------------- */

/* The row's options as getopt_long() wants them; letters has room for ":", and two for each. */
static void
translate(const struct command_option *from, struct option *to, char *letters)
{
	*letters++ = ':';
	for (; from != NULL && from->name != NULL; from++) {
		*to++ = (struct option){from->name,
		    from->argument == NULL ? no_argument : required_argument, NULL, from->id};
		if (from->id > 255)
			continue;
		*letters++ = (char)from->id;
		if (from->argument != NULL)
			*letters++ = ':';
	}
	*to = (struct option){0};
	*letters = '\0';
}

static const struct command_option *
find_option(const struct command_option *option, int id)
{
	for (; option != NULL && option->name != NULL; option++)
		if (option->id == id)
			return option;
	return NULL;
}

/* An option that is not there, lacks its value, or has one that it does not take. */
static int
misused(char **argv, const struct command_option *options, bool bare)
{
	const struct command_option *option = find_option(options, optopt);

	if (option != NULL)
		command_wrong(argv[0], "--%s %s", option->name,
		    bare ? "needs a value" : "takes no value");
	else if (optopt != 0)
		command_wrong(argv[0], "-%c is not an option here", optopt);
	else
		command_wrong(argv[0], "%s is not an option here", argv[optind - 1]);
	return -1;
}

int
command_read(int argc, char **argv, int operands, command_take *take, void *arg)
{
	const struct command *command = command_find(argv[0]);
	const struct command_option *option;
	struct option known[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 2];
	const char *wrong;
	int id;

	assert(command != NULL);
	translate(command->options, known, letters);
	opterr = 0;
	while ((id = getopt_long(argc, argv, letters, known, NULL)) != -1) {
		if (id == '?' || id == ':')
			return misused(argv, command->options, id == ':');
		option = find_option(command->options, id);
		assert(option != NULL && take != NULL); /* who has options takes them */
		wrong = take(arg, id, optarg);
		if (wrong == NULL)
			continue;
		command_wrong(argv[0], "--%s %s", option->name, wrong);
		return -1;
	}
	if (argc - optind <= operands)
		return optind;
	command_wrong(argv[0], "\"%s\" is one argument too many", argv[optind + operands]);
	return -1;
}

/* --help anywhere before "--" is asked for instead of what stands beside it. */
static bool
wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0)
			return true;
	return false;
}

/* What was printed is where it should go, or the command has failed. A reader that has gone away
 * wanted no more of it. */
static int
finish(int result)
{
	struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
	bool lost = ferror(stdout) != 0;
	bool unread = poll(&output, 1, 0) == 1 && (output.revents & POLLERR);

	errno = 0;
	if ((fclose(stdout) == 0 && !lost) || unread || errno == EPIPE || result != 0)
		return result;
	fprintf(stderr, "tocsin: standard output: %s\n",
	    errno != 0 ? strerror(errno) : "some of it could not be written");
	return 1;
}

int
command_main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const struct command *command = command_find(name);

	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		command = &command_help;
	else if (strcmp(name, "--version") == 0)
		command = &command_version;
	if (argc < 2)
		fprintf(stderr, "tocsin: which command? tocsin help lists them\n");
	if (command == NULL)
		return argc < 2 ? 2 : unknown(name);
	argv[1] = (char *)command->name;
	if (!wants_help(argc - 1, argv + 1))
		return finish(command->run(argc - 1, argv + 1));
	print_command(command);
	return finish(0);
}
