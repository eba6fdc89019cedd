/*
 * The bytes of a record in `pending`: a version, the kind, then the fields in the order of the
 * struct. Only alerts wait there. A layout that changes gets a new version here, and the old one
 * stays readable until no store can hold it.
 */
#include "gateway/record.h"

#include "store/field.h"

enum { VERSION = 1 };

static void
put_alert(struct buf *b, const struct record_alert *r)
{
	field_put_id(b, &r->trace);
	field_put_id(b, &r->alert_id);
	field_put_u32(b, r->integration);
	field_put_u8(b, (uint8_t)r->alert.type);
	field_put_bool(b, r->alert.suppressed);
	field_put_u8(b, (uint8_t)(r->alert.urgency + 1));
	field_put_slice(b, r->alert.message);
	field_put_slice(b, r->alert.summary);
	field_put_slice(b, r->alert.entity_id);
	field_put_slice(b, r->alert.sla);
	field_put_slice(b, r->alert.escalation_policy);
	field_put_slice(b, r->alert.priority);
	field_put_slice(b, r->alert.tags);
	field_put_slice(b, r->alert.assigned_to);
	field_put_slice(b, r->alert.task_template);
	field_put_slice(b, r->alert.notes);
	field_put_slice(b, r->alert.fields);
	field_put_slice(b, r->failure);
	field_put_slice(b, r->rules);
	field_put_slice(b, r->similar);
}

static void
get_alert(struct field_reader *f, struct record_alert *r)
{
	r->trace = field_id(f);
	r->alert_id = field_id(f);
	r->integration = field_u32(f);
	r->alert.type = field_u8(f);
	r->alert.suppressed = field_bool(f);
	r->alert.urgency = field_u8(f) - 1;
	r->alert.message = field_slice(f);
	r->alert.summary = field_slice(f);
	r->alert.entity_id = field_slice(f);
	r->alert.sla = field_slice(f);
	r->alert.escalation_policy = field_slice(f);
	r->alert.priority = field_slice(f);
	r->alert.tags = field_slice(f);
	r->alert.assigned_to = field_slice(f);
	r->alert.task_template = field_slice(f);
	r->alert.notes = field_slice(f);
	r->alert.fields = field_slice(f);
	r->failure = field_slice(f);
	r->rules = field_slice(f);
	r->similar = field_slice(f);
}

void
record_encode(struct buf *b, const struct record *r)
{
	field_put_u8(b, VERSION);
	field_put_u8(b, (uint8_t)r->kind);
	field_put_i64(b, r->wall);
	field_put_i64(b, r->steady);
	field_put_id(b, &r->id);
	buf_put(b, r->salt, sizeof r->salt);
	put_alert(b, &r->alert);
}

bool
record_decode(struct slice bytes, struct record *r)
{
	struct field_reader f = field_read(bytes);

	memset(r, 0, sizeof *r);
	if (field_u8(&f) != VERSION || field_u8(&f) != RECORD_ALERT)
		return false;
	r->kind = RECORD_ALERT;
	r->wall = field_i64(&f);
	r->steady = field_i64(&f);
	r->id = field_id(&f);
	put_u64(r->salt, field_u64(&f));
	get_alert(&f, &r->alert);
	return field_end(&f) && r->alert.alert.type <= ALERT_RESOLVED &&
	       r->alert.alert.urgency <= 1;
}
