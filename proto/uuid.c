/*
 * 128-bit ids and their texts.
 *
 * Version 7 as issued here (RFC 9562 §5.7):
 *
 *     byte   0 .. 5        6          7        8              9       10 .. 15
 *            milliseconds  7|counter  counter  10|random (6)  node    random
 *
 * In base 57 an id takes 22 digits, since 57^22 is a little above 2^128. The alphabet leaves out
 * what looks alike: 0 O 1 I l.
 */
#include "proto/uuid.h"

static const char base57[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

enum { BASE = sizeof base57 - 1, DIGITS = ID22_TEXT - 1 };

/* So many digits fit 64 bits, in which the processor divides fastest: 57^8. */
enum { GROUP = 8 };
#define GROUP_BASE UINT64_C(111429157112001)

#define EACH(byte) ((byte) * UINT64_C(0x0101010101010101))

/* Four bytes as eight digits, all at once: each gets a byte of its own, then 'a' - '0' - 10 is
 * added where it is 10 or more, that is where 6 more reach 16. */
static void
put_digits(char out[8], const uint8_t bytes[4])
{
	uint64_t v = get_u32(bytes);

	v = (v << 16 | v) & UINT64_C(0x0000FFFF0000FFFF);
	v = (v << 8 | v) & UINT64_C(0x00FF00FF00FF00FF);
	v = (v << 4 | v) & UINT64_C(0x0F0F0F0F0F0F0F0F);
	v += EACH('0') + (((v + EACH(6)) >> 4) & EACH(1)) * ('a' - '0' - 10);
	put_u64((uint8_t *)out, v);
}

void
uuid_hex(const struct uuid *id, char out[UUID_HEX])
{
	for (int i = 0; i < 4; i++)
		put_digits(out + (ptrdiff_t)8 * i, id->b + (ptrdiff_t)4 * i);
	out[UUID_HEX - 1] = '\0';
}

/* A dash stands before these bytes. */
static bool
starts_group(int byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void
uuid_text(const struct uuid *id, char out[UUID_TEXT])
{
	char digits[UUID_HEX];

	uuid_hex(id, digits);
	memcpy(out, digits, 8);
	out[8] = '-';
	memcpy(out + 9, digits + 8, 4);
	out[13] = '-';
	memcpy(out + 14, digits + 12, 4);
	out[18] = '-';
	memcpy(out + 19, digits + 16, 4);
	out[23] = '-';
	memcpy(out + 24, digits + 20, 12);
	out[36] = '\0';
}

bool
uuid_parse(struct slice s, struct uuid *id)
{
	bool dashed = s.n == UUID_TEXT - 1;
	const char *p = s.p;

	if (!dashed && s.n != UUID_HEX - 1)
		return false;
	for (int i = 0; i < 16; i++, p += 2) {
		int high, low;

		if (dashed && starts_group(i) && *p++ != '-')
			return false;
		high = ascii_hex(p[0]);
		low = ascii_hex(p[1]);
		if (high < 0 || low < 0)
			return false;
		id->b[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void
id22_text(const struct uuid *id, char out[ID22_TEXT])
{
	unsigned __int128 v = (unsigned __int128)get_u64(id->b) << 64 | get_u64(id->b + 8);

	out[DIGITS] = '\0';
	for (int end = DIGITS; end > 0; end -= GROUP, v /= GROUP_BASE) {
		uint64_t group = (uint64_t)(v % GROUP_BASE);

		for (int i = end - 1; i >= 0 && i >= end - GROUP; i--, group /= BASE)
			out[i] = base57[group % BASE];
	}
}

bool
id22_parse(struct slice s, struct uuid *id)
{
	const unsigned __int128 most = ~(unsigned __int128)0;
	unsigned __int128 v = 0;

	if (s.n != DIGITS)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		const char *found = s.p[i] == '\0' ? NULL : strchr(base57, s.p[i]);
		unsigned digit = found == NULL ? BASE : (unsigned)(found - base57);

		if (digit == BASE || v > (most - digit) / BASE)
			return false;
		v = v * BASE + digit;
	}
	put_u64(id->b, (uint64_t)(v >> 64));
	put_u64(id->b + 8, (uint64_t)v);
	return true;
}

struct uuid
uuid_v7(uint64_t ms, uint32_t counter, const uint8_t random[8], uint8_t node)
{
	struct uuid id;

	put_u64(id.b, ms << 16 | 0x7000 | (counter & 0xFFF));
	id.b[8] = 0x80 | (random[0] & 0x3F);
	id.b[9] = node;
	memcpy(id.b + 10, random + 1, 6);
	return id;
}

uint64_t
uuid_v7_ms(const struct uuid *id)
{
	return get_u64(id->b) >> 16;
}

struct uuid
uuid_v7_after(const struct uuid *id, uint32_t n)
{
	uint64_t head = get_u64(id->b);
	uint64_t tick = ((head >> 16) << 12 | (head & 0xfff)) + n;
	struct uuid after = *id;

	put_u64(after.b, (tick >> 12) << 16 | 0x7000 | (tick & 0xfff));
	return after;
}

void
uuid_next(struct uuid *id)
{
	for (int i = 15; i >= 0 && ++id->b[i] == 0; i--)
		continue;
}

void
uuid_previous(struct uuid *id)
{
	for (int i = 15; i >= 0 && id->b[i]-- == 0; i--)
		continue;
}
