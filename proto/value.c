/*
 *     "{{ title }}"                                  one text
 *     {"from": "{{ s }}", "map": {"up": "resolved"}} one of several
 *     ["{{ a }}", "{{ b }}"]                         a list; so is a path to one
 *     {"link_url": "{{ u }}", "link_text": "Graph"}  a link, in a list
 */
#include "proto/value.h"

#include "proto/json_make.h"
#include "proto/template.h"

/* One case of a map, one element of a list. */
struct item {
	struct item *next;
	struct slice key;          /* of a map */
	struct template text;      /* of a link: where it leads */
	struct template link_text;
	bool link;
};

struct value {
	enum value_shape shape;
	bool mapped;               /* template is "from", items are the cases */
	bool listed;               /* items are the elements */
	struct template text;
	struct item *items;
	struct template *fallback; /* "default", or NULL */
};

struct maker {
	struct compiler *compiler;
	enum value_shape shape;
	const char *(*refuse)(struct slice);
};

/* ---- made from the configuration --------------------------------------------------------- */

static void
read_template(struct maker *m, const struct json *node, struct template *t, bool judged)
{
	const char *wrong;
	struct slice literal;

	if (!template_compile(m->compiler, node, t) || !judged || m->refuse == NULL ||
	    !template_literal(t, &literal))
		return;
	wrong = m->refuse(literal);
	if (wrong != NULL)
		compiler_complain(m->compiler, node, "%s", wrong);
}

static struct item *
add_item(struct maker *m, struct item ***end)
{
	struct item *item = arena_zalloc(m->compiler->arena, sizeof *item);

	if (item == NULL)
		return NULL;
	**end = item;
	*end = &item->next;
	return item;
}

static void
read_cases(struct maker *m, const struct json *map, struct value *value)
{
	struct item **end = &value->items, *item;

	if (!compiler_is(m->compiler, map, JSON_OBJECT))
		return;
	if (map->count == 0)
		compiler_complain(m->compiler, map, "must not be empty");
	compiler_know(m->compiler, map, NULL);
	for (const struct json *member = map->first; member != NULL; member = member->next) {
		item = add_item(m, &end);
		if (item == NULL)
			return;
		item->key = arena_copy(m->compiler->arena, member->key);
		read_template(m, member, &item->text, true);
	}
}

static void
read_mapped(struct maker *m, const struct json *node, struct value *value)
{
	static const char *const names[] = {"from", "map", "default", NULL};
	const struct json *from = compiler_need(m->compiler, node, "from");
	const struct json *map = compiler_need(m->compiler, node, "map");
	const struct json *fallback = json_get(node, "default");

	value->mapped = true;
	compiler_know(m->compiler, node, names);
	if (from != NULL)
		read_template(m, from, &value->text, false);
	if (map != NULL)
		read_cases(m, map, value);
	if (fallback == NULL)
		return;
	value->fallback = arena_zalloc(m->compiler->arena, sizeof *value->fallback);
	if (value->fallback != NULL)
		read_template(m, fallback, value->fallback, true);
}

static void
read_link(struct maker *m, const struct json *node, struct item *item)
{
	static const char *const names[] = {"link_url", "link_text", NULL};
	const struct json *url = compiler_need(m->compiler, node, "link_url");
	const struct json *text = json_get(node, "link_text");

	item->link = true;
	compiler_know(m->compiler, node, names);
	if (url != NULL)
		read_template(m, url, &item->text, true);
	if (text != NULL)
		read_template(m, text, &item->link_text, false);
}

static void
read_elements(struct maker *m, const struct json *list, struct value *value)
{
	struct item **end = &value->items, *item;

	value->listed = true;
	if (!compiler_is_list(m->compiler, list))
		return;
	for (const struct json *one = list->first; one != NULL; one = one->next) {
		item = add_item(m, &end);
		if (item == NULL)
			return;
		if (one->type == JSON_OBJECT && m->shape == VALUE_LINKS)
			read_link(m, one, item);
		else
			read_template(m, one, &item->text, true);
	}
}

struct value *
value_compile(struct compiler *c, const struct json *node, enum value_shape shape,
    const char *(*refuse)(struct slice))
{
	struct maker maker = {c, shape, refuse};
	struct value *value = arena_zalloc(c->arena, sizeof *value);
	size_t faults = c->faults;

	if (value == NULL)
		return NULL;
	value->shape = shape;
	if (node->type == JSON_OBJECT)
		read_mapped(&maker, node, value);
	else if (node->type == JSON_ARRAY && shape != VALUE_TEXT)
		read_elements(&maker, node, value);
	else
		read_template(&maker, node, &value->text, true);
	return c->faults == faults ? value : NULL;
}

/* ---- at work ----------------------------------------------------------------------------- */

/* The case of a map that the text names. */
static const struct template *
choose(const struct value *value, struct scope *scope)
{
	const struct item *item = value->items;
	struct slice text;

	if (!template_render(&value->text, scope, &text))
		return value->fallback;
	while (item != NULL && !slice_is(item->key, text))
		item = item->next;
	return item == NULL ? value->fallback : &item->text;
}

static struct json *
make_text(const struct template *t, struct scope *scope)
{
	struct slice text;

	if (t == NULL || !template_render(t, scope, &text))
		return NULL;
	return json_make_text(scope->arena, text);
}

static struct json *
make_item(const struct item *item, struct scope *scope)
{
	struct json *text = make_text(&item->text, scope), *link;

	if (!item->link || text == NULL)
		return text;
	link = json_make(scope->arena, JSON_OBJECT);
	json_put(link, "link_url", text);
	json_put(link, "link_text", make_text(&item->link_text, scope));
	return link;
}

static struct json *
make_list(const struct value *value, struct scope *scope)
{
	struct json *list = json_make(scope->arena, JSON_ARRAY);

	for (const struct item *item = value->items; item != NULL; item = item->next)
		json_append(list, make_item(item, scope));
	return list == NULL || list->count == 0 ? NULL : list;
}

struct json *
value_make(const struct value *value, struct scope *scope)
{
	const struct template *text = value->mapped ? choose(value, scope) : &value->text;
	const struct json *node;
	struct json *one, *list;

	if (value->listed)
		return make_list(value, scope);
	if (value->shape == VALUE_TEXT)
		return make_text(text, scope);
	node = text == NULL ? NULL : template_node(text, scope);
	if (node != NULL && node->type == JSON_ARRAY)
		return json_make_alias(scope->arena, node);
	one = make_text(text, scope);
	if (one == NULL)
		return NULL;
	list = json_make(scope->arena, JSON_ARRAY);
	json_append(list, one);
	return list;
}
