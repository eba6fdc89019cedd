/*
 * The properties of http_read_request() and http_read_response() that hold for any input. Both have
 * the same shape, so the targets differ in the reader and in what its head must be like.
 */
#ifndef FUZZ_HTTP_HEAD_H
#define FUZZ_HTTP_HEAD_H

#include "proto/http_read.h"
#include "test/fuzz/check.h"

enum { HEAD_LIMIT = 4096 };

typedef int read_head(struct slice, size_t limit, size_t *scanned, struct http_head *);

static inline void
check_common(struct slice in, const struct http_head *head)
{
	CHECK(head->count <= HTTP_HEADERS_MAX);
	for (size_t i = 0; i < head->count; i++) {
		CHECK(head->headers[i].name.n > 0);
		CHECK(lies_in(head->headers[i].name, in) && lies_in(head->headers[i].value, in));
		CHECK(memchr(head->headers[i].value.p, '\n', head->headers[i].value.n) == NULL);
	}
	CHECK(head->minor == 0 || head->minor == 1);
	CHECK(head->length >= -1 && head->length <= INT64_C(9999999999));
	CHECK(!head->chunked || (head->length == -1 && head->minor == 1));
}

/* Byte by byte with one *scanned, as from a slow connection: the same verdict, at the latest when
 * all is there, and when it comes it is final. */
static inline void
check_trickle(read_head *read, struct slice in, int whole)
{
	static struct http_head head;
	size_t scanned = 0;
	int got = 0;

	for (size_t n = 0; n <= in.n && got == 0; n++)
		got = read((struct slice){in.p, n}, HEAD_LIMIT, &scanned, &head);
	CHECK(got == whole);
}

/* A shorter input alone knows less, and never something else. */
static inline void
check_prefixes(read_head *read, struct slice in, int whole)
{
	static struct http_head head;

	for (size_t n = 0; n < in.n; n += 1 + n / 16) {
		char *copy = copy_exactly(in.p, n);
		size_t scanned = 0;
		int got = read((struct slice){copy, n}, HEAD_LIMIT, &scanned, &head);

		CHECK(got == 0 || got == whole);
		free(copy);
	}
}

#endif
