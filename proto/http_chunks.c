/*
 * Chunked bodies, decoded in place, as strictly as heads are read.
 *
 * A machine of small states that takes a byte at a time, except in data, which moves in one piece;
 * so it does not matter where the network cut the pieces.
 *
 *     SIZE --;--> EXTENSION --CR--> SIZE_LF -----> DATA --> DATA_CR --> DATA_LF --> SIZE
 *         `-----------CR-----------^   |
 *                                      | size 0
 *                                      v
 *                TRAILER_LF -------> TRAILER --CR--> LAST_LF --> DONE
 *                    ^                 |
 *                   CR                 v
 *              TRAILER_VALUE <--:-- TRAILER_NAME
 */
#include "proto/http_byte.h"
#include "proto/http_read.h"

#include <limits.h>

enum {
	SIZE_DIGITS_MAX = 15, /* cannot overflow 64 bits */
	OVERHEAD_MAX = 16 * 1024,
};

enum chunk_state {
	SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF,
	TRAILER, TRAILER_NAME, TRAILER_VALUE, TRAILER_LF, LAST_LF, DONE, BROKEN,
};

static int
hex_value(char c)
{
	if (http_byte_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum chunk_state
step_size(struct http_chunks *c, char byte)
{
	int value = hex_value(byte);

	if (value >= 0 && c->digits < SIZE_DIGITS_MAX) {
		c->left = c->left << 4 | (unsigned)value;
		c->digits++;
		return SIZE;
	}
	if (c->digits == 0 || (byte != ';' && byte != '\r'))
		return BROKEN;
	c->digits = 0;
	return byte == ';' ? EXTENSION : SIZE_LF;
}

/* Extensions and trailers: skipped, but of limited size, and no place to hide a line in. */
static enum chunk_state
step_overhead(struct http_chunks *c, char byte)
{
	bool in_name = http_byte_is(byte, IN_NAME), in_value = http_byte_is(byte, IN_VALUE);

	if (++c->overhead > OVERHEAD_MAX)
		return BROKEN;
	switch ((enum chunk_state)c->state) {
	case EXTENSION:
		return in_value ? EXTENSION : byte == '\r' ? SIZE_LF : BROKEN;
	case TRAILER:
		return in_name ? TRAILER_NAME : byte == '\r' ? LAST_LF : BROKEN;
	case TRAILER_NAME:
		return in_name ? TRAILER_NAME : byte == ':' ? TRAILER_VALUE : BROKEN;
	case TRAILER_VALUE:
		return in_value ? TRAILER_VALUE : byte == '\r' ? TRAILER_LF : BROKEN;
	case TRAILER_LF:
		return byte == '\n' ? TRAILER : BROKEN;
	default:
		return BROKEN;
	}
}

static enum chunk_state
step(struct http_chunks *c, char byte)
{
	switch ((enum chunk_state)c->state) {
	case SIZE:
		return step_size(c, byte);
	case SIZE_LF:
		return byte != '\n' ? BROKEN : c->left > 0 ? DATA : TRAILER;
	case DATA_CR:
		return byte == '\r' ? DATA_LF : BROKEN;
	case DATA_LF:
		return byte == '\n' ? SIZE : BROKEN;
	case LAST_LF:
		return byte == '\n' ? DONE : BROKEN;
	default:
		return step_overhead(c, byte);
	}
}

/* Moves what there is of a chunk's data to where the body ends. */
static size_t
take_data(struct http_chunks *c, char *to, const char *from, size_t n)
{
	size_t part = c->left < n ? (size_t)c->left : n;

	memmove(to, from, part);
	c->left -= part;
	if (c->left == 0)
		c->state = DATA_CR;
	return part;
}

int
http_chunks_read(struct http_chunks *c, char *data, size_t n, size_t *out, bool *done)
{
	size_t at = 0;

	*out = 0;
	*done = false;
	if (n > INT_MAX)
		n = INT_MAX;
	while (at < n && c->state != DONE) {
		if (c->state == DATA) {
			size_t part = take_data(c, data + *out, data + at, n - at);

			*out += part;
			at += part;
			continue;
		}
		c->state = step(c, data[at++]);
		if (c->state == BROKEN)
			return -400;
	}
	*done = c->state == DONE;
	return (int)at;
}
