/* Commands: argv[0] is the command's name; the result is the exit status: 0, 1 (it failed), 2
 * (usage). */
#ifndef GATEWAY_COMMAND_H
#define GATEWAY_COMMAND_H

#include "proto/base.h"

struct command {
	const char *name;
	const char *usage;   /* its arguments */
	const char *summary; /* one sentence */
	int (*run)(int argc, char **argv);
};

int command_run(int argc, char **argv);
int command_check(int argc, char **argv);
int command_key(int argc, char **argv);
int command_sign(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_receive(int argc, char **argv);
int command_version(int argc, char **argv);
int command_help(int argc, char **argv);

/* Prints how the command is used to standard error; always 2. */
int command_usage(const char *name) NONNULL;

#endif
