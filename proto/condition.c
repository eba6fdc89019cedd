/*
 *     {"all": [A, {"not": B}]}    GROUP all ── TEST A
 *                                          └── GROUP none ── TEST B
 *
 * `not` is a `none` of one. A test is a path, and a comparison with what is found there.
 */
#include "proto/condition.h"

#include "proto/comparison.h"

/* A group has members, a test has the rest. */
struct condition {
	struct condition *next;
	struct condition *members;
	bool decides; /* group: what a member must be to decide it, */
	bool decided; /* and what it then is */
	struct comparison *comparison; /* NULL: a group */
	struct path path;
};

/* ---- made from the configuration --------------------------------------------------------- */

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
	test->comparison = comparison_compile(c, node, field);
	return good && test->comparison != NULL ? test : NULL;
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
tell(const struct condition *test, const struct compared *value, const struct observer *observer,
    bool held)
{
	struct observation seen = {.kind = OBSERVED_TEST,
	    .held = held,
	    .exists = value->node != NULL,
	    .name = test->path.text,
	    .found = value->text};

	comparison_show(test->comparison, &seen.op, &seen.wanted);
	observer->see(observer->arg, &seen);
}

static bool
test_holds(const struct condition *test, struct scope *scope)
{
	struct compared value = {.node = path_find(&test->path, scope), .arena = scope->arena};
	bool held;

	value.text = path_text(value.node, scope);
	held = comparison_holds(test->comparison, &value);
	if (scope->observer != NULL)
		tell(test, &value, scope->observer, held);
	return held;
}

bool
condition_holds(const struct condition *condition, struct scope *scope)
{
	if (condition->comparison != NULL)
		return test_holds(condition, scope);
	for (const struct condition *one = condition->members; one != NULL; one = one->next)
		if (condition_holds(one, scope) == condition->decides)
			return condition->decided;
	return !condition->decided;
}
