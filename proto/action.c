/*
 * An action is a row: how its value is written, and what it does. Texts go to a place in the alert
 * that the row names.
 */
#include "proto/action.h"

#include <sodium.h>

#include "proto/json_make.h"
#include "proto/template.h"
#include "proto/text.h"

enum { HASH_DIGITS = 32 };

struct item {
	struct item *next;
	struct template text;
};

struct action_row;

struct action {
	struct action *next;
	const struct action_row *row;
	struct template text;
	struct item *items;   /* of a list */
	struct slice literal;
	int number;           /* a type, a bool, an urgency */
};

struct action_row {
	const char *name;
	void (*read)(struct compiler *, const struct json *, struct action *);
	void (*apply)(const struct action *, struct action_work *);
	size_t at; /* of a slice in struct alert */
};

/* ---- made from the configuration --------------------------------------------------------- */

static void
read_text(struct compiler *c, const struct json *node, struct action *action)
{
	if (!template_compile(c, node, &action->text))
		return; /* and the list it stands in is refused */
}

static bool
parse_id(struct arena *arena, struct slice text, struct slice *id)
{
	char printed[UUID_TEXT];
	struct uuid uuid;

	if (!uuid_parse(text, &uuid))
		return false;
	uuid_text(&uuid, printed);
	*id = arena_copy(arena, slice_of(printed));
	return true;
}

static void
read_tags(struct compiler *c, const struct json *node, struct action *action)
{
	struct item **end = &action->items;
	struct slice text, id;

	if (!compiler_is_list(c, node))
		return;
	for (const struct json *one = node->first; one != NULL; one = one->next) {
		struct item *item = arena_zalloc(c->arena, sizeof *item);

		if (item == NULL)
			return;
		if (template_compile(c, one, &item->text) &&
		    template_literal(&item->text, &text) && !parse_id(c->arena, text, &id))
			compiler_complain(c, one, "must be a UUID");
		*end = item;
		end = &item->next;
	}
}

static void
read_bool(struct compiler *c, const struct json *node, struct action *action)
{
	if (compiler_is(c, node, JSON_BOOL))
		action->number = node->truth;
}

static void
read_true(struct compiler *c, const struct json *node, struct action *action)
{
	read_bool(c, node, action);
	if (node->type == JSON_BOOL && !node->truth)
		compiler_complain(c, node, "must be true");
}

static void
read_type(struct compiler *c, const struct json *node, struct action *action)
{
	if (!compiler_is(c, node, JSON_STRING))
		return;
	action->number = alert_type_parse(node->text);
	if (action->number < 0)
		compiler_complain(c, node, "is not one of " ALERT_TYPE_WORDS);
}

static void
read_urgency(struct compiler *c, const struct json *node, struct action *action)
{
	if (!compiler_is(c, node, JSON_STRING))
		return;
	action->number = slice_is(node->text, SLICE("high"));
	if (!action->number && !slice_is(node->text, SLICE("low")))
		compiler_complain(c, node, "must be \"high\" or \"low\"");
}

static void
read_id(struct compiler *c, const struct json *node, struct action *action)
{
	if (compiler_is(c, node, JSON_STRING) && !parse_id(c->arena, node->text, &action->literal))
		compiler_complain(c, node, "must be a UUID");
}

static void
read_user(struct compiler *c, const struct json *node, struct action *action)
{
	if (!compiler_is(c, node, JSON_STRING))
		return;
	if (!c->is_user(c->arg, node->text))
		compiler_complain(c, node, "is not the username of one of users");
	action->literal = arena_copy(c->arena, node->text);
}

/* ---- at work ----------------------------------------------------------------------------- */

static void
tell(const struct action *action, struct action_work *work, struct slice before, struct slice now)
{
	const struct observer *observer = work->scope->observer;

	if (observer != NULL)
		observer->see(observer->arg,
		    &(struct observation){.kind = OBSERVED_VALUE,
			.exists = now.n > 0,
			.name = slice_of(action->row->name),
			.before = before,
			.found = now});
}

static struct slice *
place(const struct action *action, struct action_work *work)
{
	return (struct slice *)((char *)work->alert + action->row->at);
}

static void
put(const struct action *action, struct action_work *work, struct slice now)
{
	struct slice *at = place(action, work);

	tell(action, work, *at, now);
	if (now.n > 0)
		*at = now;
}

static void
apply_text(const struct action *action, struct action_work *work)
{
	struct slice text;

	put(action, work,
	    template_render(&action->text, work->scope, &text) ? text : (struct slice){NULL, 0});
}

static void
apply_literal(const struct action *action, struct action_work *work)
{
	put(action, work, action->literal);
}

static void
apply_hash(const struct action *action, struct action_work *work)
{
	struct slice id = *place(action, work);
	unsigned char hash[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof hash + 1];

	crypto_hash_sha256(hash, (const unsigned char *)id.p, id.n);
	sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
	put(action, work, arena_copy(work->scope->arena, (struct slice){hex, HASH_DIGITS}));
}

static void
apply_type(const struct action *action, struct action_work *work)
{
	enum alert_type *type = &work->alert->type;

	tell(action, work, slice_of(alert_type_name((int)*type)),
	    slice_of(alert_type_name(action->number)));
	*type = (enum alert_type)action->number;
}

static struct slice
bool_text(bool truth)
{
	return truth ? SLICE("true") : SLICE("false");
}

static void
apply_suppress(const struct action *action, struct action_work *work)
{
	tell(action, work, bool_text(work->alert->suppressed), bool_text(action->number));
	work->alert->suppressed = action->number;
}

static struct slice
urgency_text(int urgency)
{
	return urgency < 0 ? (struct slice){NULL, 0} : urgency > 0 ? SLICE("high") : SLICE("low");
}

static void
apply_urgency(const struct action *action, struct action_work *work)
{
	tell(action, work, urgency_text(work->alert->urgency), urgency_text(action->number));
	work->alert->urgency = action->number;
}

/* One more in a list of texts that need no escapes. */
static struct slice
add_tag(struct arena *arena, struct slice tags, struct slice id)
{
	struct slice quoted = arena_printf(arena, "\"%.*s\"", (int)id.n, id.p);

	if (tags.n == 0)
		return arena_printf(arena, "[%.*s]", (int)quoted.n, quoted.p);
	if (text_contains(tags, quoted))
		return tags;
	return arena_printf(arena, "%.*s, %.*s]", (int)tags.n - 1, tags.p, (int)quoted.n, quoted.p);
}

static void
apply_tags(const struct action *action, struct action_work *work)
{
	struct slice tags = work->alert->tags, text, id;

	for (const struct item *item = action->items; item != NULL; item = item->next)
		if (template_render(&item->text, work->scope, &text) &&
		    parse_id(work->scope->arena, slice_trim(text), &id))
			tags = add_tag(work->scope->arena, tags, id);
	put(action, work, tags);
}

static void
apply_note(const struct action *action, struct action_work *work)
{
	struct slice text;

	if (!template_render(&action->text, work->scope, &text))
		text = (struct slice){NULL, 0};
	tell(action, work, (struct slice){NULL, 0}, text);
	if (text.n == 0)
		return;
	if (work->notes == NULL)
		work->notes = json_make(work->scope->arena, JSON_ARRAY);
	json_append(work->notes, json_make_text(work->scope->arena, text));
}

#define AT(field) offsetof(struct alert, field)

static const struct action_row rows[] = {
	{"set_alert_type", read_type, apply_type, 0},
	{"suppress", read_bool, apply_suppress, 0},
	{"set_message", read_text, apply_text, AT(message)},
	{"set_summary", read_text, apply_text, AT(summary)},
	{"set_entity_id", read_text, apply_text, AT(entity_id)},
	{"hash_entity_id", read_true, apply_hash, AT(entity_id)},
	{"set_urgency", read_urgency, apply_urgency, 0},
	{"set_priority", read_id, apply_literal, AT(priority)},
	{"set_sla", read_id, apply_literal, AT(sla)},
	{"set_escalation_policy", read_id, apply_literal, AT(escalation_policy)},
	{"set_task_template", read_id, apply_literal, AT(task_template)},
	{"assign_to", read_user, apply_literal, AT(assigned_to)},
	{"add_tags", read_tags, apply_tags, AT(tags)},
	{"add_note", read_text, apply_note, 0},
};

void
action_apply(const struct action *action, struct action_work *work)
{
	for (; action != NULL; action = action->next)
		action->row->apply(action, work);
}

/* ---- lists of them ----------------------------------------------------------------------- */

static struct action *
read_action(struct compiler *c, const struct json *member)
{
	struct action *action = arena_zalloc(c->arena, sizeof *action);
	const struct action_row *row = rows, *end = rows + COUNT_OF(rows);

	if (action == NULL)
		return NULL;
	while (row < end && !slice_is(member->key, slice_of(row->name)))
		row++;
	if (row == end) {
		compiler_complain_key(c, member, "is not an action");
		return NULL;
	}
	action->row = row;
	row->read(c, member, action);
	return action;
}

static void
read_object(struct compiler *c, const struct json *object, struct action ***end)
{
	if (!compiler_is(c, object, JSON_OBJECT))
		return;
	if (object->count == 0)
		compiler_complain(c, object, "must not be empty");
	compiler_know(c, object, NULL);
	for (const struct json *member = object->first; member != NULL; member = member->next) {
		**end = read_action(c, member);
		if (**end != NULL)
			*end = &(**end)->next;
	}
}

struct action *
action_compile(struct compiler *c, const struct json *list)
{
	struct action *first = NULL, **end = &first;
	size_t faults = c->faults;

	if (!compiler_is_list(c, list))
		return NULL;
	for (const struct json *one = list->first; one != NULL; one = one->next)
		read_object(c, one, &end);
	return c->faults == faults ? first : NULL;
}
