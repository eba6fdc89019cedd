/*
 *     scope ── block 1: when? ── values ─┐
 *           ── block 2: when? ── values ─┴─ one value for each field, the newest
 *           ── fields of the same name that nobody set ── {message, ..., payload: scope}
 */
#include "proto/mapping.h"

#include "proto/alert.h"
#include "proto/condition.h"
#include "proto/json_make.h"
#include "proto/value.h"

enum { BLOCKS_MOST = 1000, CHOSEN_MOST = 1024 };

static const char *
refuse_type(struct slice text)
{
	return alert_type_parse(text) >= 0 ? NULL : "is not one of " ALERT_TYPE_WORDS;
}

static const char *
refuse_bool(struct slice text)
{
	return slice_is_nocase(text, SLICE("true")) || slice_is_nocase(text, SLICE("false"))
		   ? NULL
		   : "must be true or false";
}

static const char *
refuse_id(struct slice text)
{
	struct uuid id;

	return uuid_parse(text, &id) ? NULL : "must be a UUID";
}

/* What can be set, and behind it what is taken from the body only. */
static const struct field {
	const char *name;
	const char *(*refuse)(struct slice); /* what is wrong with a literal, or NULL */
	enum value_shape shape;
	bool closed; /* not to be set */
} fields[] = {
	{"message", NULL, VALUE_TEXT, false},
	{"alert_type", refuse_type, VALUE_TEXT, false},
	{"entity_id", NULL, VALUE_TEXT, false},
	{"summary", NULL, VALUE_TEXT, false},
	{"suppressed", refuse_bool, VALUE_TEXT, false},
	{"urls", NULL, VALUE_LINKS, false},
	{"sla", refuse_id, VALUE_TEXT, false},
	{"escalation_policy", refuse_id, VALUE_TEXT, false},
	{"priority", refuse_id, VALUE_TEXT, false},
	{"tags", refuse_id, VALUE_LIST, false},
	{"stakeholders", NULL, VALUE_TEXT, true},
	{"stakeholders_comms", NULL, VALUE_TEXT, true},
	{"stakeholder_comms", NULL, VALUE_TEXT, true},
};

enum { FIELD_MESSAGE = 0, FIELDS = COUNT_OF(fields) };

struct setting {
	struct setting *next;
	const struct field *field;
	struct value *value;
};

struct block {
	struct block *next;
	struct condition *when; /* or NULL: always */
	struct setting *settings;
};

struct mapping {
	struct block *blocks;
};

/* ---- made from the configuration --------------------------------------------------------- */

static const struct field *
find_field(struct slice name)
{
	for (size_t i = 0; i < FIELDS; i++)
		if (!fields[i].closed && slice_is(name, slice_of(fields[i].name)))
			return &fields[i];
	return NULL;
}

static void
read_settings(struct compiler *c, const struct json *set, struct block *block)
{
	struct setting **end = &block->settings, *setting;

	if (!compiler_is(c, set, JSON_OBJECT))
		return;
	compiler_know(c, set, NULL);
	for (const struct json *member = set->first; member != NULL; member = member->next) {
		const struct field *field = find_field(member->key);

		if (field == NULL) {
			compiler_complain_key(c, member, "is not a field that can be set");
			continue;
		}
		setting = arena_zalloc(c->arena, sizeof *setting);
		if (setting == NULL)
			return;
		setting->field = field;
		setting->value = value_compile(c, member, field->shape, field->refuse);
		*end = setting;
		end = &setting->next;
	}
}

static struct block *
read_block(struct compiler *c, const struct json *node)
{
	static const char *const names[] = {"when", "set", NULL};
	const struct json *when, *set;
	struct block *block = arena_zalloc(c->arena, sizeof *block);

	if (block == NULL || !compiler_is(c, node, JSON_OBJECT))
		return NULL;
	compiler_know(c, node, names);
	when = json_get(node, "when");
	set = compiler_need(c, node, "set");
	if (when != NULL)
		block->when = condition_compile(c, when);
	if (set != NULL)
		read_settings(c, set, block);
	return block;
}

static bool
sets_message(const struct mapping *m)
{
	for (const struct block *block = m->blocks; block != NULL; block = block->next)
		for (const struct setting *s = block->settings; s != NULL; s = s->next)
			if (s->field == &fields[FIELD_MESSAGE])
				return true;
	return false;
}

struct mapping *
mapping_compile(struct compiler *c, const struct json *node)
{
	struct mapping *mapping = arena_zalloc(c->arena, sizeof *mapping);
	struct block **end;
	size_t faults = c->faults;

	if (mapping == NULL || !compiler_is(c, node, JSON_ARRAY) || node->count == 0)
		return NULL;
	if (node->count > BLOCKS_MOST)
		compiler_complain(c, node, "must have at most %d blocks", BLOCKS_MOST);
	end = &mapping->blocks;
	for (const struct json *one = node->first; one != NULL; one = one->next) {
		*end = read_block(c, one);
		if (*end != NULL)
			end = &(*end)->next;
	}
	if (c->faults == faults && !sets_message(mapping))
		compiler_complain(c, node, "never sets message");
	return c->faults == faults && !c->arena->failed ? mapping : NULL;
}

/* ---- at work ----------------------------------------------------------------------------- */

static struct slice
show(struct scope *scope, const struct json *value)
{
	struct slice text = {NULL, 0};

	if (value == NULL || json_scalar(value, &text))
		return text;
	return json_compact(scope->arena, value, CHOSEN_MOST);
}

static void
tell_block(struct scope *scope, size_t number, bool held)
{
	if (scope->observer != NULL)
		scope->observer->see(scope->observer->arg,
		    &(struct observation){.kind = OBSERVED_BLOCK, .number = number, .held = held});
}

static void
tell_value(struct scope *scope, const struct field *field, const struct json *before,
    const struct json *now)
{
	if (scope->observer != NULL)
		scope->observer->see(scope->observer->arg,
		    &(struct observation){.kind = OBSERVED_VALUE,
			.exists = now != NULL,
			.name = slice_of(field->name),
			.before = show(scope, before),
			.found = show(scope, now)});
}

static void
run_block(const struct block *block, struct scope *scope, struct json **values)
{
	for (const struct setting *s = block->settings; s != NULL; s = s->next) {
		struct json **place = &values[s->field - fields];
		struct json *value = value_make(s->value, scope);

		tell_value(scope, s->field, *place, value);
		if (value != NULL)
			*place = value;
	}
}

struct json *
mapping_apply(const struct mapping *mapping, struct scope *scope)
{
	struct json *values[FIELDS] = {NULL}, *body = json_make(scope->arena, JSON_OBJECT);
	size_t number = 0;

	for (const struct block *block = mapping->blocks; block != NULL; block = block->next) {
		bool held = block->when == NULL || condition_holds(block->when, scope);

		tell_block(scope, ++number, held);
		if (held)
			run_block(block, scope, values);
	}
	for (size_t i = 0; i < FIELDS; i++) {
		if (values[i] == NULL)
			values[i] = json_make_alias(scope->arena,
			    json_get(scope->here, fields[i].name));
		json_put(body, fields[i].name, values[i]);
	}
	json_put(body, "payload", json_make_alias(scope->arena, scope->here));
	return body;
}
