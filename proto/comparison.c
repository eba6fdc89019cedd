/*
 *     "op": "not_in"   an operator is a row: what its value looks like, and one function, which
 *                      a negated one shares with its opposite
 *     "value": [...]   operands, as texts and as numbers; or a pattern
 */
#include "proto/comparison.h"

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

struct comparison {
	const struct operator_row *op;
	struct operand *operands;
	size_t count;
	struct pattern *pattern;
	bool ignore_case;
	bool clock;
	struct slice wanted; /* the value as it is told */
};

/* ---- operators --------------------------------------------------------------------------- */

static bool
is_equal(const struct comparison *c, struct slice text, const struct operand *operand)
{
	return c->ignore_case ? slice_is_nocase(text, operand->text)
			      : slice_is(text, operand->text);
}

static bool
holds_in(const struct comparison *c, const struct compared *s)
{
	for (size_t i = 0; i < c->count; i++)
		if (is_equal(c, s->text, &c->operands[i]))
			return true;
	return false;
}

static bool
holds_contains(const struct comparison *c, const struct compared *s)
{
	struct slice text = c->ignore_case ? text_lower(s->arena, s->text) : s->text;

	return text_contains(text, c->operands[0].text);
}

static bool
holds_matches(const struct comparison *c, const struct compared *s)
{
	return pattern_found(c->pattern, s->text);
}

static bool
holds_empty(const struct comparison *c, const struct compared *s)
{
	bool container = s->node != NULL &&
			 (s->node->type == JSON_ARRAY || s->node->type == JSON_OBJECT);

	(void)c;
	return container ? s->node->count == 0 : slice_trim(s->text).n == 0;
}

static bool
holds_exists(const struct comparison *c, const struct compared *s)
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
is_something(const struct compared *s)
{
	return s->node != NULL && s->node->type != JSON_NULL;
}

static bool
holds_less(const struct comparison *c, const struct compared *s)
{
	return is_something(s) && compare(s->text, &c->operands[0]) <= 0;
}

static bool
holds_greater(const struct comparison *c, const struct compared *s)
{
	return is_something(s) && compare(s->text, &c->operands[0]) >= 0;
}

/* From 22:30 to 06:00 is through midnight. */
static bool
holds_between(const struct comparison *c, const struct compared *s)
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
	bool (*holds)(const struct comparison *, const struct compared *);
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
    struct comparison *made)
{
	struct operand *operand = &made->operands[made->count++];
	const char *wrong;

	*operand = (struct operand){{NULL, 0}, false, 0};
	if (!compiler_text(c, node, &operand->text))
		return false;
	if (made->ignore_case && made->op->holds != holds_matches)
		operand->text = text_lower(c->arena, operand->text);
	if (!made->op->literal || field == NULL || field->refuse == NULL)
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
    struct comparison *made)
{
	bool good = true;

	if (!compiler_is_list(c, value))
		return false;
	if (made->op->form == FORM_TWO && value->count != 2) {
		compiler_complain(c, value, "must have two elements, from and to");
		return false;
	}
	made->operands = arena_alloc(c->arena, value->count * sizeof *made->operands);
	if (made->operands == NULL)
		return false;
	for (const struct json *one = value->first; one != NULL; one = one->next)
		good &= add_operand(c, one, field, made);
	return good;
}

static bool
check_order(struct compiler *c, const struct json *value, const struct comparison *made)
{
	const struct operand *o = made->operands;

	if (made->op->form != FORM_TWO || made->clock || compare(o[0].text, &o[1]) <= 0)
		return true;
	compiler_complain(c, value, "ends before it begins");
	return false;
}

static bool
add_pattern(struct compiler *c, const struct json *value, struct comparison *made)
{
	const char *why;

	made->pattern = pattern_compile(c->arena, made->operands[0].text, made->ignore_case, &why);
	if (made->pattern == NULL)
		compiler_complain(c, value, "%s", why);
	return made->pattern != NULL;
}

static bool
read_value(struct compiler *c, const struct json *node, const struct compiler_field *field,
    struct comparison *made)
{
	const struct json *value = json_get(node, "value");
	bool good;

	if (made->op->form == FORM_NONE) {
		if (value != NULL)
			compiler_complain_key(c, value, "is not used by %s", made->op->name);
		return value == NULL;
	}
	value = compiler_need(c, node, "value");
	if (value == NULL)
		return false;
	made->wanted = json_compact(c->arena, value, WANTED_MOST);
	if (made->op->form != FORM_ONE)
		return add_operands(c, value, field, made) && check_order(c, value, made);
	made->operands = arena_alloc(c->arena, sizeof *made->operands);
	good = made->operands != NULL && add_operand(c, value, field, made);
	if (good && made->op->holds == holds_matches)
		good = add_pattern(c, value, made);
	return good;
}

static bool
read_ignore_case(struct compiler *c, const struct json *node, struct comparison *made)
{
	const struct json *value = json_get(node, "ignore_case");

	if (value == NULL)
		return true;
	if (!compiler_is(c, value, JSON_BOOL))
		return false;
	made->ignore_case = value->truth;
	if (!made->op->folds)
		compiler_complain_key(c, value, "is not used by %s", made->op->name);
	return made->op->folds;
}

struct comparison *
comparison_compile(struct compiler *c, const struct json *node, const struct compiler_field *field)
{
	struct comparison *made = arena_zalloc(c->arena, sizeof *made);
	bool good;

	if (made == NULL)
		return NULL;
	made->clock = field != NULL && field->clock;
	made->op = find_operator(c, json_get(node, "op"));
	if (made->op == NULL)
		return NULL;
	good = read_ignore_case(c, node, made);
	good &= read_value(c, node, field, made);
	return good ? made : NULL;
}

/* ---- at work ----------------------------------------------------------------------------- */

bool
comparison_holds(const struct comparison *c, const struct compared *value)
{
	return c->op->holds(c, value) != c->op->negated;
}

void
comparison_show(const struct comparison *c, struct slice *op, struct slice *wanted)
{
	*op = slice_of(c->op->name);
	*wanted = c->wanted;
}
