/* The commands (CONTRACT §11): one table; `help` is printed from it. */
#include <sodium.h>
#include <stdio.h>

#include "gateway/command.h"

static const struct command commands[] = {
    {"run", "[-c FILE]", "runs the gateway (FILE: conf/tocsin.json)", command_run},
    {"check", "[-c FILE]", "checks a configuration and lists every error", command_check},
    {"key", "generic|pagertree|hmac|standard-webhooks|token", "makes a key", command_key},
    {"sign", "-k KEY [-k KEY]... [-i ID] [-t TIMESTAMP] [FILE]",
	"prints the headers that sign a body, read from FILE or standard input", command_sign},
    {"verify", "-k KEY [-k KEY]... [-i ID] [-t TIMESTAMP] -s SIGNATURE [FILE]",
	"says whether a signature of a body verifies with a key, and exits 0 if it does",
	command_verify},
    {"receive", "[-p PORT] [-k KEY]... [--status N] [--delay T]",
	"a receiver for trying things out: prints each webhook and whether its signature verifies",
	command_receive},
    {"version", "", "prints the version", command_version},
    {"help", "[COMMAND]", "prints this", command_help},
};

static const struct command *
find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int
unknown(const char *name)
{
	fprintf(stderr, "tocsin: there is no command \"%s\"; tocsin help lists them\n", name);
	return 2;
}

static void
print_command(FILE *to, const struct command *command)
{
	fprintf(to, "  tocsin %s%s%s\n      %s\n", command->name, command->usage[0] ? " " : "",
	    command->usage, command->summary);
}

int
command_version(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return command_usage("version");
	puts("tocsin " TOCSIN_VERSION);
	return 0;
}

int
command_help(int argc, char **argv)
{
	const struct command *command = argc > 1 ? find(argv[1]) : NULL;

	if (argc > 2 || (argc > 1 && command == NULL))
		return unknown(argv[1]);
	if (command != NULL) {
		print_command(stdout, command);
		return 0;
	}
	puts("Tocsin, a self-hosted alert gateway.\n");
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		print_command(stdout, &commands[i]);
	return 0;
}

int
command_usage(const char *name)
{
	const struct command *command = find(name);

	fprintf(stderr, "usage:\n");
	if (command != NULL)
		print_command(stderr, command);
	return 2;
}

int
main(int argc, char **argv)
{
	const struct command *command = argc > 1 ? find(argv[1]) : NULL;

	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		command = find("help");
	else if (argc == 2 && strcmp(argv[1], "--version") == 0)
		command = find("version");
	if (sodium_init() < 0) {
		fprintf(stderr, "tocsin: libsodium cannot be initialised\n");
		return 1;
	}
	if (command == NULL)
		return argc > 1 ? unknown(argv[1]) : command_usage("help");
	return command->run(argc - 1, argv + 1);
}
