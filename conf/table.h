/*
 * The options: one row each, and nowhere else. The reader walks the file by these rows; the sample
 * conf/tocsin.json is tested against them.
 */
#ifndef CONF_TABLE_H
#define CONF_TABLE_H

#include "proto/json_read.h"

struct reader;

/* What a value looks like, and the C type that it is kept in. */
enum option_type {
	OPTION_BOOL,      /* bool */
	OPTION_INT,       /* a whole number: int */
	OPTION_NUMBER,    /* a whole number: int64_t */
	OPTION_TIME,      /* "30s": int64_t, us */
	OPTION_SIZE,      /* "512KiB" or a whole number: int64_t, bytes */
	OPTION_DATE,      /* RFC 3339: int64_t, us */
	OPTION_TEXT,      /* struct slice; minimum and maximum count bytes */
	OPTION_ID,        /* a UUID: struct slice, dashed and in lower case */
	OPTION_UUID,      /* a UUID: struct uuid */
	OPTION_WORD,      /* one of `words`: int (or an enum) */
	OPTION_BIT,       /* one of `words`, added to the bits: unsigned */
	OPTION_WORDS,     /* a list of `words`: unsigned, their bits */
	OPTION_TIMES,     /* a list of times: int64_t * and a count */
	OPTION_NETWORKS,  /* a list of networks: struct cidr * and a count */
	OPTION_HEADERS,   /* an object of texts: struct conf_header * and a count */
	OPTION_SIGNING_KEYS, /* a list of texts: struct sign_key * and a count */
	OPTION_SECTION,   /* an object; its rows are kept in the same struct */
	OPTION_SECTIONS,  /* such an object, or a list of them */
	OPTION_LIST,      /* a list of objects: a struct each and a count */
	OPTION_ANY,       /* looked into behind the table (conf/compile.c) */
	OPTION_TYPES,
};

enum {
	OPTION_REQUIRED = 1,        /* an error when it is absent */
	OPTION_SECRET = 2,          /* text, {"file": path} or {"env": name}; wiped after use */
	OPTION_NULL = 4,            /* null stands for "not set" */
	OPTION_UNIQUE = 8,          /* no two alike in their list */
	OPTION_UNIQUE_IN_FILE = 16, /* no two alike in the file */
	OPTION_FIXED = 32,          /* a process keeps it for its life; kept by struct conf */
};

#define OPTION_NOWHERE SIZE_MAX /* `at` of a value that is checked but not kept */

/* The last row has no word; its value stands for null. */
struct option_word {
	const char *word;
	int value;
};

struct option {
	const char *section;  /* "" at the top level, else what its parent `opens` */
	const char *name;
	enum option_type type;
	unsigned flags;
	size_t at;            /* offset in the section's struct */
	size_t count_at;      /* lists: offset of the size_t with their length */
	int64_t minimum, maximum;
	const char *fallback; /* the default as JSON; NULL: the struct's zero */
	const char *help;     /* one sentence */
	const struct option_word *words;
	const char *opens;    /* sections and lists: the section of their rows */
	size_t size;          /* lists: of one struct */
	size_t print_at;      /* lists of named objects: offset of the struct conf_print; else 0 */
	/* Texts: what is wrong (showing nothing of it), or NULL; may fill fields of the struct. */
	const char *(*shape)(struct slice text, void *object);
	/* Sections and lists: looks at a whole object, after its rows were read. */
	void (*check)(struct reader *, void *object, const struct json *node);
};

extern const struct option option_table[];
extern const size_t option_count;

/* The rows of a section stand together: the first, and how many. The name is one of the table's
 * own. */
const struct option *option_section(const char *section, size_t *count) MUST NONNULL;

#endif
