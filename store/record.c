/*
 * The layout of every stored row: a version byte, then its fields in order (field.c).
 *
 * TO CHANGE A LAYOUT
 *   1. Raise that row's number in the list below. Encoders write the newest version only.
 *   2. Its decoder goes on reading the versions before: where the version is lower, what was added
 *      gets the value that was implied until then. A field is never moved or given a new meaning
 *      under an old number; numbers are never used twice.
 *   3. Keep the bytes of the old version in test/unit/store/record.c beside the new ones, each with
 *      what it must decode to, and add a row of it to the seeds of test/fuzz/stored_record.
 *   4. A change of keys, of tables, or one that needs several rows changed together is a new
 *      STORE_SCHEMA: store_open() refuses what it does not know, so that an older program never
 *      misreads a newer store.
 *   5. Say in CHANGES whether an older program still reads what the new one wrote (it does not,
 *      once a row of a newer version exists).
 */
#include <assert.h>

#include "store/field.h"
#include "store/record.h"

enum {
	META_VERSION = 1,
	NAME_VERSION = 1,
	TRACE_VERSION = 1,
	ALERT_VERSION = 1,
	INCIDENT_VERSION = 1,
	OPEN_VERSION = 1,
	EVENT_VERSION = 1,
	DELIVERY_VERSION = 1,
	LANE_VERSION = 1,
	ATTEMPT_VERSION = 1,
	NOTE_VERSION = 1,
};

/* A reader behind the version byte, which must be the one known. */
static struct field_reader
start(struct slice value, uint8_t version)
{
	struct field_reader r = field_read(value);

	if (field_u8(&r) != version)
		r.bad = true;
	return r;
}

/* A u32 that may not pass max: enums, and numbers that are narrower in memory. */
static uint32_t
field_limited(struct field_reader *r, uint32_t max)
{
	uint32_t v = field_u32(r);

	if (v <= max)
		return v;
	r->bad = true;
	return 0;
}

void
record_put_meta(struct buf *b, const struct meta *m)
{
	field_put_u8(b, META_VERSION);
	field_put_u64(b, m->next_number);
	field_put_u64(b, m->applied);
	field_put_u64(b, m->next_pending);
	field_put_u32(b, m->next_name);
	field_put_id(b, &m->last_id);
	field_put_id(b, &m->heads_from);
	field_put_bool(b, m->paused);
	buf_put(b, m->boot_id, sizeof m->boot_id);
	field_put_i64(b, m->boot_time);
	field_put_i64(b, m->steady);
	field_put_u64(b, m->conf_print);
}

bool
record_get_meta(struct slice value, struct meta *m)
{
	struct field_reader r = start(value, META_VERSION);

	m->next_number = field_u64(&r);
	m->applied = field_u64(&r);
	m->next_pending = field_u64(&r);
	m->next_name = field_u32(&r);
	m->last_id = field_id(&r);
	m->heads_from = field_id(&r);
	m->paused = field_bool(&r);
	struct uuid boot = field_id(&r);
	memcpy(m->boot_id, boot.b, sizeof m->boot_id);
	m->boot_time = field_i64(&r);
	m->steady = field_i64(&r);
	m->conf_print = field_u64(&r);
	return field_end(&r);
}

void
record_put_name(struct buf *b, const struct name_row *n)
{
	field_put_u8(b, NAME_VERSION);
	field_put_u32(b, n->id);
	field_put_i64(b, n->seen);
	field_put_bool(b, n->paused);
}

bool
record_get_name(struct slice value, struct name_row *n)
{
	struct field_reader r = start(value, NAME_VERSION);

	n->id = field_u32(&r);
	n->seen = field_i64(&r);
	n->paused = field_bool(&r);
	n->text = (struct slice){NULL, 0};
	return field_end(&r);
}

void
record_put_trace(struct buf *b, const struct trace_row *t)
{
	field_put_u8(b, TRACE_VERSION);
	field_put_u32(b, t->state);
	field_put_bool(b, t->created);
	field_put_bool(b, t->suppressed);
	field_put_u32(b, t->integration);
	field_put_id(b, &t->alert);
	field_put_u64(b, t->number);
	field_put_id(b, &t->unique_id);
	field_put_id(b, &t->event);
	field_put_slice(b, t->error);
}

bool
record_get_trace(struct slice value, struct trace_row *t)
{
	struct field_reader r = start(value, TRACE_VERSION);

	t->state = (enum trace_state)field_limited(&r, TRACE_FAILED);
	t->created = field_bool(&r);
	t->suppressed = field_bool(&r);
	t->integration = field_u32(&r);
	t->alert = field_id(&r);
	t->number = field_u64(&r);
	t->unique_id = field_id(&r);
	t->event = field_id(&r);
	t->error = field_slice(&r);
	return field_end(&r);
}

void
record_put_alert(struct buf *b, const struct alert_row *a)
{
	field_put_u8(b, ALERT_VERSION);
	field_put_u64(b, a->number);
	field_put_id(b, &a->previous);
	field_put_u32(b, a->integration);
	field_put_u8(b, a->type);
	field_put_bool(b, a->suppressed);
	field_put_i64(b, a->wall);
	field_put_slice(b, a->entity_id);
	field_put_slice(b, a->rules);
	field_put_slice(b, a->fields);
}

bool
record_get_alert(struct slice value, struct alert_row *a)
{
	struct field_reader r = start(value, ALERT_VERSION);

	a->number = field_u64(&r);
	a->previous = field_id(&r);
	a->integration = field_u32(&r);
	a->type = field_u8(&r);
	a->suppressed = field_bool(&r);
	a->wall = field_i64(&r);
	a->entity_id = field_slice(&r);
	a->rules = field_slice(&r);
	a->fields = field_slice(&r);
	return field_end(&r);
}

void
record_put_incident(struct buf *b, const struct incident_row *i)
{
	field_put_u8(b, INCIDENT_VERSION);
	field_put_id(b, &i->unique_id);
	field_put_u32(b, i->service);
	field_put_u32(b, i->integration);
	field_put_u8(b, i->status);
	field_put_u8(b, i->urgency);
	field_put_i64(b, i->created);
	field_put_i64(b, i->acknowledged);
	field_put_i64(b, i->resolved);
	field_put_i64(b, i->resolved_steady);
	field_put_id(b, &i->head);
	field_put_id(b, &i->last_event);
	field_put_u32(b, i->events);
	field_put_slice(b, i->title);
	field_put_slice(b, i->summary);
	field_put_slice(b, i->incident_key);
	field_put_slice(b, i->priority);
	field_put_slice(b, i->sla);
	field_put_slice(b, i->escalation_policy);
	field_put_slice(b, i->tags);
	field_put_slice(b, i->assigned_to);
	field_put_slice(b, i->task_template);
}

bool
record_get_incident(struct slice value, struct incident_row *i)
{
	struct field_reader r = start(value, INCIDENT_VERSION);

	i->unique_id = field_id(&r);
	i->service = field_u32(&r);
	i->integration = field_u32(&r);
	i->status = field_u8(&r);
	i->urgency = field_u8(&r);
	i->created = field_i64(&r);
	i->acknowledged = field_i64(&r);
	i->resolved = field_i64(&r);
	i->resolved_steady = field_i64(&r);
	i->head = field_id(&r);
	i->last_event = field_id(&r);
	i->events = field_u32(&r);
	i->title = field_slice(&r);
	i->summary = field_slice(&r);
	i->incident_key = field_slice(&r);
	i->priority = field_slice(&r);
	i->sla = field_slice(&r);
	i->escalation_policy = field_slice(&r);
	i->tags = field_slice(&r);
	i->assigned_to = field_slice(&r);
	i->task_template = field_slice(&r);
	return field_end(&r);
}

void
record_put_open(struct buf *b, const struct open_row *o)
{
	assert(o->key_count <= OPEN_KEYS_MAX);
	field_put_u8(b, OPEN_VERSION);
	field_put_u32(b, o->service);
	field_put_u8(b, o->status);
	field_put_i64(b, o->triggered);
	field_put_i64(b, o->acknowledged);
	field_put_i64(b, o->created);
	field_put_id(b, &o->head);
	field_put_u32(b, (uint32_t)o->key_count);
	for (size_t i = 0; i < o->key_count; i++) {
		field_put_u32(b, o->keys[i].integration);
		field_put_slice(b, o->keys[i].entity_id);
	}
}

bool
record_get_open(struct slice value, struct open_row *o)
{
	struct field_reader r = start(value, OPEN_VERSION);

	o->service = field_u32(&r);
	o->status = field_u8(&r);
	o->triggered = field_i64(&r);
	o->acknowledged = field_i64(&r);
	o->created = field_i64(&r);
	o->head = field_id(&r);
	o->key_count = field_limited(&r, OPEN_KEYS_MAX);
	for (size_t i = 0; i < o->key_count; i++) {
		o->keys[i].integration = field_u32(&r);
		o->keys[i].entity_id = field_slice(&r);
	}
	return field_end(&r);
}

void
record_put_event(struct buf *b, const struct event_row *e)
{
	field_put_u8(b, EVENT_VERSION);
	field_put_u64(b, e->number);
	field_put_u32(b, e->n);
	field_put_u8(b, e->type);
	field_put_i64(b, e->wall);
	field_put_id(b, &e->previous);
	field_put_slice(b, e->body);
}

bool
record_get_event(struct slice value, struct event_row *e)
{
	struct field_reader r = start(value, EVENT_VERSION);

	e->number = field_u64(&r);
	e->n = field_u32(&r);
	e->type = field_u8(&r);
	e->wall = field_i64(&r);
	e->previous = field_id(&r);
	e->body = field_slice(&r);
	return field_end(&r);
}

void
record_put_delivery(struct buf *b, const struct delivery_row *d)
{
	field_put_u8(b, DELIVERY_VERSION);
	field_put_u64(b, d->number);
	field_put_u32(b, d->n);
	field_put_u8(b, d->event_type);
	field_put_u32(b, d->state);
	field_put_u32(b, d->tries);
	field_put_u32(b, d->refusals);
	field_put_u32(b, d->attempts);
	field_put_u8(b, d->reason);
	field_put_i64(b, d->created);
	field_put_i64(b, d->next);
}

bool
record_get_delivery(struct slice value, struct delivery_row *d)
{
	struct field_reader r = start(value, DELIVERY_VERSION);

	d->number = field_u64(&r);
	d->n = field_u32(&r);
	d->event_type = field_u8(&r);
	d->state = (enum delivery_state)field_limited(&r, DELIVERY_DEAD);
	d->tries = field_u32(&r);
	d->refusals = field_u32(&r);
	d->attempts = field_u32(&r);
	d->reason = field_u8(&r);
	d->created = field_i64(&r);
	d->next = field_i64(&r);
	return field_end(&r);
}

void
record_put_lane(struct buf *b, const struct lane_row *l)
{
	field_put_u8(b, LANE_VERSION);
	field_put_id(b, &l->delivery);
	field_put_i64(b, l->due);
}

bool
record_get_lane(struct slice value, struct lane_row *l)
{
	struct field_reader r = start(value, LANE_VERSION);

	l->delivery = field_id(&r);
	l->due = field_i64(&r);
	return field_end(&r);
}

void
record_put_attempt(struct buf *b, const struct attempt_row *a)
{
	field_put_u8(b, ATTEMPT_VERSION);
	field_put_i64(b, a->wall);
	field_put_u8(b, a->reason);
	field_put_bool(b, a->reused);
	field_put_u32(b, a->status);
	field_put_u32(b, a->lookup);
	field_put_u32(b, a->connect);
	field_put_u32(b, a->tls);
	field_put_u32(b, a->first_byte);
	field_put_u32(b, a->total);
}

bool
record_get_attempt(struct slice value, struct attempt_row *a)
{
	struct field_reader r = start(value, ATTEMPT_VERSION);

	a->wall = field_i64(&r);
	a->reason = field_u8(&r);
	a->reused = field_bool(&r);
	a->status = (uint16_t)field_limited(&r, UINT16_MAX);
	a->lookup = field_u32(&r);
	a->connect = field_u32(&r);
	a->tls = field_u32(&r);
	a->first_byte = field_u32(&r);
	a->total = field_u32(&r);
	return field_end(&r);
}

void
record_put_note(struct buf *b, const struct note_row *n)
{
	field_put_u8(b, NOTE_VERSION);
	field_put_i64(b, n->wall);
	field_put_slice(b, n->user);
	field_put_slice(b, n->text);
}

bool
record_get_note(struct slice value, struct note_row *n)
{
	struct field_reader r = start(value, NOTE_VERSION);

	n->wall = field_i64(&r);
	n->user = field_slice(&r);
	n->text = field_slice(&r);
	return field_end(&r);
}
