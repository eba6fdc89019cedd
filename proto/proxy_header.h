/*
 * The header that a balancer puts in front of a connection to say for whom it is: the PROXY
 * protocol, versions 1 (a line of text) and 2 (binary).
 *
 * Read strictly: one space between the parts of version 1, ports without leading zeros, at most the
 * 107 bytes of its specification; of version 2 the commands LOCAL and PROXY, the families that TCP
 * can have, and at most 4096 bytes with everything behind the addresses, which is skipped.
 *
 * Pure: a slice in, bytes used out.
 */
#ifndef PROTO_PROXY_HEADER_H
#define PROTO_PROXY_HEADER_H

#include "proto/cidr.h"

enum { PROXY_HEADER_MAX = 4096, PROXY_LINE_MAX = 107 };

struct proxy_header {
	bool own;              /* the balancer speaks for itself (LOCAL) */
	bool known;            /* false: it does so, or does not say for whom */
	struct address client; /* if known */
};

/* The bytes that the header has (> 0), 0 while more are needed, -1 when this is no such header.
 * With PROXY_HEADER_MAX bytes there is nothing more to wait for. */
int proxy_header_read(struct slice in, struct proxy_header *) MUST NONNULL;

#endif
