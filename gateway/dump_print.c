/* Members of a dump's objects: fields of rows, and names for the numbers that rows have. */
#include <stdlib.h>

#include "gateway/dump_parts.h"
#include "gateway/reason.h"
#include "gateway/view.h"
#include "proto/alert.h"
#include "proto/incident.h"
#include "proto/utf8.h"

/* What a store holds may have been damaged: no more than what is UTF-8. */
void
dump_put_text(struct dump *d, const char *name, struct slice text)
{
	json_key(&d->w, name);
	json_string(&d->w, (struct slice){text.p, utf8_valid(text)});
}

void
dump_put_number(struct dump *d, const char *name, uint64_t n)
{
	json_key(&d->w, name);
	json_uint(&d->w, n);
}

static void
put_null(struct dump *d, const char *name)
{
	json_key(&d->w, name);
	json_null(&d->w);
}

/* The word at that place; what lies outside is a number. */
void
dump_put_word(struct dump *d, const char *name, const char *const *words, size_t count, unsigned at)
{
	if (at < count && words[at] != NULL)
		dump_put_text(d, name, slice_of(words[at]));
	else
		dump_put_number(d, name, at);
}

/* ---- names ------------------------------------------------------------------------------- */

static bool
make_room(struct dump *d)
{
	size_t room = d->name_room == 0 ? 64 : 2 * d->name_room;
	struct dump_name *names = realloc(d->names, room * sizeof *names);

	if (names == NULL)
		return false;
	d->names = names;
	d->name_room = room;
	return true;
}

static void
keep_name(void *arg, enum name_kind kind, const struct name_row *row)
{
	struct dump *d = arg;

	if (d->name_count == d->name_room && !make_room(d))
		d->failed = true;
	if (!d->failed)
		d->names[d->name_count++] = (struct dump_name){kind, row->id, row->text};
}

static int
compare_names(const void *a, const void *b)
{
	const struct dump_name *left = a, *right = b;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return left->id < right->id ? -1 : left->id > right->id;
}

bool
dump_load_names(struct dump *d, struct txn *txn)
{
	names_each(txn, keep_name, d);
	if (d->name_count > 0)
		qsort(d->names, d->name_count, sizeof *d->names, compare_names);
	return !d->failed;
}

/* An integration's name holds its service's: "Payments/Generic". Without a name the number. */
void
dump_put_name(struct dump *d, const char *name, enum name_kind kind, uint32_t id)
{
	struct dump_name wanted = {.kind = kind, .id = id}, *found = NULL;
	char text[512];
	size_t n;

	if (d->name_count > 0)
		found = bsearch(&wanted, d->names, d->name_count, sizeof wanted, compare_names);
	if (found == NULL) {
		dump_put_number(d, name, id);
		return;
	}
	n = found->text.n < sizeof text ? found->text.n : sizeof text;
	for (size_t i = 0; i < n; i++)
		text[i] = found->text.p[i] == '\0' ? '/' : found->text.p[i];
	dump_put_text(d, name, (struct slice){text, n});
}

/* ---- fields ------------------------------------------------------------------------------ */

void
dump_bool(struct dump *d, const char *name, const void *at)
{
	json_key(&d->w, name);
	json_bool(&d->w, *(const bool *)at);
}

void
dump_u8(struct dump *d, const char *name, const void *at)
{
	dump_put_number(d, name, *(const uint8_t *)at);
}

void
dump_u16(struct dump *d, const char *name, const void *at)
{
	dump_put_number(d, name, *(const uint16_t *)at);
}

void
dump_u32(struct dump *d, const char *name, const void *at)
{
	dump_put_number(d, name, *(const uint32_t *)at);
}

void
dump_u64(struct dump *d, const char *name, const void *at)
{
	dump_put_number(d, name, *(const uint64_t *)at);
}

void
dump_int(struct dump *d, const char *name, const void *at)
{
	json_key(&d->w, name);
	json_int(&d->w, *(const int *)at);
}

void
dump_us(struct dump *d, const char *name, const void *at)
{
	json_key(&d->w, name);
	json_int(&d->w, *(const int64_t *)at);
}

void
dump_date(struct dump *d, const char *name, const void *at)
{
	view_date(&d->w, name, *(const int64_t *)at);
}

void
dump_number(struct dump *d, const char *name, const void *at)
{
	if (*(const uint64_t *)at == 0)
		put_null(d, name);
	else
		dump_u64(d, name, at);
}

void
dump_id(struct dump *d, const char *name, const void *at)
{
	char text[UUID_TEXT];

	uuid_text(at, text);
	if (uuid_is_zero(at))
		put_null(d, name);
	else
		dump_put_text(d, name, slice_of(text));
}

/* As the API prints ids of alerts and incidents. */
void
dump_id22(struct dump *d, const char *name, const void *at)
{
	char text[ID22_TEXT];

	id22_text(at, text);
	if (uuid_is_zero(at))
		put_null(d, name);
	else
		dump_put_text(d, name, slice_of(text));
}

void
dump_boot(struct dump *d, const char *name, const void *at)
{
	struct uuid id;

	memcpy(id.b, at, sizeof id.b);
	dump_id(d, name, &id);
}

void
dump_salt(struct dump *d, const char *name, const void *at)
{
	dump_put_number(d, name, get_u64(at));
}

void
dump_text(struct dump *d, const char *name, const void *at)
{
	dump_put_text(d, name, *(const struct slice *)at);
}

/* What was stored as JSON. */
void
dump_json(struct dump *d, const char *name, const void *at)
{
	const struct slice *json = at;

	json_key(&d->w, name);
	if (json->n == 0)
		json_null(&d->w);
	else
		json_raw(&d->w, *json);
}

/* A list as alerts have it until they are applied. */
void
dump_notes(struct dump *d, const char *name, const void *at)
{
	struct slice notes = *(const struct slice *)at, note;

	json_key(&d->w, name);
	json_open(&d->w, '[');
	while (alert_note(&notes, &note))
		json_string(&d->w, (struct slice){note.p, utf8_valid(note)});
	json_close(&d->w, ']');
}

void
dump_service(struct dump *d, const char *name, const void *at)
{
	dump_put_name(d, name, NAME_SERVICE, *(const uint32_t *)at);
}

void
dump_integration(struct dump *d, const char *name, const void *at)
{
	dump_put_name(d, name, NAME_INTEGRATION, *(const uint32_t *)at);
}

void
dump_trace_state(struct dump *d, const char *name, const void *at)
{
	static const char *const words[] = {[TRACE_QUEUED] = "queued",
	    [TRACE_COMPLETED] = "completed",
	    [TRACE_FAILED] = "failed"};

	dump_put_word(d, name, words, COUNT_OF(words), *(const enum trace_state *)at);
}

void
dump_delivery_state(struct dump *d, const char *name, const void *at)
{
	static const char *const words[] = {[DELIVERY_WAITING] = "waiting",
	    [DELIVERY_DELIVERED] = "delivered",
	    [DELIVERY_DEAD] = "dead"};

	dump_put_word(d, name, words, COUNT_OF(words), *(const enum delivery_state *)at);
}

static void
put_alert_type(struct dump *d, const char *name, unsigned type)
{
	const char *word = alert_type_name((int)type);

	if (word != NULL)
		dump_put_text(d, name, slice_of(word));
	else
		dump_put_number(d, name, type);
}

void
dump_alert_type(struct dump *d, const char *name, const void *at)
{
	put_alert_type(d, name, *(const enum alert_type *)at);
}

void
dump_alert_type8(struct dump *d, const char *name, const void *at)
{
	put_alert_type(d, name, *(const uint8_t *)at);
}

void
dump_event(struct dump *d, const char *name, const void *at)
{
	dump_put_text(d, name, slice_of(view_event(*(const uint8_t *)at)));
}

void
dump_status(struct dump *d, const char *name, const void *at)
{
	static const char *const words[] = {[INCIDENT_TRIGGERED] = "triggered",
	    [INCIDENT_ACKNOWLEDGED] = "acknowledged",
	    [INCIDENT_RESOLVED] = "resolved"};

	dump_put_word(d, name, words, COUNT_OF(words), *(const uint8_t *)at);
}

void
dump_reason(struct dump *d, const char *name, const void *at)
{
	const char *word = reason_word(*(const uint8_t *)at);

	if (word[0] == '\0')
		put_null(d, name);
	else
		dump_put_text(d, name, slice_of(word));
}

void
dump_keys(struct dump *d, const char *name, const void *at)
{
	const struct open_row *row = at;

	json_key(&d->w, name);
	json_open(&d->w, '[');
	for (size_t i = 0; i < row->key_count; i++) {
		json_open(&d->w, '{');
		dump_integration(d, "integration", &row->keys[i].integration);
		dump_put_text(d, "entity_id", row->keys[i].entity_id);
		json_close(&d->w, '}');
	}
	json_close(&d->w, ']');
}
