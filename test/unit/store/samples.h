/*
 * One row of every type with every field set to something of its own, so that two fields that
 * changed places are seen.
 */
#ifndef TEST_UNIT_STORE_SAMPLES_H
#define TEST_UNIT_STORE_SAMPLES_H

#include "store/record.h"

#define SAMPLE_A {{0xa1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}
#define SAMPLE_B {{0xb1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}
#define SAMPLE_C {{0xc1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}

static const struct meta sample_meta = {
	.next_number = 0x1001, .applied = 0x1002, .next_pending = 0x1003, .next_name = 0x1004,
	.last_id = SAMPLE_A, .heads_from = SAMPLE_B, .paused = true, .boot_id = {0xd1, 0xd2},
	.boot_time = -5, .steady = 0x1006, .conf_print = 0x1007,
};
static const struct name_row sample_name = {
	.id = 0x2001, .seen = 0x2002, .paused = true,
};
static const struct trace_row sample_trace = {
	.state = TRACE_FAILED, .created = true, .suppressed = false, .integration = 0x3001,
	.alert = SAMPLE_A, .number = 0x3002, .unique_id = SAMPLE_B, .event = SAMPLE_C,
	.error = {"Your service is under maintenance", 33},
};
static const struct alert_row sample_alert = {
	.number = 0x4001, .previous = SAMPLE_A, .integration = 0x4002, .type = 3,
	.suppressed = true, .wall = 0x4003, .entity_id = {"db-1", 4}, .rules = {"[0, 2]", 6},
	.fields = {"{\"message\": \"down\"}", 19},
};
static const struct incident_row sample_incident = {
	.unique_id = SAMPLE_A, .service = 0x5001, .integration = 0x5002, .status = 2, .urgency = 1,
	.created = 0x5003, .acknowledged = 0x5004, .resolved = 0x5005, .resolved_steady = 0x5006,
	.head = SAMPLE_B, .last_event = SAMPLE_C, .events = 0x5007, .title = {"title", 5},
	.summary = {"", 0}, .incident_key = {"key", 3}, .priority = {"p", 1}, .sla = {"sl", 2},
	.escalation_policy = {"ep", 2}, .tags = {"[]", 2}, .assigned_to = {"ann", 3},
	.task_template = {"tt", 2},
};
static const struct open_row sample_open = {
	.service = 0x6001, .status = 1, .triggered = 0x6002, .acknowledged = 0x6003,
	.created = 0x6004, .head = SAMPLE_A, .key_count = 2,
	.keys = {{0x6005, {"db-1", 4}}, {0x6006, {"db-2", 4}}},
};
static const struct event_row sample_event = {
	.number = 0x7001, .n = 0x7002, .type = 4, .wall = 0x7003, .previous = SAMPLE_A,
	.body = {"{\"payload\": {}}", 15},
};
static const struct delivery_row sample_delivery = {
	.number = 0x8001, .n = 0x8002, .event_type = 1, .state = DELIVERY_DEAD, .tries = 0x8003,
	.refusals = 0x8004, .attempts = 0x8005, .reason = 9, .created = 0x8006, .next = 0x8007,
};
static const struct lane_row sample_lane = {.delivery = SAMPLE_A, .due = 0x9001};
static const struct attempt_row sample_attempt = {
	.wall = 0xa001, .reason = 2, .reused = true, .status = 503, .lookup = 0xa002,
	.connect = 0xa003, .tls = 0xa004, .first_byte = 0xa005, .total = 0xa006,
};
static const struct note_row sample_note = {
	.wall = 0xb001, .user = {"ops", 3}, .text = {"looking", 7},
};

#endif
