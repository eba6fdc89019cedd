/*
 * From whom a request comes when proxies stand in between (CONTRACT §10): X-Forwarded-For, or
 * Forwarded (RFC 7239), believed as far as the proxies are trusted.
 *
 *     X-Forwarded-For: 203.0.113.9, 192.0.2.7, 10.0.0.2        connection from 10.0.0.1
 *                      anybody's    the client ◀─ trusted ◀──── trusted
 *
 * Each proxy adds at the right from whom it had the request, so the walk goes from the right, as
 * long as who speaks is trusted; what stands to the left of the client was written by the client.
 *
 * Where both headers are there, X-Forwarded-For is the one: it is what proxies write, while most of
 * them pass a Forwarded on as the client sent it. An element that is no address (a name such as
 * "unknown" or "_hidden", or anything that does not parse) ends the walk: the client is then who is
 * known last, a proxy.
 */
#ifndef PROTO_FORWARDED_H
#define PROTO_FORWARDED_H

#include "proto/cidr.h"
#include "proto/http_read.h"

enum { FORWARDED_HOPS = 32 }; /* the walk is never longer */

/* peer is who the connection comes from; all zero (a unix socket's) is trusted as soon as anybody
 * is. */
struct address forwarded_client(const struct http_head *, struct address peer,
    const struct cidr *trusted, size_t count);

/* Whether a trusted proxy asks on behalf of another: it sent one of the headers, whatever stands in
 * it. */
bool forwarded_is(const struct http_head *, const struct address *peer, const struct cidr *trusted,
    size_t count) MUST;

#endif
