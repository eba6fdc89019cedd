/*
 * What the commands that ask a running gateway have in common (CONTRACT §11): where it is, the
 * token, answers as trees, tables or JSON. What goes wrong is said on standard error here.
 */
#ifndef GATEWAY_REMOTE_H
#define GATEWAY_REMOTE_H

#include "gateway/client.h"
#include "gateway/command.h"
#include "gateway/grid.h"
#include "proto/json_write.h"

enum remote_option { REMOTE_URL = 256, REMOTE_TOKEN_FILE, REMOTE_JSON, REMOTE_OWN };

/* The rows of their options, behind the command's own ones, whose ids start at REMOTE_OWN; and the
 * end of their usage. */
#define REMOTE_OPTIONS                                                                            \
	{REMOTE_JSON, "json", NULL, "prints JSON instead of a table"}, COMMAND_FILE_OPTION,       \
	    {REMOTE_URL, "url", "URL",                                                            \
		"the gateway, http://HOST:PORT, https://HOST:PORT or unix:PATH; without it the "  \
		"first listener of the configuration that serves the API"},                       \
	    {REMOTE_TOKEN_FILE, "token-file", "FILE",                                             \
		"holds the token; without it $TOCSIN_TOKEN, or the first token of the "           \
		"configuration that is enough"},                                                  \
	    {0}
#define REMOTE_USAGE "[--json] [-c FILE] [--url URL] [--token-file FILE]"

struct remote {
	const char *command;
	const char *file, *url, *token_file; /* NULL: not given */
	bool json;
	int forgiven;           /* a status of which nothing is said; 0: none */
	const char *missing;    /* what is said instead of "Not Found."; NULL: that */
	int status;             /* of the last answer; -1: there was none */
	struct client client;
	struct screen screen;   /* standard output */
	struct buf answer;
	struct arena arena;     /* of the tree of the last answer */
};

void remote_start(struct remote *, const char *command) NONNULL;
void remote_stop(struct remote *) NONNULL;

/* Takes one of REMOTE_OPTIONS, as a command_take. */
const char *remote_take(struct remote *, int id, const char *value);

/* Finds the gateway's listener that serves these conf_surface bits, and a token. */
bool remote_open(struct remote *, unsigned surfaces, bool writes) MUST NONNULL;

/* A request; body may be empty. The answer if it is a 2xx, until the next request. */
const struct json *remote_ask(struct remote *, const char *method, struct slice target,
    struct slice body) MUST NONNULL;
/* Puts a row of an answer into the columns of a table. */
typedef void remote_row(struct grid *, const struct json *row);
struct remote_list {
	const char *method;
	struct slice target; /* of the first page */
	struct slice body;   /* of every page */
	uint64_t limit;      /* rows in all */
	const struct grid_column *columns;
	size_t column_count;
	remote_row *put;
};
/* Prints a list, page after page: as a table, or as one JSON answer a line. */
bool remote_list(struct remote *, const struct remote_list *) MUST NONNULL;

/* The tree as one line, everything outside ASCII escaped. */
bool remote_print(struct remote *, const struct json *) MUST NONNULL;

/* Members for cells: the text of a scalar, "" for what is null or not there. */
struct slice remote_text(const struct json *object, const char *key);
/* A date as "2026-11-21 09:00:12", in out. */
struct slice remote_date(const struct json *object, const char *key, char out[20]);

/* Cells of such members. */
void remote_put(struct grid *, const struct json *object, const char *key);
void remote_put_date(struct grid *, const struct json *object, const char *key);
/* ... with a colour: a delivery's "state", an attempt's "reason". */
void remote_put_state(struct grid *, const struct json *delivery) NONNULL;
void remote_put_reason(struct grid *, const struct json *attempt);
enum screen_colour remote_state_colour(struct slice state);

/* A table without headings of a name and a text a line, such as stands above another one. An empty
 * text is left out. */
void remote_start_lines(struct remote *, struct grid *) NONNULL;
void remote_line(struct grid *, const char *name, struct slice text, enum screen_colour) NONNULL;
/* Prints any table; false, and said: it was too large. */
bool remote_end(struct remote *, struct grid *) MUST NONNULL;

/* The value of --since and the like: a date of RFC 3339, or how long before now ("2h"). False:
 * neither. */
bool remote_moment(const char *value, int64_t *wall) MUST NONNULL;
/* The value of --limit; NULL, or what is wrong with it. */
const char *remote_limit(const char *value, uint64_t *limit) MUST NONNULL;

/* Appends text as part of a path or query: what is not a letter, digit, '-', '.', '_' or '~' as
 * %XX. */
void remote_escape(struct buf *, struct slice text) NONNULL;

#endif
