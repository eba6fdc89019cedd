/*
 * What the table's rows cannot say one by one. A check runs on whatever could be read, so it takes
 * zero for "not there, or already refused" and keeps silent about it.
 */
#include "conf/check.h"

#include "conf/compile.h"
#include "conf/read.h"

/* Their addresses are kinds of claims, beside the rows of the table. */
static const char listener_address, integration_key;

/* Certificate and key go together. */
static bool
check_pair(struct reader *r, const struct json *tls, struct slice certificate, struct slice key)
{
	bool both = (certificate.n > 0) == (key.n > 0);

	if (!both)
		fault_add_member(&r->faults, tls, key.n == 0 ? "key" : "certificate", "is missing");
	return both;
}

/* option: of tls, which may be absent. */
static void
refuse_file(struct reader *r, const struct json *node, const char *option, const char *why)
{
	const struct json *tls = json_get(node, "tls"), *value = json_get(tls, option);

	if (value != NULL)
		fault_add(&r->faults, value, "%s", why);
	else if (tls != NULL)
		fault_add_member(&r->faults, tls, option, "%s", why);
	else
		fault_add_member(&r->faults, node, "tls", "%s: %s", option, why);
}

/* Port 0 is another one each time, and so is each socket passed. */
void
check_listener(struct reader *r, void *object, const struct json *node)
{
	const struct conf_listener *listener = object;
	const struct json *address = json_get(node, "address"), *tls = json_get(node, "tls");
	const char *option = NULL;
	char why[256];

	if (check_pair(r, tls, listener->certificate, listener->private_key) &&
	    listener->certificate.n > 0 && r->files != NULL)
		option = r->files->listener(listener, why);
	if (option != NULL)
		refuse_file(r, node, option, why);
	if (address != NULL && (listener->port != 0 || listener->kind == LISTENER_UNIX))
		unique_claim(&r->unique, r->scratch, &listener_address, 0, listener->address,
		    address);
}

void
check_window(struct reader *r, void *object, const struct json *node)
{
	const struct conf_window *window = object;
	const struct json *until = json_get(node, "repeat_until");

	if (window->start == 0 || window->end == 0)
		return;
	if (window->end <= window->start)
		fault_add(&r->faults, json_get(node, "end"), "must be later than start");
	else if (window->repeat > 0 && window->end - window->start >= window->repeat)
		fault_add(&r->faults, json_get(node, "repeat"), "must be longer than the window");
	if (window->repeat_until == 0)
		return;
	if (window->repeat == 0)
		fault_add(&r->faults, until, "needs a repeat");
	else if (window->repeat_until < window->start)
		fault_add(&r->faults, until, "must not be earlier than start");
}

void
check_service(struct reader *r, void *object, const struct json *node)
{
	const struct conf_service *service = object;

	if (service->facts.collation == 1 && service->facts.collation_time == 0)
		fault_add(&r->faults, json_get(node, "collation"), "needs a collation_time");
}

static void
refuse_unless(struct reader *r, const struct json *node, const char *name, const char *type)
{
	const struct json *value = json_get(node, name);

	if (value != NULL)
		fault_add_key(&r->faults, value, "is for integrations of type %s only", type);
}

void
check_integration(struct reader *r, void *object, const struct json *node)
{
	const struct conf_integration *integration = object;
	const struct json *key = json_get(node, "key");

	if (key != NULL && integration->key.n > 0)
		unique_claim(&r->unique, r->scratch, &integration_key, integration->type,
		    integration->key, key);
	if (integration->rate_burst > 0 && integration->rate_per_minute == 0)
		fault_add(&r->faults, json_get(json_get(node, "rate_limit"), "burst"),
		    "needs a per_minute");
	if (integration->type == INTEGRATION_PAGERTREE) {
		if (integration->default_alert_type >= 0)
			refuse_unless(r, node, "default_alert_type", "generic");
		return;
	}
	if (integration->token.n > 0)
		refuse_unless(r, node, "token", "pagertree");
	if (integration->capture_additional_data)
		refuse_unless(r, node, "capture_additional_data", "pagertree");
}

/* What each kind of authentication needs; it takes nothing else. */
static const struct auth_form {
	const char *type;
	const char *needs[2];
} auth_forms[] = {
	{"none", {NULL, NULL}},
	{"basic", {"username", "password"}},
	{"hmac", {"key", NULL}},
	{"standard-webhooks", {"keys", NULL}},
};

static const struct auth_form *
find_form(const struct json *type)
{
	for (size_t i = 0; i < COUNT_OF(auth_forms); i++)
		if (type != NULL && type->type == JSON_STRING &&
		    slice_is(type->text, slice_of(auth_forms[i].type)))
			return &auth_forms[i];
	return NULL;
}

static bool
form_has(const struct auth_form *form, struct slice name)
{
	for (size_t i = 0; i < COUNT_OF(form->needs); i++)
		if (form->needs[i] != NULL && slice_is(name, slice_of(form->needs[i])))
			return true;
	return false;
}

/* True for the options that belong to one kind of authentication or another. */
static bool
is_credential(struct slice name)
{
	for (size_t i = 0; i < COUNT_OF(auth_forms); i++)
		if (form_has(&auth_forms[i], name))
			return true;
	return false;
}

void
check_auth(struct reader *r, void *object, const struct json *node)
{
	const struct auth_form *form = find_form(json_get(node, "type"));

	(void)object;
	if (form == NULL)
		return;
	for (size_t i = 0; i < COUNT_OF(form->needs); i++)
		if (form->needs[i] != NULL && json_get(node, form->needs[i]) == NULL)
			fault_add_member(&r->faults, node, form->needs[i], "is missing");
	for (const struct json *member = node->first; member != NULL; member = member->next)
		if (is_credential(member->key) && !form_has(form, member->key))
			fault_add_key(&r->faults, member, "is not used by type \"%s\"", form->type);
}

/* "none" beside another kind: one of them is a mistake. */
static void
check_none(struct reader *r, const struct json *auth)
{
	if (auth == NULL || auth->type != JSON_ARRAY || auth->count < 2)
		return;
	for (const struct json *one = auth->first; one != NULL; one = one->next) {
		const struct json *type = json_get(one, "type");

		if (type != NULL && type->type == JSON_STRING &&
		    slice_is(type->text, SLICE("none")))
			fault_add(&r->faults, type, "must not stand beside another");
	}
}

void
check_webhook(struct reader *r, void *object, const struct json *node)
{
	const struct conf_webhook *webhook = object;
	const struct json *headers = json_get(node, "headers"), *tls = json_get(node, "tls");
	const char *option = NULL;
	char why[256];

	check_none(r, json_get(node, "auth"));
	if (check_pair(r, tls, webhook->certificate, webhook->private_key) && webhook->https &&
	    r->files != NULL)
		option = r->files->webhook(webhook, why);
	if (option != NULL)
		refuse_file(r, node, option, why);
	if (headers == NULL || !(webhook->auth & AUTH_BASIC))
		return;
	for (const struct json *header = headers->first; header != NULL; header = header->next)
		if (slice_is_nocase(header->key, SLICE("Authorization")))
			fault_add_key(&r->faults, header, "is set by auth of type \"basic\"");
}

/* CONTRACT §2: without tokens, what can change things is for this machine only. Where a socket that
 * is passed at start can be reached from is seen then. */
static void
check_exposure(struct reader *r, const struct json *root)
{
	const struct json *list = json_get(root, "listen");
	const struct json *node = list == NULL ? NULL : list->first;

	if (r->conf->token_count > 0)
		return;
	for (size_t i = 0; i < r->conf->listener_count && node != NULL; i++, node = node->next) {
		const struct conf_listener *listener = &r->conf->listeners[i];

		if (listener->host.p != NULL && !listener->local &&
		    (listener->serve & (SERVE_API | SERVE_OPS)))
			fault_add(&r->faults, node,
			    "serves api or ops beyond this machine, which needs tokens");
	}
}

const struct conf_user *
check_user(const struct conf *conf, struct slice username)
{
	for (size_t i = 0; i < conf->user_count; i++)
		if (slice_is(conf->users[i].facts.username, username))
			return &conf->users[i];
	return NULL;
}

static void
assign_services(struct reader *r, const struct json *root)
{
	const struct json *list = json_get(root, "services");
	const struct json *node = list == NULL ? NULL : list->first;
	const struct json *name;

	for (size_t i = 0; i < r->conf->service_count && node != NULL; i++, node = node->next) {
		name = json_get(node, "assigned_to");
		if (name == NULL || name->type != JSON_STRING)
			continue;
		r->conf->services[i].assigned_to = check_user(r->conf, name->text);
		if (r->conf->services[i].assigned_to == NULL)
			fault_add(&r->faults, name, "is not the username of one of users");
	}
}

void
check_file(struct reader *r, const struct json *root)
{
	check_exposure(r, root);
	assign_services(r, root);
	compile_integrations(r, root);
	unique_check(&r->unique, &r->faults);
}
