/*
 * The compilers of proto/ know neither files nor places in them; their complaints become faults
 * here.
 */
#include "conf/compile.h"

#include "conf/check.h"
#include "conf/read.h"
#include "proto/mapping.h"
#include "proto/rules.h"

static void
complain(void *arg, const struct complaint *c)
{
	struct reader *r = arg;

	if (c->member != NULL)
		fault_add_member(&r->faults, c->node, c->member, "%s", c->what);
	else if (c->key)
		fault_add_key(&r->faults, c->node, "%s", c->what);
	else
		fault_add(&r->faults, c->node, "%s", c->what);
}

static bool
is_user(void *arg, struct slice username)
{
	const struct reader *r = arg;

	return check_user(r->conf, username) != NULL;
}

static void
compile_split(struct compiler *c, const struct json *node, struct conf_integration *integration)
{
	struct path *path = arena_alloc(c->arena, sizeof *path);

	if (node->type == JSON_STRING && node->text.n > 0 && path != NULL &&
	    compiler_path(c, node, node->text, path, NULL))
		integration->split = path;
}

/* What alerts of PagerTree look like is known. */
static void
refuse(struct reader *r, const struct json *node)
{
	if (node->type != JSON_NULL && !(node->type == JSON_ARRAY && node->count == 0))
		fault_add_key(&r->faults, node, "is for integrations of type generic only");
}

static void
compile_integration(struct reader *r, const struct json *node,
    struct conf_integration *integration)
{
	const struct json *split = json_get(node, "split"), *mapping = json_get(node, "mapping");
	const struct json *rules = json_get(node, "rules");
	bool generic = integration->type == INTEGRATION_GENERIC;
	struct compiler c = {
	    .arena = r->keep, .complain = complain, .is_user = is_user, .arg = r};

	if (split != NULL && generic)
		compile_split(&c, split, integration);
	else if (split != NULL)
		refuse(r, split);
	if (mapping != NULL && generic)
		integration->mapping = mapping_compile(&c, mapping);
	else if (mapping != NULL)
		refuse(r, mapping);
	if (rules != NULL)
		integration->rules = rules_compile(&c, rules);
}

static void
compile_service(struct reader *r, const struct json *node, const struct conf_service *service)
{
	const struct json *list = json_get(node, "integrations");
	const struct json *one = list == NULL ? NULL : list->first;

	for (size_t i = 0; i < service->integration_count && one != NULL; i++, one = one->next)
		compile_integration(r, one, &service->integrations[i]);
}

void
compile_integrations(struct reader *r, const struct json *root)
{
	const struct json *list = json_get(root, "services");
	const struct json *one = list == NULL ? NULL : list->first;

	for (size_t i = 0; i < r->conf->service_count && one != NULL; i++, one = one->next)
		compile_service(r, one, &r->conf->services[i]);
}
