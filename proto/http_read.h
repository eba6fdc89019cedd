/*
 * HTTP/1.1 heads and chunks, read strictly (RFC 9112): lines end in CRLF; names are tokens directly
 * followed by a colon; no folding, no NUL, no control characters in values; versions 1.0 and 1.1
 * only; at most one Content-Length, of 1 to 10 digits; Transfer-Encoding is exactly "chunked", on
 * 1.1 only, never beside a Content-Length; exactly one Host on a 1.1 request; a target of visible
 * ASCII.
 *
 * Pure: slices in, slices out. Every reader returns the number of bytes used (> 0), 0 when more are
 * needed, or minus the HTTP status that answers the fault (a response's are -431 and -502). After
 * a fault the connection cannot go on.
 */
#ifndef PROTO_HTTP_READ_H
#define PROTO_HTTP_READ_H

#include "proto/base.h"

enum { HTTP_HEADERS_MAX = 100 };

struct http_header {
	struct slice name;
	struct slice value; /* without the white space around it */
};

struct http_head {
	struct slice method; /* requests: a token */
	struct slice target; /* requests: starts with '/', or is "*" or an absolute URI */
	struct slice path;   /* requests: target up to '?' */
	struct slice query;  /* requests: target behind '?', else empty */
	int status;          /* responses: 100 to 599 */
	int minor;           /* HTTP/1.minor: 0 or 1 */
	bool keep_alive;     /* from the version and all Connection headers' tokens */
	bool chunked;        /* Transfer-Encoding: chunked */
	bool expect_continue; /* requests: Expect: 100-continue (another expectation is -417) */
	int64_t length;      /* Content-Length, or -1 */
	size_t count;
	struct http_header headers[HTTP_HEADERS_MAX];
};

/*
 * Reads one head from in. limit is the most bytes a head may have, its empty line included; beyond
 * it, or beyond HTTP_HEADERS_MAX headers, -431. An over-long request line alone is -431 too.
 * *scanned belongs to the caller, starts at 0, and keeps the place up to which no end was found, so
 * that bytes that trickle in are looked at once; it is set back to 0 when a head was read.
 * One empty line before a request line is skipped, as RFC 9112 §2.2 asks.
 */
int http_read_request(struct slice in, size_t limit, size_t *scanned, struct http_head *)
    MUST NONNULL;
int http_read_response(struct slice in, size_t limit, size_t *scanned, struct http_head *)
    MUST NONNULL;

/* The value of the one header of that name (any case); {NULL, 0} if there is none. The first, if
 * there are several. */
struct slice http_header(const struct http_head *, const char *name) NONNULL;

/* A chunked body, decoded in place piece by piece. All zero at its start. */
struct http_chunks {
	uint64_t left;  /* bytes of the current chunk still to come */
	int state;
	int digits;     /* of the current size, 0 outside of it */
	size_t overhead; /* bytes of extensions and trailers seen; more than 16 KiB is refused */
};

/*
 * Decodes what is in data[0..*n). Afterwards data[0..*out) is body, and data[used..*n) is still
 * encoded, with used the result (0 if not even one byte could be used). *done is set behind the
 * last chunk and its trailers (which are dropped). -400 on a fault.
 */
int http_chunks_read(struct http_chunks *, char *data, size_t n, size_t *out, bool *done)
    MUST NONNULL;

/* True if value is a comma-separated list that has token, in any case. */
bool http_list_has(struct slice value, const char *token) NONNULL;

#endif
