/*
 * A webhook's own headers (CONTRACT §8). Names are tokens, values are visible ASCII with spaces
 * inside. They may not replace what the gateway itself says about a request: its framing, its
 * identity, its signatures. A value may be a secret, since many receivers want a key in a header.
 */
#include "conf/read.h"
#include "conf/shape.h"

enum { HEADERS_MAX = 64, HEADER_NAME_MAX = 128 };

static const struct option value_option = {.flags = OPTION_SECRET};

static const char *const reserved[] = {"Content-Type", "User-Agent", "webhook-id", "X-Attempt",
    "Host", "Content-Length", "Transfer-Encoding", "Connection", "X-SIGNATURE",
    "webhook-timestamp", "webhook-signature"};

static bool
is_reserved(struct slice name)
{
	for (size_t i = 0; i < COUNT_OF(reserved); i++)
		if (slice_is_nocase(name, slice_of(reserved[i])))
			return true;
	return false;
}

/* What is wrong with a name, the first of which is `first`. */
static const char *
refuse_name(const struct json *first, const struct json *member)
{
	if (member->key.n > HEADER_NAME_MAX)
		return "is longer than 128 bytes";
	if (is_reserved(member->key))
		return "is set by the gateway itself";
	for (; first != member; first = first->next)
		if (slice_is_nocase(first->key, member->key))
			return "is given twice";
	return shape_header_name(member->key, NULL);
}

static const char *
refuse_value(const struct option *option, struct slice value)
{
	if (value.n < (size_t)option->minimum)
		return "must not be empty";
	if (value.n > (size_t)option->maximum)
		return "is too long";
	return shape_header_value(value, NULL);
}

static void
read_one(struct reader *r, const struct option *option, const struct json *first,
    const struct json *member, struct conf_header *header)
{
	const char *wrong = refuse_name(first, member);

	if (wrong != NULL)
		fault_add_key(&r->faults, member, "%s", wrong);
	header->name = arena_copy(r->keep, member->key);
	header->secret = member->type == JSON_OBJECT;
	if (!value_text(r, &value_option, member, &header->value))
		return;
	wrong = refuse_value(option, header->value);
	if (wrong != NULL)
		fault_add(&r->faults, member, "%s", wrong);
}

void
header_read(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	struct conf_header *list;
	size_t n = 0;

	if (node->type != JSON_OBJECT) {
		fault_add(&r->faults, node, "must be an object");
		return;
	}
	if (node->count > HEADERS_MAX)
		fault_add(&r->faults, node, "must have at most %d members", HEADERS_MAX);
	if (node->count == 0 || node->count > HEADERS_MAX)
		return;
	list = arena_zalloc(r->keep, node->count * sizeof *list);
	if (list == NULL)
		return;
	for (const struct json *member = node->first; member != NULL; member = member->next)
		read_one(r, option, node->first, member, &list[n++]);
	value_store_list(option, object, list, n);
}
