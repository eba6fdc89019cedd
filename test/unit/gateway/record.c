/* An alert's record as it waits in `pending`: every field comes back, nothing else is accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/record.h"

static const struct record sample = {
    .kind = RECORD_ALERT,
    .wall = -5,
    .steady = 1763715600000001,
    .id = {{1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, 16}},
    .salt = {0xff, 0, 1, 2, 3, 4, 5, 0xfe},
    .alert = {.trace = {{0x11}},
	      .alert_id = {{0x22}},
	      .integration = 0xfffefdfc,
	      .alert = {.type = ALERT_RESOLVED,
			.suppressed = true,
			.urgency = 1,
			.message = {"mess\0age", 8},
			.summary = {"summary", 7},
			.entity_id = {"entity", 6},
			.sla = {"sla", 3},
			.escalation_policy = {"policy", 6},
			.priority = {"priority", 8},
			.tags = {"[\"tag\"]", 7},
			.assigned_to = {"ada", 3},
			.task_template = {"template", 8},
			.notes = {"\0\0\0\1n", 5},
			.fields = {"{\"a\": 1}", 8}},
	      .failure = {"failure", 7},
	      .rules = {"[1]", 3},
	      .similar = {"similar", 7}}};

static struct buf
encode(const struct record *record)
{
	struct buf bytes;

	buf_init(&bytes, 1 << 20);
	record_encode(&bytes, record);
	assert_false(bytes.failed);
	return bytes;
}

#define assert_text(a, b) assert_true(slice_is((a), (b)))

static void
assert_same_alert(const struct alert *a, const struct alert *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->suppressed, b->suppressed);
	assert_int_equal(a->urgency, b->urgency);
	assert_text(a->message, b->message);
	assert_text(a->summary, b->summary);
	assert_text(a->entity_id, b->entity_id);
	assert_text(a->sla, b->sla);
	assert_text(a->escalation_policy, b->escalation_policy);
	assert_text(a->priority, b->priority);
	assert_text(a->tags, b->tags);
	assert_text(a->assigned_to, b->assigned_to);
	assert_text(a->task_template, b->task_template);
	assert_text(a->notes, b->notes);
	assert_text(a->fields, b->fields);
}

static void
assert_round_trip(const struct record *in)
{
	struct buf bytes = encode(in);
	struct record out;

	memset(&out, 0x5a, sizeof out);
	assert_true(record_decode(buf_slice(&bytes), &out));
	assert_int_equal(out.kind, in->kind);
	assert_int_equal(out.wall, in->wall);
	assert_int_equal(out.steady, in->steady);
	assert_memory_equal(out.id.b, in->id.b, sizeof in->id.b);
	assert_memory_equal(out.salt, in->salt, sizeof in->salt);
	assert_memory_equal(out.alert.trace.b, in->alert.trace.b, sizeof in->alert.trace.b);
	assert_memory_equal(out.alert.alert_id.b, in->alert.alert_id.b,
			    sizeof in->alert.alert_id.b);
	assert_int_equal(out.alert.integration, in->alert.integration);
	assert_text(out.alert.failure, in->alert.failure);
	assert_text(out.alert.similar, in->alert.similar);
	assert_text(out.alert.rules, in->alert.rules);
	assert_same_alert(&out.alert.alert, &in->alert.alert);
	buf_free(&bytes);
}

static void
test_record_round_trip(void **state)
{
	struct record record = sample;

	(void)state;
	assert_round_trip(&record);
	record.alert.failure = record.alert.rules = (struct slice){NULL, 0};
	record.alert.alert = (struct alert){.message = {"m", 1}};
	for (int type = ALERT_INFO; type <= ALERT_RESOLVED; type++)
		for (int urgency = -1; urgency <= 1; urgency++) {
			record.alert.alert.type = (enum alert_type)type;
			record.alert.alert.urgency = urgency;
			assert_round_trip(&record);
		}
}

/* Each beginning of it, in memory of just that length, so that a sanitizer sees a byte too far. */
static void
test_record_truncated(void **state)
{
	struct buf bytes = encode(&sample);
	struct record out;

	(void)state;
	for (size_t n = 0; n < bytes.n; n++) {
		char *part = malloc(n + (n == 0));

		assert_non_null(part);
		memcpy(part, bytes.p, n);
		assert_false(record_decode((struct slice){part, n}, &out));
		free(part);
	}
	buf_putc(&bytes, '\0');
	assert_false(record_decode(buf_slice(&bytes), &out)); /* one byte too many */
	buf_free(&bytes);
}

static void
test_record_refused(void **state)
{
	enum { VERSION_AT = 0, KIND_AT = 1, TYPE_AT = 2 + 16 + 16 + 8 + 32 + 4, SUPPRESSED_AT };
	static const struct {
		size_t at;
		uint8_t good, bad;
	} cases[] = {{VERSION_AT, 1, 0},
		     {VERSION_AT, 1, 2},
		     {VERSION_AT, 1, 255},
		     {KIND_AT, RECORD_ALERT, 0},
		     {KIND_AT, RECORD_ALERT, RECORD_TICK},
		     {KIND_AT, RECORD_ALERT, RECORD_OUTCOME},
		     {KIND_AT, RECORD_ALERT, 255},
		     {TYPE_AT, ALERT_RESOLVED, ALERT_RESOLVED + 1},
		     {TYPE_AT, ALERT_RESOLVED, 255},
		     {SUPPRESSED_AT, 1, 2}};
	struct buf bytes = encode(&sample);
	struct record out;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal((uint8_t)bytes.p[cases[i].at], cases[i].good);
		bytes.p[cases[i].at] = (char)cases[i].bad;
		assert_false(record_decode(buf_slice(&bytes), &out));
		bytes.p[cases[i].at] = (char)cases[i].good;
	}
	assert_true(record_decode(buf_slice(&bytes), &out));
	buf_free(&bytes);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_record_round_trip),
						  cmocka_unit_test(test_record_truncated),
						  cmocka_unit_test(test_record_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
