/* Inside of the dump: its state, and what prints one member of a row's object. */
#ifndef GATEWAY_DUMP_PARTS_H
#define GATEWAY_DUMP_PARTS_H

#include "gateway/dump.h"
#include "proto/json_write.h"
#include "store/field.h"

struct dump_name {
	enum name_kind kind;
	uint32_t id;
	struct slice text; /* in the snapshot */
};

struct dump {
	struct json_writer w; /* onto row */
	struct buf row;
	bool payload;
	bool failed;             /* no memory */
	struct dump_name *names; /* sorted by kind and id */
	size_t name_count, name_room;
};

/* Reads all names; false without memory. */
bool dump_load_names(struct dump *, struct txn *) MUST NONNULL;

/* "name": a text as far as it is UTF-8, a number, the word at that place (else the number), what
 * the number stands for in names (else the number). */
void dump_put_text(struct dump *, const char *name, struct slice) NONNULL;
void dump_put_number(struct dump *, const char *name, uint64_t) NONNULL;
void dump_put_word(struct dump *, const char *name, const char *const *words, size_t count,
    unsigned at) NONNULL;
void dump_put_name(struct dump *, const char *name, enum name_kind, uint32_t id) NONNULL;

/* "name": the part of a key at the reader, which moves behind it. */
typedef void dump_part(struct dump *, const char *name, struct field_reader *);
dump_part dump_part_id, dump_part_id22, dump_part_hash, dump_part_u64, dump_part_u32;
dump_part dump_part_time, dump_part_webhook, dump_part_delivery, dump_part_timer;
dump_part dump_part_text, dump_part_name;

/* "name": the field at the address, whose type is the printer's business. */
typedef void dump_field(struct dump *, const char *name, const void *at);
dump_field dump_bool, dump_u8, dump_u16, dump_u32, dump_u64; /* numbers as wide as that */
dump_field dump_int;                                   /* int */
dump_field dump_us, dump_date;                         /* int64_t */
dump_field dump_number;                                /* uint64_t; 0 is null */
dump_field dump_id, dump_id22;                         /* struct uuid; zero is null */
dump_field dump_boot, dump_salt;                       /* uint8_t[16], [8] */
dump_field dump_text, dump_json, dump_notes;           /* struct slice */
dump_field dump_service, dump_integration;             /* uint32_t */
dump_field dump_trace_state, dump_delivery_state, dump_alert_type; /* enums */
dump_field dump_alert_type8, dump_event, dump_status, dump_reason; /* uint8_t */
dump_field dump_keys;                                  /* struct open_row */

#endif
