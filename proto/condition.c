/*
 *     {"all": [A, {"not": B}]}    GROUP all ── TEST A
 *                                          └── GROUP none ── TEST B
 *
 * `not` is a `none` of one. An operator is a row: what its value looks like, and one function,
 * which a negated operator shares with its opposite.
 */
#include "proto/condition.h"

#include "proto/json_make.h"
#include "proto/pattern.h"
#include "proto/text.h"

enum { WANTED_MOST = 1024 };

/* A value to compare with. */
struct operand {
	struct slice text;
	bool is_number;
	double number;
};

enum form { FORM_NONE, FORM_ONE, FORM_SOME, FORM_TWO };

struct operator_row;

/* A group has members, a test has the rest. */
struct condition {
	struct condition *next;
	struct condition *members;
	bool decides; /* group: what a member must be to decide it, */
	bool decided; /* and what it then is */
	const struct operator_row *op; /* NULL: a group */
	struct path path;
	struct operand *operands;
	size_t count;
	struct pattern *pattern;
	bool ignore_case;
	bool clock;
	struct slice wanted; /* the value as it is told */
};

/* What a path leads to. */
struct found {
	const struct json *node;
	struct slice text;
	struct arena *arena;
};

/* ---- operators --------------------------------------------------------------------------- */

static bool
is_equal(const struct condition *c, struct slice text, const struct operand *operand)
{
	return c->ignore_case ? slice_is_nocase(text, operand->text)
			      : slice_is(text, operand->text);
}

static bool
holds_in(const struct condition *c, const struct found *s)
{
	for (size_t i = 0; i < c->count; i++)
		if (is_equal(c, s->text, &c->operands[i]))
			return true;
	return false;
}

static bool
holds_contains(const struct condition *c, const struct found *s)
{
	struct slice text = c->ignore_case ? text_lower(s->arena, s->text) : s->text;

	return text_contains(text, c->operands[0].text);
}

static bool
holds_matches(const struct condition *c, const struct found *s)
{
	return pattern_found(c->pattern, s->text);
}

static bool
holds_empty(const struct condition *c, const struct found *s)
{
	bool container = s->node != NULL &&
			 (s->node->type == JSON_ARRAY || s->node->type == JSON_OBJECT);

	(void)c;
	return container ? s->node->count == 0 : slice_trim(s->text).n == 0;
}

static bool
holds_exists(const struct condition *c, const struct found *s)
{
	(void)c;
	return s->node != NULL;
}

/* As numbers when both are, else as texts. */
static int
compare(struct slice text, const struct operand *operand)
{
	double number;

	if (!operand->is_number || !text_number(text, &number))
		return text_compare(text, operand->text);
	return number < operand->number ? -1 : number > operand->number;
}

static bool
is_something(const struct found *s)
{
	return s->node != NULL && s->node->type != JSON_NULL;
}

static bool
holds_less(const struct condition *c, const struct found *s)
{
	return is_something(s) && compare(s->text, &c->operands[0]) <= 0;
}

static bool
holds_greater(const struct condition *c, const struct found *s)
{
	return is_something(s) && compare(s->text, &c->operands[0]) >= 0;
}

/* From 22:30 to 06:00 is through midnight. */
static bool
holds_between(const struct condition *c, const struct found *s)
{
	bool from, to;

	if (!is_something(s))
		return false;
	from = compare(s->text, &c->operands[0]) >= 0;
	to = compare(s->text, &c->operands[1]) <= 0;
	return compare(c->operands[0].text, &c->operands[1]) > 0 ? from || to : from && to;
}

static const struct operator_row {
	const char *name;
	bool (*holds)(const struct condition *, const struct found *);
	enum form form; /* of its value */
	bool negated;
	bool folds;     /* knows ignore_case */
	bool literal;   /* its value is one that the field may have */
} operators[] = {
	{"equals", holds_in, FORM_ONE, false, true, true},
	{"not_equals", holds_in, FORM_ONE, true, true, true},
	{"contains", holds_contains, FORM_ONE, false, true, false},
	{"not_contains", holds_contains, FORM_ONE, true, true, false},
	{"matches", holds_matches, FORM_ONE, false, true, false},
	{"not_matches", holds_matches, FORM_ONE, true, true, false},
	{"is_empty", holds_empty, FORM_NONE, false, false, false},
	{"is_not_empty", holds_empty, FORM_NONE, true, false, false},
	{"exists", holds_exists, FORM_NONE, false, false, false},
	{"in", holds_in, FORM_SOME, false, true, true},
	{"not_in", holds_in, FORM_SOME, true, true, true},
	{"less_or_equal", holds_less, FORM_ONE, false, false, true},
	{"greater_or_equal", holds_greater, FORM_ONE, false, false, true},
	{"between", holds_between, FORM_TWO, false, false, true},
};

/* ---- made from the configuration --------------------------------------------------------- */

static const struct operator_row *
find_operator(struct compiler *c, const struct json *node)
{
	if (!compiler_is(c, node, JSON_STRING))
		return NULL;
	for (size_t i = 0; i < COUNT_OF(operators); i++)
		if (slice_is(node->text, slice_of(operators[i].name)))
			return &operators[i];
	compiler_complain(c, node, "is not an operator");
	return NULL;
}

static bool
add_operand(struct compiler *c, const struct json *node, const struct compiler_field *field,
    struct condition *condition)
{
	struct operand *operand = &condition->operands[condition->count++];
	const char *wrong;

	*operand = (struct operand){{NULL, 0}, false, 0};
	if (!compiler_text(c, node, &operand->text))
		return false;
	if (condition->ignore_case && condition->op->holds != holds_matches)
		operand->text = text_lower(c->arena, operand->text);
	if (!condition->op->literal || field == NULL || field->refuse == NULL)
		wrong = NULL;
	else
		wrong = field->refuse(operand->text);
	if (wrong != NULL) {
		compiler_complain(c, node, "%s", wrong);
		return false;
	}
	operand->is_number = text_number(operand->text, &operand->number);
	return true;
}

static bool
add_operands(struct compiler *c, const struct json *value, const struct compiler_field *field,
    struct condition *condition)
{
	bool good = true;

	if (!compiler_is_list(c, value))
		return false;
	if (condition->op->form == FORM_TWO && value->count != 2) {
		compiler_complain(c, value, "must have two elements, from and to");
		return false;
	}
	condition->operands = arena_alloc(c->arena, value->count * sizeof *condition->operands);
	if (condition->operands == NULL)
		return false;
	for (const struct json *one = value->first; one != NULL; one = one->next)
		good &= add_operand(c, one, field, condition);
	return good;
}

static bool
check_order(struct compiler *c, const struct json *value, const struct condition *condition)
{
	const struct operand *o = condition->operands;

	if (condition->op->form != FORM_TWO || condition->clock || compare(o[0].text, &o[1]) <= 0)
		return true;
	compiler_complain(c, value, "ends before it begins");
	return false;
}

static bool
add_pattern(struct compiler *c, const struct json *value, struct condition *condition)
{
	const char *why;

	condition->pattern = pattern_compile(c->arena, condition->operands[0].text,
	    condition->ignore_case, &why);
	if (condition->pattern == NULL)
		compiler_complain(c, value, "%s", why);
	return condition->pattern != NULL;
}

static bool
read_value(struct compiler *c, const struct json *node, const struct compiler_field *field,
    struct condition *condition)
{
	const struct json *value = json_get(node, "value");
	bool good;

	if (condition->op->form == FORM_NONE) {
		if (value != NULL)
			compiler_complain_key(c, value, "is not used by %s", condition->op->name);
		return value == NULL;
	}
	value = compiler_need(c, node, "value");
	if (value == NULL)
		return false;
	condition->wanted = json_compact(c->arena, value, WANTED_MOST);
	if (condition->op->form != FORM_ONE)
		return add_operands(c, value, field, condition) && check_order(c, value, condition);
	condition->operands = arena_alloc(c->arena, sizeof *condition->operands);
	good = condition->operands != NULL && add_operand(c, value, field, condition);
	if (good && condition->op->holds == holds_matches)
		good = add_pattern(c, value, condition);
	return good;
}

static bool
read_ignore_case(struct compiler *c, const struct json *node, struct condition *condition)
{
	const struct json *value = json_get(node, "ignore_case");

	if (value == NULL)
		return true;
	if (!compiler_is(c, value, JSON_BOOL))
		return false;
	condition->ignore_case = value->truth;
	if (!condition->op->folds)
		compiler_complain_key(c, value, "is not used by %s", condition->op->name);
	return condition->op->folds;
}

static bool
read_path(struct compiler *c, const struct json *node, struct condition *test,
    const struct compiler_field **field)
{
	return compiler_is(c, node, JSON_STRING) &&
	       compiler_path(c, node, node->text, &test->path, field);
}

static struct condition *
read_test(struct compiler *c, const struct json *node)
{
	static const char *const names[] = {"field", "op", "value", "ignore_case", NULL};
	const struct json *path = compiler_need(c, node, "field");
	const struct json *op = compiler_need(c, node, "op");
	struct condition *test = arena_zalloc(c->arena, sizeof *test);
	const struct compiler_field *field = NULL;
	bool good;

	compiler_know(c, node, names);
	if (test == NULL || path == NULL || op == NULL)
		return NULL;
	good = read_path(c, path, test, &field);
	test->clock = field != NULL && field->clock;
	test->op = find_operator(c, op);
	if (test->op == NULL)
		return NULL;
	good &= read_ignore_case(c, node, test);
	good &= read_value(c, node, field, test);
	return good ? test : NULL;
}

static void
read_members(struct compiler *c, const struct json *list, struct condition *group)
{
	struct condition **end = &group->members;

	if (!compiler_is_list(c, list))
		return;
	for (const struct json *one = list->first; one != NULL; one = one->next) {
		*end = condition_compile(c, one);
		if (*end != NULL)
			end = &(*end)->next;
	}
}

static struct condition *
read_group(struct compiler *c, const struct json *member)
{
	struct condition *group = arena_zalloc(c->arena, sizeof *group);

	if (group == NULL)
		return NULL;
	/* all: a false one makes it false; any: a true one makes it true; none: false. */
	group->decides = !slice_is(member->key, SLICE("all"));
	group->decided = slice_is(member->key, SLICE("any"));
	if (slice_is(member->key, SLICE("not")))
		group->members = condition_compile(c, member);
	else
		read_members(c, member, group);
	return group->members == NULL ? NULL : group;
}

static struct condition *
read_any(struct compiler *c, const struct json *node)
{
	static const char *const groups[] = {"all", "any", "none", "not"};

	for (size_t i = 0; i < COUNT_OF(groups); i++) {
		const struct json *member = json_get(node, groups[i]);
		const char *const names[] = {groups[i], NULL};

		if (member == NULL)
			continue;
		compiler_know(c, node, names);
		return read_group(c, member);
	}
	return read_test(c, node);
}

struct condition *
condition_compile(struct compiler *c, const struct json *node)
{
	size_t faults = c->faults;
	struct condition *condition =
	    compiler_is(c, node, JSON_OBJECT) ? read_any(c, node) : NULL;

	return c->faults == faults ? condition : NULL;
}

/* ---- at work ----------------------------------------------------------------------------- */

static void
tell(const struct condition *test, const struct found *s, const struct observer *observer,
    bool held)
{
	observer->see(observer->arg, &(struct observation){.kind = OBSERVED_TEST,
	    .held = held,
	    .exists = s->node != NULL,
	    .name = test->path.text,
	    .op = slice_of(test->op->name),
	    .wanted = test->wanted,
	    .found = s->text});
}

static bool
test_holds(const struct condition *test, struct scope *scope)
{
	struct found found = {.node = path_find(&test->path, scope), .arena = scope->arena};
	bool held;

	found.text = path_text(found.node, scope);
	held = test->op->holds(test, &found) != test->op->negated;
	if (scope->observer != NULL)
		tell(test, &found, scope->observer, held);
	return held;
}

bool
condition_holds(const struct condition *condition, struct scope *scope)
{
	if (condition->op != NULL)
		return test_holds(condition, scope);
	for (const struct condition *one = condition->members; one != NULL; one = one->next)
		if (condition_holds(one, scope) == condition->decides)
			return condition->decided;
	return !condition->decided;
}
