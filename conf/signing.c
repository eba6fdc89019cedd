/*
 * A webhook's keys of Standard Webhooks (CONTRACT §8): decoded here, once, so that a bad one is a
 * fault of the configuration and not of a delivery. During a rotation there are several.
 */
#include "conf/read.h"
#include "conf/secret.h"
#include "proto/sign.h"

/* What is wrong with the key that the text stands for; NULL: nothing. */
static const char *
refuse_key(struct slice text, struct sign_key *key)
{
	const char *wrong = sign_key_read(text, key);

	if (wrong == NULL && key->type == SIGN_KEY_PUBLIC)
		return "is a public key, which cannot sign; give its whsk_ key";
	return wrong;
}

static void
read_one(struct reader *r, const struct option *option, const struct json *node,
    struct sign_key *key)
{
	const char *wrong;
	struct slice text;

	if (!value_text(r, option, node, &text))
		return;
	wrong = refuse_key(text, key);
	if (wrong != NULL)
		fault_add(&r->faults, node, "%s", wrong);
}

void
signing_read(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	struct sign_key *list;
	size_t n = 0;

	if (node->type != JSON_ARRAY) {
		fault_add(&r->faults, node, "must be a list");
		return;
	}
	if (node->count < option->minimum || node->count > option->maximum) {
		fault_add(&r->faults, node, "must have %lld to %lld elements",
		    (long long)option->minimum, (long long)option->maximum);
		return;
	}
	list = secret_room(&r->conf->own->secrets, node->count * sizeof *list);
	if (list == NULL) {
		fault_add(&r->faults, node, "found no memory");
		return;
	}
	for (const struct json *child = node->first; child != NULL; child = child->next)
		read_one(r, option, child, &list[n++]);
	value_store_list(option, object, list, n);
}
