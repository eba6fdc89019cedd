/*
 * Split, mapping and rules on a body: {"split": PATH, "mapping": [...], "rules": [...], "body": ...}.
 * Whatever they are: either something is complained of, or they can be compiled and applied, and
 * what comes of it is an alert that can be stored: an entity id of the right length, fields that are
 * JSON and say the same.
 */
#include "proto/mapping.h"
#include "proto/rules.h"
#include "proto/utf8.h"
#include "test/fuzz/check.h"

enum { DEPTH = 32, ELEMENTS_MOST = 10 };

static struct arena arena;
static size_t complaints;

static void
complain(void *arg, const struct complaint *c)
{
	(void)arg;
	CHECK(c->node != NULL && c->what[0] != '\0');
	complaints++;
}

static bool
is_user(void *arg, struct slice username)
{
	(void)arg;
	return slice_is(username, SLICE("ada"));
}

static void
see(void *arg, const struct observation *o)
{
	(void)arg;
	CHECK(utf8_valid(o->found) == o->found.n && utf8_valid(o->before) == o->before.n);
	CHECK(utf8_valid(o->name) == o->name.n && utf8_valid(o->wanted) == o->wanted.n);
}

static const struct observer observer = {.see = see};

static struct json *
read_again(struct slice text)
{
	char *copy = arena_alloc(&arena, text.n);
	struct json_error error;

	if (copy == NULL)
		return NULL;
	memcpy(copy, text.p, text.n);
	return json_read(&arena, copy, text.n, 0, 4 * DEPTH, &error);
}

static void
check_alert(const struct alert *alert)
{
	struct json *fields;
	struct slice notes = alert->notes, note;

	CHECK(alert->entity_id.n > 0 && alert->entity_id.n <= ALERT_ENTITY_MAX);
	while (alert_note(&notes, &note))
		CHECK(slice_trim(note).n > 0 && utf8_valid(note) == note.n);
	CHECK(notes.n == 0);
	fields = read_again(alert->fields);
	if (fields == NULL) {
		CHECK(arena.failed);
		return;
	}
	CHECK(slice_is(json_get(fields, "message")->text, alert->message));
	CHECK(slice_is(json_get(fields, "entity_id")->text, alert->entity_id));
	CHECK(alert_type_parse(json_get(fields, "alert_type")->text) == (int)alert->type);
}

static void
apply_one(struct json *element, struct scope *scope, const struct mapping *mapping,
    const struct rules *rules)
{
	struct subject_facts facts = {
	    .wall = 1795301110000000, .since_similar = 7, .default_urgency = 1, .limits = {DEPTH, 1000}};
	struct json *body = element;
	struct slice why, matched;
	struct alert alert;

	scope->here = element;
	if (mapping != NULL)
		body = mapping_apply(mapping, scope);
	if (body == NULL || arena.failed ||
	    !alert_read(body, ALERT_CRITICAL, SLICE("made"), &arena, &alert, &why))
		return;
	facts.payload = json_get(body, "payload");
	if (rules != NULL)
		rules_apply(rules, &arena, &facts, &alert, &matched, &observer);
	if (!arena.failed)
		check_alert(&alert);
}

static void
apply(struct json *body, const struct path *split, const struct mapping *mapping,
    const struct rules *rules)
{
	struct scope scope = {.here = body,
	    .arena = &arena,
	    .lasting = &arena,
	    .limits = {DEPTH, 1000},
	    .observer = &observer};
	const struct json *list = split == NULL ? NULL : path_find(split, &scope);
	struct json *element = list == NULL || list->type != JSON_ARRAY ? body : list->first;

	if (element != body)
		scope.root = body;
	for (int i = 0; element != NULL && i < ELEMENTS_MOST; i++) {
		apply_one(element, &scope, mapping, rules);
		element = element == body ? NULL : element->next;
	}
}

static void
run(struct json *whole)
{
	struct compiler c = {.arena = &arena, .complain = complain, .is_user = is_user};
	const struct json *split = json_get(whole, "split"), *mapping = json_get(whole, "mapping");
	const struct json *rules = json_get(whole, "rules");
	struct json *body = (struct json *)json_get(whole, "body");
	const struct mapping *mapped = NULL;
	const struct rules *ruled = NULL;
	struct path path, *at = NULL;

	if (split != NULL && split->type == JSON_STRING &&
	    compiler_path(&c, split, split->text, &path, NULL))
		at = &path;
	if (mapping != NULL)
		mapped = mapping_compile(&c, mapping);
	if (rules != NULL)
		ruled = rules_compile(&c, rules);
	CHECK(c.faults == complaints);
	if (mapping != NULL && mapping->count > 0)
		CHECK((mapped != NULL) + complaints > 0 || arena.failed);
	if (rules != NULL && rules->count > 0)
		CHECK((ruled != NULL) + complaints > 0 || arena.failed);
	if (body != NULL && !arena.failed)
		apply(body, at, mapped, ruled);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = copy_exactly(data, size);
	struct json_error error;
	struct json *whole;

	complaints = 0;
	arena_init(&arena, 16 << 20);
	whole = json_read(&arena, text, size, JSON_KEEP_DUPLICATES, 2 * DEPTH, &error);
	if (whole != NULL && whole->type == JSON_OBJECT)
		run(whole);
	arena_free(&arena);
	free(text);
	return 0;
}
