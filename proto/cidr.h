/*
 * Networks, and the addresses an outgoing connection may not reach unless one is opened for it
 * (CONTRACT §8): loopback, private, link-local (with the clouds' metadata), CGNAT, multicast,
 * reserved, in IPv4, IPv6 and IPv4 inside IPv6 (mapped, compatible, NAT64, 6to4, Teredo).
 */
#ifndef PROTO_CIDR_H
#define PROTO_CIDR_H

#include "proto/base.h"

/* An address as 16 bytes; IPv4 is ::ffff:a.b.c.d. */
struct address {
	uint8_t b[16];
};

struct cidr {
	struct address net;
	int bits; /* of 128: an IPv4 /8 is 104 */
};

/* "10.0.0.0/8", "::1/128", or an address alone. Bits behind the prefix must be zero. */
bool cidr_parse(struct slice, struct cidr *) MUST NONNULL;
bool cidr_has(const struct cidr *, const struct address *) NONNULL;

bool address_parse(struct slice, struct address *) MUST NONNULL; /* no brackets, no zone */
struct address address_ipv4(const uint8_t b[4]) NONNULL;
bool address_is_ipv4(const struct address *) NONNULL;
void address_text(const struct address *, char out[46]) NONNULL;

bool address_is_none(const struct address *) NONNULL; /* all zero */
bool address_is_loopback(const struct address *) NONNULL; /* 127.0.0.0/8, ::1 */

/* True for addresses of the kinds above. */
bool address_is_special(const struct address *) NONNULL;

#endif
