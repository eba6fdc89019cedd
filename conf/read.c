/*
 *     object ── for each member: its row ── value_read()         a value
 *                                      └── read_section()        an object: the same struct
 *                                      └── read_list()           a list: a struct each
 *            ── for each row without a member: its default, read the same way
 *            ── the row's check(): what the members mean together
 *
 * A fault never stops the reading, so that all are found.
 */
#include "conf/read.h"

#include <stdlib.h>

#include "conf/print.h"

enum { ROWS_MAX = 32 }; /* of one section; a test of the table watches it */

static const char moved[] = "is another than the one in force, which needs a restart";

static void read_option(struct reader *, const struct option *, const struct json *, void *);

const struct json *
read_default(struct reader *r, const struct option *option)
{
	const struct json **cached = &r->defaults[option - option_table];
	struct json_error error;
	char *text;
	size_t n;

	if (*cached != NULL || option->fallback == NULL)
		return *cached;
	n = strlen(option->fallback);
	text = arena_alloc(r->scratch, n);
	if (text != NULL)
		*cached = json_read(r->scratch, memcpy(text, option->fallback, n), n, 0, 8, &error);
	return *cached;
}

/* The objects of a list, which are zeroed. What those without a name say belongs to what they are
 * in. */
static void
read_elements(struct reader *r, const struct option *option, const struct json *node, char *object)
{
	struct conf_print *print = r->print;
	size_t scope = r->scope;

	r->scope = node->at;
	for (const struct json *child = node->first; child != NULL; child = child->next) {
		if (option->print_at != 0)
			r->print = (struct conf_print *)(object + option->print_at);
		else
			r->nth++;
		read_section(r, option->opens, object, child);
		if (option->check != NULL && child->type == JSON_OBJECT)
			option->check(r, object, child);
		object += option->size;
	}
	r->scope = scope;
	r->print = print;
	r->nth = 0;
}

static void
read_list(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	char *list;

	if (node->type != JSON_ARRAY) {
		fault_add(&r->faults, node, "must be a list");
		return;
	}
	if (node->count < option->minimum || node->count > option->maximum) {
		fault_add(&r->faults, node, "must have %lld to %lld elements",
		    (long long)option->minimum, (long long)option->maximum);
		return;
	}
	if (node->count == 0)
		return;
	list = arena_zalloc(r->keep, node->count * option->size);
	if (list == NULL)
		return;
	read_elements(r, option, node, list);
	value_store_list(option, object, list, node->count);
}

/* One object into the parent's struct. */
static void
read_nested(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	read_section(r, option->opens, object, node);
	if (option->check != NULL && node->type == JSON_OBJECT)
		option->check(r, object, node);
}

static void
read_sections(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	if (node->type != JSON_ARRAY) {
		read_nested(r, option, node, object);
		return;
	}
	if (node->first == NULL)
		fault_add(&r->faults, node, "must not be empty");
	for (const struct json *child = node->first; child != NULL; child = child->next)
		read_nested(r, option, child, object);
}

/* Where what the row says is added up. */
static struct conf_print *
print_of(struct reader *r, const struct option *option)
{
	return r->print != NULL ? r->print : &r->conf->own->settings[option - option_table];
}

static void
read_value(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	value_read(r, option, node, object);
	print_add(print_of(r, option), option, node, object, r->nth);
}

/* True if the row was read without a fault, but is not what the process runs under. */
static bool
is_moved(const struct reader *r, const struct option *option, size_t faults)
{
	size_t row = (size_t)(option - option_table);

	return (option->flags & OPTION_FIXED) && r->running != NULL && r->faults.count == faults &&
	       !print_equal(r->running->own->settings[row], r->conf->own->settings[row]);
}

static void
read_option(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	if (option->type == OPTION_LIST)
		read_list(r, option, node, object);
	else if (option->type == OPTION_SECTION)
		read_nested(r, option, node, object);
	else if (option->type == OPTION_SECTIONS)
		read_sections(r, option, node, object);
	else
		read_value(r, option, node, object);
}

/* What the file does not say. */
static void
read_absent(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	const struct json *fallback = read_default(r, option);
	size_t faults = r->faults.count;

	if (option->flags & OPTION_REQUIRED)
		fault_add_member(&r->faults, node, option->name, "is missing");
	else if (fallback != NULL)
		read_option(r, option, fallback, object);
	if (is_moved(r, option, faults))
		fault_add_member(&r->faults, node, option->name, "%s", moved);
}

static void
read_present(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	size_t faults = r->faults.count;

	read_option(r, option, node, object);
	if (is_moved(r, option, faults))
		fault_add(&r->faults, node, "%s", moved);
}

static void
refuse_unknown(struct reader *r, const char *section, const struct json *member)
{
	const char *near = suggest_name(section, member->key);

	if (near == NULL)
		fault_add_key(&r->faults, member, "is not an option");
	else
		fault_add_key(&r->faults, member, "is not an option; did you mean \"%s\"?", near);
}

static size_t
find_row(const struct option *rows, size_t count, struct slice key)
{
	size_t i = 0;

	while (i < count && !slice_is(key, slice_of(rows[i].name)))
		i++;
	return i;
}

void
read_section(struct reader *r, const char *section, void *object, const struct json *node)
{
	const struct json *seen[ROWS_MAX] = {NULL};
	const struct option *rows;
	size_t count, i;

	if (node->type != JSON_OBJECT) {
		fault_add(&r->faults, node, "must be an object");
		return;
	}
	rows = option_section(section, &count);
	for (const struct json *member = node->first; member != NULL; member = member->next) {
		i = find_row(rows, count, member->key);
		if (i == count) {
			refuse_unknown(r, section, member);
		} else if (seen[i] != NULL) {
			fault_add_key(&r->faults, member, "is already given on line %u",
			    fault_line(&r->faults, seen[i]->key_at));
		} else {
			seen[i] = member;
			read_present(r, &rows[i], member, object);
		}
	}
	for (i = 0; i < count; i++)
		if (seen[i] == NULL)
			read_absent(r, &rows[i], node, object);
}
