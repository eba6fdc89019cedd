/*
 * The commands (CONTRACT §11): one row each, beside what it does; the table of them is in
 * command.c. `tocsin help`, --help, the manual page and the completion of shells are made from the
 * rows.
 *
 * A command's argv[0] is its name; its result is the exit status: 0, 1 (it failed), 2 (usage).
 * What was wrong is one line on standard error.
 */
#ifndef GATEWAY_COMMAND_H
#define GATEWAY_COMMAND_H

#include "conf/conf.h"

struct command_option {
	int id;               /* the letter of -c; above 255: there is only --name */
	const char *name;     /* of --name */
	const char *argument; /* what it takes, "FILE"; NULL: nothing */
	const char *help;     /* a few words, as the others */
};

struct command {
	const char *name;
	const char *usage;   /* its arguments, every option among them */
	const char *summary; /* one line without a full stop */
	const char *detail;  /* paragraphs of sentences, an empty line between them */
	const struct command_option *options; /* the last one has no name; NULL: there are none */
	int (*run)(int argc, char **argv);
};

/* In the order of `tocsin help`; the last one is NULL. */
extern const struct command *const command_table[];
const struct command *command_find(const char *name) MUST NONNULL;

/* Runs what argv says; the exit status. */
int command_main(int argc, char **argv) MUST NONNULL;

/* Takes one option, with its value where it has one; NULL, or what is wrong with it, which shows
 * nothing of the value. */
typedef const char *command_take(void *arg, int id, const char *value);

/*
 * Reads argv by the options of the command argv[0]: each goes to take. What is none moves behind
 * them; at most `operands` of these may be. The index of the first, argc if there is none; -1 when
 * something is wrong, and said.
 */
int command_read(int argc, char **argv, int operands, command_take *take, void *arg) MUST;

/* One line on standard error, behind the command's name. command_wrong() is for what was not
 * understood: it points to the help and returns 2; command_failed() returns 1. */
int command_wrong(const char *command, const char *format, ...) PRINTF(2, 3);
int command_failed(const char *command, const char *format, ...) PRINTF(2, 3);

/* All of the file, or of standard input if it is NULL. False when it cannot be had, and said. */
bool command_body(const char *command, const char *file, struct buf *) MUST;

/* The row of -c for those that read a configuration. */
#define COMMAND_FILE_OPTION \
	{'c', "config", "FILE", "the configuration; without it conf/tocsin.json, or if there is " \
	    "none here /etc/tocsin/tocsin.json"}
/* The file that given (or NULL) means. */
const char *command_file(const char *given) MUST;
/* The configuration, checked with the files that it names or without; NULL when there was a fault,
 * all are on standard error. */
struct conf *command_load(const char *file, bool files) MUST NONNULL;

extern const struct command command_run, command_check, command_key; /* command_conf.c */
extern const struct command command_sign, command_verify;            /* command_sign.c */
extern const struct command command_receive, command_try;
extern const struct command command_dump, command_backup;            /* command_dump.c */
extern const struct command command_incidents, command_incident;     /* command_incidents.c */
extern const struct command command_deliveries, command_replay;      /* command_deliveries.c */
extern const struct command command_status;

#endif
