/*
 * The bytes of a record's fields, written and read in order: integers big-endian, a slice as its
 * u32 length and its bytes. Reading past the end sets `bad`, which sticks; one look at the end
 * (field_end) is enough. Shared by the rows of the store and by records that wait in `pending`.
 */
#ifndef STORE_FIELD_H
#define STORE_FIELD_H

#include "proto/buf.h"
#include "proto/uuid.h"

struct field_reader {
	const uint8_t *p;
	size_t left;
	bool bad;
};

void field_put_u8(struct buf *, uint8_t) NONNULL;
void field_put_u32(struct buf *, uint32_t) NONNULL;
void field_put_u64(struct buf *, uint64_t) NONNULL;
void field_put_i64(struct buf *, int64_t) NONNULL;
void field_put_bool(struct buf *, bool) NONNULL;
void field_put_id(struct buf *, const struct uuid *) NONNULL;
void field_put_slice(struct buf *, struct slice) NONNULL;

struct field_reader field_read(struct slice) MUST;
uint8_t field_u8(struct field_reader *) NONNULL;
uint32_t field_u32(struct field_reader *) NONNULL;
uint64_t field_u64(struct field_reader *) NONNULL;
int64_t field_i64(struct field_reader *) NONNULL;
bool field_bool(struct field_reader *) NONNULL; /* anything but 0 and 1 is bad */
struct uuid field_id(struct field_reader *) NONNULL;
struct slice field_slice(struct field_reader *) NONNULL;
bool field_end(const struct field_reader *) NONNULL; /* all read, nothing bad, nothing left over */

#endif
