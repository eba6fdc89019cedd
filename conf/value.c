/*
 * One small reader per type of value. Each checks that the value is of its type and within the
 * row's bounds, and puts it where the row says; whatever stays is copied out of the file's text.
 */
#include "conf/read.h"

#include <stdio.h>

#include "conf/quantity.h"
#include "conf/secret.h"
#include "proto/date.h"

enum { ELEMENTS_MAX = 1000 };

void
value_store(const struct option *option, void *object, const void *value, size_t n)
{
	if (option->at != OPTION_NOWHERE)
		memcpy((char *)object + option->at, value, n);
}

void
value_store_list(const struct option *option, void *object, const void *list, size_t count)
{
	memcpy((char *)object + option->at, &list, sizeof list);
	memcpy((char *)object + option->count_at, &count, sizeof count);
}

static void
take_bool(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	if (node->type != JSON_BOOL)
		fault_add(&r->faults, node, "must be true or false");
	else
		value_store(option, object, &node->truth, sizeof node->truth);
}

/* Bounds as the operator would write them. */
static void
print_bound(const struct option *option, int64_t bound, char out[QUANTITY_TEXT])
{
	if (option->type == OPTION_TIME || option->type == OPTION_TIMES)
		quantity_time_text(bound, out);
	else if (option->type == OPTION_SIZE)
		quantity_size_text(bound, out);
	else
		snprintf(out, QUANTITY_TEXT, "%lld", (long long)bound);
}

static bool
within(struct reader *r, const struct option *option, const struct json *node, int64_t value)
{
	char low[QUANTITY_TEXT], high[QUANTITY_TEXT];

	if (value >= option->minimum && value <= option->maximum)
		return true;
	print_bound(option, option->minimum, low);
	print_bound(option, option->maximum, high);
	fault_add(&r->faults, node, "must be between %s and %s", low, high);
	return false;
}

static bool
get_number(struct reader *r, const struct option *option, const struct json *node, int64_t *value)
{
	if (node->type == JSON_NUMBER && quantity_number(node->text, value))
		return within(r, option, node, *value);
	fault_add(&r->faults, node, "must be a whole number");
	return false;
}

static void
take_int(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	int64_t number;
	int value;

	if (get_number(r, option, node, &number)) {
		value = (int)number;
		value_store(option, object, &value, sizeof value);
	}
}

static void
take_number(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	int64_t value;

	if (get_number(r, option, node, &value))
		value_store(option, object, &value, sizeof value);
}

/* 0 needs no unit. */
static bool
get_time(struct reader *r, const struct option *option, const struct json *node, int64_t *us)
{
	bool zero = node->type == JSON_NUMBER && slice_is(node->text, SLICE("0"));

	*us = 0;
	if (zero || (node->type == JSON_STRING && conf_parse_time(node->text, us)))
		return within(r, option, node, *us);
	fault_add(&r->faults, node,
	    "must be a time such as \"500ms\", \"30s\", \"5m\", \"2h\" or \"7d\"");
	return false;
}

static void
take_time(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	int64_t us;

	if (get_time(r, option, node, &us))
		value_store(option, object, &us, sizeof us);
}

static void
take_size(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	bool fits = node->type == JSON_STRING || node->type == JSON_NUMBER;
	int64_t bytes;

	if (!fits || !conf_parse_size(node->text, &bytes))
		fault_add(&r->faults, node,
		    "must be a size such as \"512KiB\", \"16MiB\" or \"64GiB\"");
	else if (within(r, option, node, bytes))
		value_store(option, object, &bytes, sizeof bytes);
}

static void
take_date(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	int64_t us;

	if (node->type != JSON_STRING || !date_parse(node->text, &us))
		fault_add(&r->faults, node, "must be a date such as \"2026-11-21T09:00:00Z\"");
	else if (us <= 0)
		fault_add(&r->faults, node, "must be later than 1970");
	else
		value_store(option, object, &us, sizeof us);
}

bool
value_text(struct reader *r, const struct option *option, const struct json *node,
    struct slice *text)
{
	if (option->flags & OPTION_SECRET)
		return secret_read(&r->conf->own->secrets, &r->faults, node, text);
	if (node->type != JSON_STRING) {
		fault_add(&r->faults, node, "must be a text");
		return false;
	}
	*text = arena_copy(r->keep, node->text);
	return text->p != NULL;
}

/* What is wrong with a text; NULL: nothing. */
static const char *
refuse_text(struct reader *r, const struct option *option, struct slice text, void *object)
{
	struct slice why;

	if (text.n == 0 && option->minimum > 0)
		return "must not be empty";
	if (text.n < (size_t)option->minimum) {
		why = arena_printf(r->scratch, "must have at least %lld characters%c",
		    (long long)option->minimum, '\0');
		return why.p;
	}
	if (option->maximum > 0 && text.n > (size_t)option->maximum) {
		why = arena_printf(r->scratch, "must have at most %lld bytes%c",
		    (long long)option->maximum, '\0');
		return why.p;
	}
	return option->shape == NULL ? NULL : option->shape(text, object);
}

static void
claim(struct reader *r, const struct option *option, struct slice text, const struct json *node)
{
	bool in_list = option->flags & OPTION_UNIQUE;

	if (option->flags & (OPTION_UNIQUE | OPTION_UNIQUE_IN_FILE))
		unique_claim(&r->unique, r->scratch, option, in_list ? r->scope : 0, text, node);
}

static void
take_text(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	struct slice text;
	const char *wrong;

	if (!value_text(r, option, node, &text))
		return;
	value_store(option, object, &text, sizeof text);
	wrong = refuse_text(r, option, text, object);
	if (wrong != NULL)
		fault_add(&r->faults, node, "%s", wrong);
	else
		claim(r, option, text, node);
}

static void
take_uuid(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	char printed[UUID_TEXT];
	struct slice text;
	struct uuid uuid;

	if (node->type != JSON_STRING || !uuid_parse(node->text, &uuid)) {
		fault_add(&r->faults, node, "must be a UUID");
		return;
	}
	uuid_text(&uuid, printed);
	text = arena_copy(r->keep, slice_of(printed));
	claim(r, option, text, node);
	if (option->type == OPTION_UUID)
		value_store(option, object, &uuid, sizeof uuid);
	else
		value_store(option, object, &text, sizeof text);
}

/* The words that can be chosen, as a sentence. */
static void
refuse_word(struct reader *r, const struct option *option, const struct json *node)
{
	const char *before = " ";
	struct buf b;

	buf_init(&b, 256);
	buf_puts(&b, "must be");
	for (const struct option_word *w = option->words; w->word != NULL; w++) {
		buf_printf(&b, "%s\"%s\"", before, w->word);
		before = " or ";
	}
	buf_putc(&b, '\0');
	fault_add(&r->faults, node, "%s", b.failed ? "is not a known word" : b.p);
	buf_free(&b);
}

static bool
get_word(struct reader *r, const struct option *option, const struct json *node, int *value)
{
	const struct option_word *w = option->words;

	while (w->word != NULL &&
	    (node->type != JSON_STRING || !slice_is(node->text, slice_of(w->word))))
		w++;
	if (w->word == NULL) {
		refuse_word(r, option, node);
		return false;
	}
	*value = w->value;
	return true;
}

static void
take_word(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	int value;

	if (get_word(r, option, node, &value))
		value_store(option, object, &value, sizeof value);
}

static void
take_bit(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	unsigned bits;
	int bit;

	if (!get_word(r, option, node, &bit))
		return;
	memcpy(&bits, (char *)object + option->at, sizeof bits);
	if (bits & (unsigned)bit)
		fault_add(&r->faults, node, "is given twice");
	bits |= (unsigned)bit;
	value_store(option, object, &bits, sizeof bits);
}

static bool
check_elements(struct reader *r, const struct json *node, uint32_t minimum)
{
	if (node->type != JSON_ARRAY)
		fault_add(&r->faults, node, "must be a list");
	else if (node->count < minimum)
		fault_add(&r->faults, node, "must not be empty");
	else if (node->count > ELEMENTS_MAX)
		fault_add(&r->faults, node, "must have at most %d elements", ELEMENTS_MAX);
	else
		return true;
	return false;
}

static void
take_words(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	if (!check_elements(r, node, 1))
		return;
	for (const struct json *child = node->first; child != NULL; child = child->next)
		take_bit(r, option, child, object);
}

static void
take_times(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	int64_t *list, *next;

	if (!check_elements(r, node, 1))
		return;
	next = list = arena_alloc(r->keep, node->count * sizeof *list);
	if (list == NULL)
		return;
	for (const struct json *child = node->first; child != NULL; child = child->next)
		if (get_time(r, option, child, next))
			next++;
	value_store_list(option, object, list, (size_t)(next - list));
}

static void
take_networks(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	struct cidr *list, *next;

	if (!check_elements(r, node, 0) || node->count == 0)
		return;
	next = list = arena_alloc(r->keep, node->count * sizeof *list);
	if (list == NULL)
		return;
	for (const struct json *child = node->first; child != NULL; child = child->next) {
		if (child->type == JSON_STRING && cidr_parse(child->text, next))
			next++;
		else
			fault_add(&r->faults, child, "must be a network such as \"10.0.0.0/8\"");
	}
	value_store_list(option, object, list, (size_t)(next - list));
}

/* null: what the last row of the words says, or the struct's zero. */
static void
take_null(const struct option *option, void *object)
{
	const struct option_word *w = option->words;

	if (w == NULL)
		return;
	while (w->word != NULL)
		w++;
	value_store(option, object, &w->value, sizeof w->value);
}

static void
take_any(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	(void)r, (void)option, (void)node, (void)object;
}

static void (*const readers[OPTION_TYPES])(struct reader *, const struct option *,
    const struct json *, void *) = {
	[OPTION_BOOL] = take_bool,
	[OPTION_INT] = take_int,
	[OPTION_NUMBER] = take_number,
	[OPTION_TIME] = take_time,
	[OPTION_SIZE] = take_size,
	[OPTION_DATE] = take_date,
	[OPTION_TEXT] = take_text,
	[OPTION_ID] = take_uuid,
	[OPTION_UUID] = take_uuid,
	[OPTION_WORD] = take_word,
	[OPTION_BIT] = take_bit,
	[OPTION_WORDS] = take_words,
	[OPTION_TIMES] = take_times,
	[OPTION_NETWORKS] = take_networks,
	[OPTION_HEADERS] = header_read,
	[OPTION_SIGNING_KEYS] = signing_read,
	[OPTION_ANY] = take_any,
};

void
value_read(struct reader *r, const struct option *option, const struct json *node, void *object)
{
	if (node->type == JSON_NULL && (option->flags & OPTION_NULL))
		take_null(option, object);
	else
		readers[option->type](r, option, node, object);
}
