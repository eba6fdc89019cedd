/* What a byte may be part of in a head, a chunk's extension or a trailer
 * (RFC 9110 §5.5, §5.6.2). */
#ifndef PROTO_HTTP_BYTE_H
#define PROTO_HTTP_BYTE_H

#include "proto/base.h"

enum {
	IN_NAME = 1,   /* methods and header names: token characters */
	IN_TARGET = 2, /* request targets: visible ASCII */
	IN_VALUE = 4,  /* header values: the same, space, tab, and bytes from 0x80 on */
};

extern const uint8_t http_byte_class[256];

static inline bool
http_byte_is(char c, int part)
{
	return (http_byte_class[(uint8_t)c] & part) != 0;
}

static inline bool
http_byte_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

#endif
