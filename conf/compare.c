/*
 * Two configurations side by side. Objects are known again by their names (integrations by theirs
 * and their service's), and have changed when their prints differ:
 *
 *     was   a   b       d      both sorted by name, walked through together:
 *     is    a       c   d'     b removed, c added, d changed
 */
#include <stdlib.h>

#include "conf/print.h"
#include "conf/private.h"
#include "conf/table.h"
#include "proto/text.h"

/* A kind of object: where its list is, and what a comparison looks at in each. */
static const struct kind {
	const char *word;
	size_t list, count, size, name, print;
	enum { BY_ITSELF, IN_SERVICE, NAMED_IN_SERVICE } place;
	size_t service; /* where its service is */
} kinds[] = {
#define OBJECT(word, noun, list, count, name)                                                      \
	word, offsetof(struct conf, list), offsetof(struct conf, count),                           \
	    sizeof(struct conf_##noun), offsetof(struct conf_##noun, name),                        \
	    offsetof(struct conf_##noun, print)
    {OBJECT("listener", listener, listeners, listener_count, address), BY_ITSELF, 0},
    {OBJECT("token", token, tokens, token_count, name), BY_ITSELF, 0},
    {OBJECT("user", user, users, user_count, facts.username), BY_ITSELF, 0},
    {OBJECT("service", service, services, service_count, facts.name), BY_ITSELF, 0},
    {OBJECT("integration", integration, integrations, integration_count, name), NAMED_IN_SERVICE,
	offsetof(struct conf_integration, service)},
    {OBJECT("webhook", webhook, webhooks, webhook_count, name), IN_SERVICE,
	offsetof(struct conf_webhook, service)},
#undef OBJECT
};

struct item {
	const struct kind *kind;
	struct slice within, name;
	struct conf_print print;
};

struct items {
	struct item *list;
	size_t n;
};

/* ---- one side ---------------------------------------------------------------------------- */

static struct item
make_item(const struct kind *kind, const char *object)
{
	struct item item = {.kind = kind};
	const struct conf_service *service;

	memcpy(&item.name, object + kind->name, sizeof item.name);
	memcpy(&item.print, object + kind->print, sizeof item.print);
	if (kind->place != BY_ITSELF) {
		memcpy(&service, object + kind->service, sizeof service);
		item.within = service->facts.name;
	}
	return item;
}

static int
compare_items(const struct item *a, const struct item *b)
{
	int c = a->kind->place == NAMED_IN_SERVICE ? text_compare(a->within, b->within) : 0;

	return c != 0 ? c : text_compare(a->name, b->name);
}

static int
by_name(const void *a, const void *b)
{
	return compare_items(a, b);
}

/* False without memory. */
static bool
collect(struct items *items, const struct kind *kind, const struct conf *conf)
{
	const char *object;

	memcpy(&object, (const char *)conf + kind->list, sizeof object);
	memcpy(&items->n, (const char *)conf + kind->count, sizeof items->n);
	items->list = malloc((items->n + 1) * sizeof *items->list);
	if (items->list == NULL)
		return false;
	for (size_t i = 0; i < items->n; i++, object += kind->size)
		items->list[i] = make_item(kind, object);
	qsort(items->list, items->n, sizeof *items->list, by_name);
	return true;
}

/* ---- both -------------------------------------------------------------------------------- */

static void
tell(const struct item *item, enum conf_change change, conf_visit *visit, void *arg)
{
	visit(arg, &(struct conf_difference){change, item->kind->word, item->within, item->name});
}

static bool
is_changed(const struct item *was, const struct item *is)
{
	return !print_equal(was->print, is->print) || !slice_is(was->within, is->within);
}

static void
walk(const struct items *was, const struct items *is, conf_visit *visit, void *arg)
{
	size_t i = 0, j = 0;

	while (i < was->n || j < is->n) {
		int c = i == was->n ? 1 : j == is->n ? -1
			: compare_items(&was->list[i], &is->list[j]);

		if (c < 0)
			tell(&was->list[i++], CONF_REMOVED, visit, arg);
		else if (c > 0)
			tell(&is->list[j++], CONF_ADDED, visit, arg);
		else if (is_changed(&was->list[i++], &is->list[j++]))
			tell(&is->list[j - 1], CONF_CHANGED, visit, arg);
	}
}

static bool
compare_kind(const struct kind *kind, const struct conf *was, const struct conf *is,
    conf_visit *visit, void *arg)
{
	struct items old = {NULL, 0}, new = {NULL, 0};
	bool ok = collect(&old, kind, was) && collect(&new, kind, is);

	if (ok)
		walk(&old, &new, visit, arg);
	free(old.list);
	free(new.list);
	return ok;
}

/* Settings are the rows that struct conf keeps; only they have a print there. */
static void
compare_settings(const struct conf *was, const struct conf *is, conf_visit *visit, void *arg)
{
	struct conf_difference difference = {.change = CONF_CHANGED, .kind = "setting"};
	char name[128];

	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		size_t n = strlen(o->section), more = strlen(o->name);

		if (print_equal(was->own->settings[i], is->own->settings[i]) ||
		    n + more + 1 > sizeof name)
			continue;
		memcpy(name, o->section, n);
		if (n > 0)
			name[n++] = '.';
		memcpy(name + n, o->name, more);
		difference.name = (struct slice){name, n + more};
		visit(arg, &difference);
	}
}

bool
conf_compare(const struct conf *was, const struct conf *is, conf_visit *visit, void *arg)
{
	compare_settings(was, is, visit, arg);
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (!compare_kind(&kinds[i], was, is, visit, arg))
			return false;
	return true;
}
