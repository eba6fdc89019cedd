/*
 * Fields in order: the alphabet of every stored record.
 *
 *	u8 bool   1 byte
 *	u32       4 bytes, big-endian
 *	u64 i64   8 bytes, big-endian; a negative i64 as its two's complement
 *	id       16 bytes
 *	slice     u32 length, then that many bytes
 *
 * A reader that ran past the end gives zeroes and empty slices from then on, so a decoder reads
 * all its fields without looking and asks field_end() once.
 */
#include "store/field.h"

void
field_put_u8(struct buf *b, uint8_t v)
{
	buf_put(b, &v, 1);
}

void
field_put_u32(struct buf *b, uint32_t v)
{
	uint8_t bytes[4];

	put_u32(bytes, v);
	buf_put(b, bytes, sizeof bytes);
}

void
field_put_u64(struct buf *b, uint64_t v)
{
	uint8_t bytes[8];

	put_u64(bytes, v);
	buf_put(b, bytes, sizeof bytes);
}

void
field_put_i64(struct buf *b, int64_t v)
{
	field_put_u64(b, (uint64_t)v);
}

void
field_put_bool(struct buf *b, bool v)
{
	field_put_u8(b, v ? 1 : 0);
}

void
field_put_id(struct buf *b, const struct uuid *id)
{
	buf_put(b, id->b, sizeof id->b);
}

void
field_put_slice(struct buf *b, struct slice s)
{
	if (s.n > UINT32_MAX) {
		b->failed = true;
		return;
	}
	field_put_u32(b, (uint32_t)s.n);
	buf_put_slice(b, s);
}

struct field_reader
field_read(struct slice s)
{
	return (struct field_reader){.p = (const uint8_t *)s.p, .left = s.n};
}

/* The next n bytes; NULL, and bad from then on, when there are fewer. */
static const uint8_t *
take(struct field_reader *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || n > r->left) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

uint8_t
field_u8(struct field_reader *r)
{
	const uint8_t *p = take(r, 1);

	return p == NULL ? 0 : *p;
}

uint32_t
field_u32(struct field_reader *r)
{
	const uint8_t *p = take(r, 4);

	return p == NULL ? 0 : get_u32(p);
}

uint64_t
field_u64(struct field_reader *r)
{
	const uint8_t *p = take(r, 8);

	return p == NULL ? 0 : get_u64(p);
}

int64_t
field_i64(struct field_reader *r)
{
	return (int64_t)field_u64(r);
}

bool
field_bool(struct field_reader *r)
{
	uint8_t v = field_u8(r);

	if (v > 1)
		r->bad = true;
	return v == 1;
}

struct uuid
field_id(struct field_reader *r)
{
	struct uuid id = {{0}};
	const uint8_t *p = take(r, sizeof id.b);

	if (p != NULL)
		memcpy(id.b, p, sizeof id.b);
	return id;
}

struct slice
field_slice(struct field_reader *r)
{
	uint32_t n = field_u32(r);
	const uint8_t *p = take(r, n);

	return p == NULL ? (struct slice){NULL, 0} : (struct slice){(const char *)p, n};
}

bool
field_end(const struct field_reader *r)
{
	return !r->bad && r->left == 0;
}
