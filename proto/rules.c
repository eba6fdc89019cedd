/*
 *     alert ─┬─ scope: {message, ..., payload, alert_time, ...} ── conditions, templates
 *            └─ actions change it ── fields written anew
 */
#include "proto/rules.h"

#include "proto/action.h"
#include "proto/condition.h"
#include "proto/json_make.h"
#include "proto/json_write.h"
#include "proto/subject.h"

enum { RULES_MOST = 1000, DESCRIPTION_MOST = 1000 };

struct rule {
	struct rule *next;
	struct slice description;
	struct condition *when; /* or NULL: always */
	struct action *actions;
	bool stop;
};

struct rules {
	struct rule *first;
	bool want_similar;
};

/* ---- made from the configuration --------------------------------------------------------- */

static void
read_description(struct compiler *c, const struct json *node, size_t number, struct rule *rule)
{
	const struct json *text = json_get(node, "description");

	if (text == NULL || (compiler_is(c, text, JSON_STRING) && slice_trim(text->text).n == 0))
		rule->description = arena_printf(c->arena, "rule %zu", number);
	else if (text->text.n > DESCRIPTION_MOST)
		compiler_complain(c, text, "must have at most %d bytes", DESCRIPTION_MOST);
	else
		rule->description = arena_copy(c->arena, text->text);
}

static struct rule *
read_rule(struct compiler *c, const struct json *node, size_t number)
{
	static const char *const names[] = {"description", "when", "then", "stop", NULL};
	struct rule *rule = arena_zalloc(c->arena, sizeof *rule);
	const struct json *when, *then, *stop;

	if (rule == NULL || !compiler_is(c, node, JSON_OBJECT))
		return NULL;
	compiler_know(c, node, names);
	read_description(c, node, number, rule);
	when = json_get(node, "when");
	stop = json_get(node, "stop");
	then = stop == NULL ? compiler_need(c, node, "then") : json_get(node, "then");
	if (when != NULL)
		rule->when = condition_compile(c, when);
	if (then != NULL)
		rule->actions = action_compile(c, then);
	if (stop != NULL && compiler_is(c, stop, JSON_BOOL))
		rule->stop = stop->truth;
	return rule;
}

struct rules *
rules_compile(struct compiler *c, const struct json *node)
{
	struct rules *rules = arena_zalloc(c->arena, sizeof *rules);
	struct rule **end;
	size_t faults = c->faults, number = 0;

	if (rules == NULL || !compiler_is(c, node, JSON_ARRAY) || node->count == 0)
		return NULL;
	if (node->count > RULES_MOST)
		compiler_complain(c, node, "must have at most %d rules", RULES_MOST);
	c->fields = subject_fields;
	c->used = 0;
	end = &rules->first;
	for (const struct json *one = node->first; one != NULL; one = one->next) {
		*end = read_rule(c, one, ++number);
		if (*end != NULL)
			end = &(*end)->next;
	}
	rules->want_similar = subject_used_similar(c->used);
	c->fields = NULL;
	return c->faults == faults && !c->arena->failed ? rules : NULL;
}

bool
rules_want_similar(const struct rules *rules)
{
	return rules->want_similar;
}

/* ---- at work ----------------------------------------------------------------------------- */

static struct slice
write_array(struct arena *arena, const struct json *array)
{
	struct buf buf;
	struct json_writer w = {.buf = &buf};

	if (array == NULL || array->count == 0)
		return (struct slice){NULL, 0};
	buf_init_arena(&buf, arena);
	json_tree(&w, array);
	arena->failed |= buf.failed;
	return buf_slice(&buf);
}

static struct slice
write_notes(struct arena *arena, const struct json *notes)
{
	uint8_t length[4];
	struct buf buf;

	if (notes == NULL)
		return (struct slice){NULL, 0};
	buf_init_arena(&buf, arena);
	for (const struct json *note = notes->first; note != NULL; note = note->next) {
		put_u32(length, (uint32_t)note->text.n);
		buf_put(&buf, length, sizeof length);
		buf_put_slice(&buf, note->text);
	}
	arena->failed |= buf.failed;
	return buf_slice(&buf);
}

static bool
rule_holds(const struct rule *rule, struct scope *scope, size_t number)
{
	bool held = rule->when == NULL || condition_holds(rule->when, scope);

	if (scope->observer != NULL)
		scope->observer->see(scope->observer->arg,
		    &(struct observation){.kind = OBSERVED_RULE,
			.number = number,
			.name = rule->description,
			.held = held});
	return held;
}

/* The descriptions of the rules that held, or NULL. */
static struct json *
run(const struct rules *rules, struct action_work *work)
{
	struct arena *arena = work->scope->arena;
	struct json *held = NULL;
	size_t number = 0;

	for (const struct rule *rule = rules->first; rule != NULL; rule = rule->next) {
		if (!rule_holds(rule, work->scope, ++number))
			continue;
		action_apply(rule->actions, work);
		if (held == NULL)
			held = json_make(arena, JSON_ARRAY);
		json_append(held, json_make_text(arena, rule->description));
		if (rule->stop)
			break;
	}
	return held;
}

void
rules_apply(const struct rules *rules, struct arena *arena, const struct subject_facts *facts,
    struct alert *alert, struct slice *matched, const struct observer *observer)
{
	struct json *object = subject_make(arena, alert, facts), *held;
	struct scope scope = {
	    .here = object, .arena = arena, .lasting = arena, .observer = observer};
	struct action_work work = {.alert = alert, .scope = &scope};

	*matched = (struct slice){NULL, 0};
	if (object == NULL)
		return;
	scope.limits = facts->limits;
	held = run(rules, &work);
	*matched = write_array(arena, held);
	if (held == NULL)
		return;
	alert->entity_id = alert_entity(arena, alert->entity_id);
	alert->notes = write_notes(arena, work.notes);
	if (!alert_rewrite(arena, alert))
		arena->failed = true;
}
