/*
 * SipHash of each value, chained from piece to piece within a row, and added up over the rows of an
 * object, so that neither the order of a file's lines nor the way a value is written makes a
 * difference, while what a secret's file holds does.
 *
 * No one chooses the values but the operator, so the hash has no secret key.
 */
#include "conf/print.h"

#include <sodium.h>

#include "conf/table.h"

/* Most rows fit into one block. */
enum { BLOCK = 96 };

struct chain {
	uint8_t h[crypto_shorthash_siphashx24_KEYBYTES];
	uint8_t block[BLOCK];
	size_t n;
};

static void
flush(struct chain *c)
{
	crypto_shorthash_siphashx24(c->h, c->block, c->n, c->h);
	c->n = 0;
}

/* A piece with its length in front, so that no two sequences of pieces are alike. */
static void
feed(struct chain *c, const void *p, size_t n)
{
	if (c->n + sizeof n + n > BLOCK)
		flush(c);
	memcpy(c->block + c->n, &n, sizeof n);
	c->n += sizeof n;
	if (c->n + n > BLOCK) {
		flush(c);
		crypto_shorthash_siphashx24(c->h, p, n, c->h);
	} else if (n > 0) {
		memcpy(c->block + c->n, p, n);
		c->n += n;
	}
}

static void
feed_slice(struct chain *c, struct slice text)
{
	feed(c, text.p, text.n);
}

static void
feed_tree(struct chain *c, const struct json *node)
{
	feed(c, &node->type, sizeof node->type);
	if (node->type == JSON_BOOL)
		feed(c, &node->truth, sizeof node->truth);
	if (node->type == JSON_NUMBER || node->type == JSON_STRING)
		feed_slice(c, node->text);
	for (const struct json *child = node->first; child != NULL; child = child->next) {
		feed_slice(c, child->key);
		feed_tree(c, child);
	}
	feed(c, &node->count, sizeof node->count);
}

static void
feed_headers(struct chain *c, const struct conf_header *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		feed_slice(c, list[i].name);
		feed_slice(c, list[i].value);
	}
}

static void
feed_keys(struct chain *c, const struct sign_key *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		feed(c, &list[i].type, sizeof list[i].type);
		feed(c, list[i].bytes, list[i].n);
	}
}

static void
feed_list(struct chain *c, const struct option *option, const char *object)
{
	const void *list;
	size_t n;

	memcpy(&list, object + option->at, sizeof list);
	memcpy(&n, object + option->count_at, sizeof n);
	if (option->type == OPTION_TIMES)
		feed(c, list, n * sizeof(int64_t));
	else if (option->type == OPTION_NETWORKS)
		feed(c, list, n * sizeof(struct cidr));
	else if (option->type == OPTION_HEADERS)
		feed_headers(c, list, n);
	else
		feed_keys(c, list, n);
}

/* Of values that are kept as plain bytes; 0: they are not. */
static size_t
size_of(enum option_type type)
{
	static const uint8_t sizes[OPTION_TYPES] = {
	    [OPTION_BOOL] = sizeof(bool),
	    [OPTION_INT] = sizeof(int),
	    [OPTION_NUMBER] = sizeof(int64_t),
	    [OPTION_TIME] = sizeof(int64_t),
	    [OPTION_SIZE] = sizeof(int64_t),
	    [OPTION_DATE] = sizeof(int64_t),
	    [OPTION_UUID] = sizeof(struct uuid),
	    [OPTION_WORD] = sizeof(int),
	    [OPTION_BIT] = sizeof(unsigned),
	    [OPTION_WORDS] = sizeof(unsigned),
	};

	return sizes[type];
}

static void
feed_value(struct chain *c, const struct option *option, const struct json *node,
    const char *object)
{
	struct slice text;

	if (option->at == OPTION_NOWHERE) {
		feed_tree(c, node);
		return;
	}
	switch (option->type) {
	case OPTION_TEXT:
	case OPTION_ID:
		memcpy(&text, object + option->at, sizeof text);
		feed_slice(c, text);
		break;
	case OPTION_TIMES:
	case OPTION_NETWORKS:
	case OPTION_HEADERS:
	case OPTION_SIGNING_KEYS:
		feed_list(c, option, object);
		break;
	default:
		if (size_of(option->type) > 0)
			feed(c, object + option->at, size_of(option->type));
		else
			feed_tree(c, node);
	}
}

void
print_add(struct conf_print *print, const struct option *option, const struct json *node,
    const void *object, size_t nth)
{
	size_t row = (size_t)(option - option_table);
	struct chain chain;

	memset(chain.h, 0, sizeof chain.h);
	chain.n = 0;
	feed(&chain, &row, sizeof row);
	feed(&chain, &nth, sizeof nth);
	feed_value(&chain, option, node, object);
	flush(&chain);
	print->half[0] += get_u64(chain.h);
	print->half[1] += get_u64(chain.h + 8);
	sodium_memzero(&chain, sizeof chain);
}

bool
print_equal(struct conf_print a, struct conf_print b)
{
	return a.half[0] == b.half[0] && a.half[1] == b.half[1];
}
