/* From the tree of a file to struct conf, by the table of options. */
#ifndef CONF_READ_H
#define CONF_READ_H

#include "conf/fault.h"
#include "conf/private.h"
#include "conf/table.h"
#include "conf/unique.h"

struct reader {
	struct conf *conf;
	struct arena *keep;     /* the configuration's */
	struct arena *scratch;  /* gone when the file is read: tree, faults, claims */
	struct faults faults;
	struct unique unique;
	const struct json **defaults; /* parsed defaults, one per row, NULL until needed */
	size_t scope;           /* of UNIQUE options: the list being read */
	struct conf_print *print; /* of the object being read; NULL: it is the configuration */
	size_t nth;             /* in a list of objects without names */
	const struct conf *running; /* or NULL */
	const struct conf_files *files; /* or NULL: they are not looked at */
};

/* Reads the rows of a section, from an object of the file or of a default, into its struct. */
void read_section(struct reader *, const char *section, void *object, const struct json *node)
    NONNULL;

/* The default of a row, parsed; NULL where it has none (or without memory). */
const struct json *read_default(struct reader *, const struct option *) MUST NONNULL;

/* Reads one value that is neither a section nor a list of them. */
void value_read(struct reader *, const struct option *, const struct json *node, void *object)
    NONNULL;

/* A text of the file, or the secret that it stands for, copied to where it stays. False after a
 * fault. */
bool value_text(struct reader *, const struct option *, const struct json *node, struct slice *)
    MUST NONNULL;

/* Puts a value where the row keeps it. */
void value_store(const struct option *, void *object, const void *value, size_t n) NONNULL;
void value_store_list(const struct option *, void *object, const void *list, size_t count) NONNULL;

/* OPTION_HEADERS. */
void header_read(struct reader *, const struct option *, const struct json *node, void *object)
    NONNULL;

/* OPTION_SIGNING_KEYS. */
void signing_read(struct reader *, const struct option *, const struct json *node, void *object)
    NONNULL;

/* The name of the section's options that may have been meant; NULL if none is near. */
const char *suggest_name(const char *section, struct slice key) MUST NONNULL;

#endif
