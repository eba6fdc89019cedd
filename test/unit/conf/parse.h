/* For tests of the configuration: texts with ' for ", and the lines that a parse reports. */
#ifndef TEST_UNIT_CONF_PARSE_H
#define TEST_UNIT_CONF_PARSE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "conf/conf.h"

/* Every line with a newline behind it. */
struct lines {
	char text[8192];
	size_t n;
};

static inline void
add_line(void *arg, const char *line)
{
	struct lines *lines = arg;

	lines->n += (size_t)snprintf(lines->text + lines->n, sizeof lines->text - lines->n, "%s\n",
	    line);
	assert_true(lines->n < sizeof lines->text);
}

static inline struct conf *
parse_as(const char *name, const char *text, struct lines *lines)
{
	char *copy = strdup(text);
	struct conf *conf;

	memset(lines, 0, sizeof *lines);
	for (char *p = copy; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	conf = conf_parse(name, slice_of(copy), add_line, lines);
	memset(copy, 'x', strlen(copy)); /* nothing may point into it */
	free(copy);
	return conf;
}

static inline struct conf *
parse(const char *text, struct lines *lines)
{
	return parse_as("t", text, lines);
}

/* A configuration that has to be right. */
static inline struct conf *
parse_good(const char *text)
{
	struct lines lines;
	struct conf *conf = parse(text, &lines);

	if (conf == NULL)
		fail_msg("%s", lines.text);
	assert_string_equal(lines.text, "");
	return conf;
}

static inline void
assert_slice(struct slice got, const char *want)
{
	if (!slice_is(got, slice_of(want)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)got.n, got.p, want);
}

#endif
