/*
 *     {"message": "a \"b\"", "payload": {"n": [1]}, "urls": []}
 *      └ name ─┘  └ value ─┘
 *
 * The text is trusted to be what json_write makes: ", " and ": " between tokens, no other white
 * space. Anything else is not found; nothing is read beyond its end.
 */
#include "proto/json_find.h"

/* Behind the string whose first quote is at `at`: a quote that an even number of backslashes stands
 * in front of. */
static size_t
skip_string(struct slice text, size_t at)
{
	const char *begin = text.p + at + 1, *end = text.p + text.n, *quote = begin, *p;

	while (quote < end && (quote = memchr(quote, '"', (size_t)(end - quote))) != NULL) {
		for (p = quote; p > begin && p[-1] == '\\'; p--)
			continue;
		quote++;
		if ((quote - p) % 2 != 0)
			return (size_t)(quote - text.p);
	}
	return text.n;
}

/* Behind the value at `at`: where a comma or bracket follows that is not inside it. */
static size_t
skip_value(struct slice text, size_t at)
{
	size_t depth = 0;

	while (at < text.n) {
		char c = text.p[at];

		if (depth == 0 && (c == ',' || c == '}' || c == ']'))
			break;
		if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		at = c == '"' ? skip_string(text, at) : at + 1;
	}
	return at;
}

struct slice
json_find(struct slice object, const char *name)
{
	struct slice wanted = slice_of(name), found, value;
	size_t at = 1, end;

	while (at < object.n && object.p[at] == '"') {
		end = skip_string(object, at);
		if (end + 2 >= object.n)
			break;
		found = (struct slice){object.p + at + 1, end - at - 2};
		at = skip_value(object, end + 2);
		value = (struct slice){object.p + end + 2, at - end - 2};
		if (slice_is(found, wanted))
			return value;
		at += 2;
	}
	return (struct slice){NULL, 0};
}
