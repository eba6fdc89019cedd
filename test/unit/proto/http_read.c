/*
 * HTTP heads and chunks: what is read, and above all what is refused. Every input lies at the end
 * of a page that is followed by one without access, so that reading behind it is a crash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proto/http_read.h"

enum { LIMIT = 16 * 1024, GUARDED = 64 * 1024 };

static char *guarded; /* GUARDED bytes, then a page without access */

static int
map_guarded(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	(void)state;
	guarded = mmap(NULL, GUARDED + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);
	if (guarded == MAP_FAILED)
		return -1;
	return mprotect(guarded + GUARDED, page, PROT_NONE);
}

/* A copy of text[0..n) that ends where the accessible memory ends. */
static char *
at_end(const char *text, size_t n)
{
	char *p = guarded + GUARDED - n;

	assert_true(n <= GUARDED);
	memcpy(p, text, n);
	return p;
}

static int
read_request(struct slice in, struct http_head *head)
{
	size_t scanned = 0;

	return http_read_request((struct slice){at_end(in.p, in.n), in.n}, LIMIT, &scanned, head);
}

static int
read_response(struct slice in, struct http_head *head)
{
	size_t scanned = 0;

	return http_read_response((struct slice){at_end(in.p, in.n), in.n}, LIMIT, &scanned, head);
}

#define assert_slice(s, literal)                                                        \
	do {                                                                            \
		struct slice is_ = (s);                                                 \
		assert_int_equal(is_.n, sizeof(literal) - 1);                           \
		assert_memory_equal(is_.n == 0 ? "" : is_.p, literal, is_.n);           \
	} while (0)

static void
test_http_request_fields(void **state)
{
	struct slice in = SLICE("POST /integration/demo1/generic/k/?a=1&b=?2 HTTP/1.1\r\n"
	    "Host: gw.example:8080\r\n"
	    "Content-Length:  12 \t\r\n"
	    "X-Empty:\r\n"
	    "X-Odd!#$%&'*+-.^_`|~: caf\xc3\xa9 \x80\xff\tinner  space\r\n"
	    "\r\nHello, world");
	struct http_head head;

	(void)state;
	assert_int_equal(read_request(in, &head), in.n - 12);
	assert_slice(head.method, "POST");
	assert_slice(head.target, "/integration/demo1/generic/k/?a=1&b=?2");
	assert_slice(head.path, "/integration/demo1/generic/k/");
	assert_slice(head.query, "a=1&b=?2");
	assert_int_equal(head.minor, 1);
	assert_int_equal(head.length, 12);
	assert_false(head.chunked);
	assert_true(head.keep_alive);
	assert_false(head.expect_continue);
	assert_int_equal(head.count, 4);
	assert_slice(head.headers[1].name, "Content-Length");
	assert_slice(head.headers[1].value, "12");
	assert_slice(http_header(&head, "x-empty"), "");
	assert_non_null(http_header(&head, "x-empty").p);
	assert_slice(head.headers[3].value, "caf\xc3\xa9 \x80\xff\tinner  space");
	assert_null(http_header(&head, "X-Absent").p);
}

static void
test_http_request_targets(void **state)
{
	static const struct {
		const char *target, *path, *query;
	} rows[] = {
		{"/", "/", ""},
		{"/?", "/", ""},
		{"/a?b", "/a", "b"},
		{"//a", "//a", ""},
		{"/a%00b/../c", "/a%00b/../c", ""},
		{"*", "*", ""},
		{"http://gw/api/incidents?page=2", "/api/incidents", "page=2"},
		{"HTTP://gw:80/x", "/x", ""},
		{"http://gw", "", ""},
		{"http://gw?q", "", "q"},
	};
	char text[200];
	struct http_head head;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: gw\r\n\r\n",
		    rows[i].target);

		assert_int_equal(read_request((struct slice){text, (size_t)n}, &head), n);
		assert_true(slice_is(head.target, slice_of(rows[i].target)));
		assert_true(slice_is(head.path, slice_of(rows[i].path)));
		assert_true(slice_is(head.query, slice_of(rows[i].query)));
	}
}

static void
test_http_request_keep_alive(void **state)
{
	static const struct {
		const char *version, *headers;
		bool keep;
	} rows[] = {
		{"1.1", "", true},
		{"1.1", "Connection: close\r\n", false},
		{"1.1", "Connection: foo, close\r\n", false},
		{"1.1", "Connection: CLOSE ,foo\r\n", false},
		{"1.1", "Connection: foo\r\nConnection: close\r\n", false},
		{"1.1", "Connection: close\r\nConnection: keep-alive\r\n", false},
		{"1.1", "Connection: closed\r\n", true},
		{"1.1", "Connection: not close\r\n", true},
		{"1.1", "X-Connection: close\r\n", true},
		{"1.0", "", false},
		{"1.0", "Connection: keep-alive\r\n", true},
		{"1.0", "connection: Keep-Alive, foo\r\n", true},
		{"1.0", "Connection: keep-alive, close\r\n", false},
	};
	char text[200];
	struct http_head head;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int n = snprintf(text, sizeof text, "GET / HTTP/%s\r\nHost: gw\r\n%s\r\n",
		    rows[i].version,
		    rows[i].headers);

		assert_int_equal(read_request((struct slice){text, (size_t)n}, &head), n);
		assert_int_equal(head.keep_alive, rows[i].keep);
	}
}

static void
test_http_request_accepted(void **state)
{
#define ROW(literal, ...) {{literal, sizeof(literal) - 1}, __VA_ARGS__}
	static const struct {
		struct slice in;
		int64_t length;
		bool chunked, expect;
	} rows[] = {
		ROW("GET / HTTP/1.0\r\n\r\n", -1, false, false),
		ROW("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", -1, false, false),
		ROW("GET / HTTP/1.1\r\nHost:\r\n\r\n", -1, false, false),
		ROW("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", 3, false, false),
		ROW("HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 0, false, false),
		ROW("POST / HTTP/1.1\r\nhOST: a\r\ncONTENT-lENGTH: 0000000003\r\n\r\n", 3, false,
		    false),
		ROW("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n", 9999999999,
		    false, false),
		ROW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", -1, true,
		    false),
		ROW("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tCHUNKED \r\n\r\n", -1, true,
		    false),
		ROW("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: "
		    "100-Continue\r\n\r\n", 3,
		    false, true),
		ROW("POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", 3,
		    false, false),
	};
	struct http_head head;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(read_request(rows[i].in, &head), rows[i].in.n);
		assert_int_equal(head.length, rows[i].length);
		assert_int_equal(head.chunked, rows[i].chunked);
		assert_int_equal(head.expect_continue, rows[i].expect);
		/* No prefix says anything else than "more" (§2: nothing is answered by halves). */
		for (size_t n = 0; n < rows[i].in.n; n++)
			assert_int_equal(read_request((struct slice){rows[i].in.p, n}, &head), 0);
	}
}

/* One row per way in which two parsers were seen to disagree. */
static void
test_http_request_refused(void **state)
{
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define BAD(why, literal) {why, {literal, sizeof(literal) - 1}, -400}
#define UNMET(why, literal) {why, {literal, sizeof(literal) - 1}, -417}
	static const struct {
		const char *why;
		struct slice in;
		int fault;
	} rows[] = {
		BAD("two lengths, different", POST "Content-Length: 3\r\nContent-Length: "
		    "5\r\n\r\nabcde"),
		BAD("two lengths, equal", POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
		BAD("length list", POST "Content-Length: 3, 3\r\n\r\nabc"),
		BAD("length with plus", POST "Content-Length: +3\r\n\r\nabc"),
		BAD("length negative", POST "Content-Length: -3\r\n\r\nabc"),
		BAD("length hex", POST "Content-Length: 0x3\r\n\r\nabc"),
		BAD("length empty", POST "Content-Length:\r\n\r\n"),
		BAD("length with inner space", POST "Content-Length: 1 2\r\n\r\n"),
		BAD("length of 11 digits", POST "Content-Length: 00000000003\r\n\r\nabc"),
		BAD("length beyond 64 bits", POST "Content-Length: "
		    "18446744073709551619\r\n\r\nabc"),
		BAD("space before colon", POST "Content-Length : 3\r\n\r\nabc"),
		BAD("tab before colon", POST "Content-Length\t: 3\r\n\r\nabc"),
		BAD("coding and length", POST "Transfer-Encoding: chunked\r\nContent-Length: "
		    "3\r\n\r\n"),
		BAD("length and coding", POST "Content-Length: 3\r\nTransfer-Encoding: "
		    "chunked\r\n\r\n"),
		BAD("xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n"),
		BAD("coding list", POST "Transfer-Encoding: gzip, chunked\r\n\r\n"),
		BAD("coding identity", POST "Transfer-Encoding: identity\r\n\r\n"),
		BAD("coding empty", POST "Transfer-Encoding:\r\n\r\n"),
		BAD("coding quoted", POST "Transfer-Encoding: \"chunked\"\r\n\r\n"),
		BAD("coding with vertical tab", POST "Transfer-Encoding: \vchunked\r\n\r\n"),
		BAD("chunked twice", POST "Transfer-Encoding: chunked, chunked\r\n\r\n"),
		BAD("two codings", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: "
		    "chunked\r\n\r\n"),
		BAD("chunked on 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
		BAD("HEAD with a length", "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: "
		    "3\r\n\r\nabc"),
		BAD("HEAD chunked", "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
		    "chunked\r\n\r\n"),
		BAD("no host", "GET / HTTP/1.1\r\n\r\n"),
		BAD("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
		BAD("two equal hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
		BAD("two hosts on 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
		BAD("space in host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
		BAD("bare LF behind a header", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
		BAD("bare LF behind the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
		BAD("bare LF alone", "GET / HTTP/1.1\nHost: a\n\n"),
		BAD("bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
		BAD("bare CR behind a header", "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n"),
		BAD("CR in a value", POST "X: a\rb\r\n\r\n"),
		BAD("CR CR LF", POST "X: a\r\r\n\r\n"),
		BAD("a line of CR alone", POST "\r\r\n\r\n"),
		BAD("folded header", POST "X: a\r\n b\r\n\r\n"),
		BAD("folded first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
		BAD("folded coding", POST "Transfer-Encoding:\r\n chunked\r\n\r\n"),
		BAD("empty name", POST ": x\r\n\r\n"),
		BAD("space in a name", POST "X Y: z\r\n\r\n"),
		BAD("NUL in a name", POST "X\0Y: z\r\n\r\n"),
		BAD("8-bit name", POST "X\xe9: z\r\n\r\n"),
		BAD("separator in a name", POST "X(Y): z\r\n\r\n"),
		BAD("no colon", POST "X\r\n\r\n"),
		BAD("NUL in a value", POST "X: a\0b\r\n\r\n"),
		BAD("control character in a value", POST "X: a\x01z\r\n\r\n"),
		BAD("escape in a value", POST "X: a\x1b[0m\r\n\r\n"),
		BAD("DEL in a value", POST "X: a\x7f\r\n\r\n"),
		BAD("space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("tab in the target", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("8-bit target", "GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("NUL in the target", "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("DEL in the target", "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("relative target", "GET api HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("empty target", "GET  HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("star with more", "OPTIONS *x HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("authority target", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("no authority", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("scheme alone", "GET http:// HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
		BAD("space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("method with a separator", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("no version", "GET /\r\nHost: a\r\n\r\n"),
		BAD("method alone", "GET\r\n\r\n"),
		BAD("version alone", "HTTP/1.1\r\n\r\n"),
		BAD("HTTP/1.9", "GET / HTTP/1.9\r\nHost: a\r\n\r\n"),
		BAD("HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
		BAD("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
		BAD("HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n"),
		BAD("http/1.1", "GET / http/1.1\r\nHost: a\r\n\r\n"),
		BAD("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		BAD("two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		BAD("LF first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		UNMET("another expectation", POST "Expect: a-miracle\r\n\r\n"),
		UNMET("expectation list", POST "Expect: 100-continue, x\r\n\r\n"),
	};
	struct http_head head;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int got = read_request(rows[i].in, &head);

		if (got != rows[i].fault)
			print_error("%s\n", rows[i].why);
		assert_int_equal(got, rows[i].fault);
		/* A prefix is the same fault, seen earlier, or not yet complete. */
		for (size_t n = 0; n < rows[i].in.n; n++) {
			got = read_request((struct slice){rows[i].in.p, n}, &head);
			assert_true(got == 0 || got == rows[i].fault);
		}
	}
}

static void
test_http_request_limit(void **state)
{
	struct slice in = SLICE("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	struct http_head head;
	size_t scanned = 0;

	(void)state;
	assert_int_equal(http_read_request(in, in.n, &scanned, &head), in.n);
	assert_int_equal(scanned, 0);
	assert_int_equal(http_read_request(in, in.n - 1, &scanned, &head), -431);
	/* Not complete, and cannot become so within the limit. */
	scanned = 0;
	in.n -= 4;
	assert_int_equal(http_read_request(in, in.n + 1, &scanned, &head), 0);
	assert_int_equal(http_read_request(in, in.n, &scanned, &head), -431);
}

static void
test_http_request_long_line(void **state)
{
	static char text[LIMIT + 1];
	struct http_head head;

	(void)state;
	memset(text, 'a', sizeof text);
	memcpy(text, "GET /", 5);
	assert_int_equal(read_request((struct slice){text, LIMIT - 1}, &head), 0);
	assert_int_equal(read_request((struct slice){text, LIMIT}, &head), -431);
	assert_int_equal(read_request((struct slice){text, LIMIT + 1}, &head), -431);
}

static void
test_http_request_many_headers(void **state)
{
	char text[2000];
	struct http_head head;
	size_t n = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n");

	(void)state;
	for (int i = 1; i < HTTP_HEADERS_MAX; i++, n += 6)
		memcpy(text + n, "X: y\r\n", 6);
	memcpy(text + n, "\r\n", 2);
	assert_int_equal(read_request((struct slice){text, n + 2}, &head), n + 2);
	assert_int_equal(head.count, HTTP_HEADERS_MAX);
	memcpy(text + n, "X: y\r\n\r\n", 8);
	assert_int_equal(read_request((struct slice){text, n + 8}, &head), -431);
}

/* A trickle is looked at once: what *scanned says was seen is not read again. */
static void
test_http_request_trickle(void **state)
{
	char in[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\n";
	const size_t first = 27;
	struct http_head head;
	size_t scanned = 0;

	(void)state;
	for (size_t n = 0; n < first; n++) {
		assert_int_equal(http_read_request((struct slice){in, n}, LIMIT, &scanned, &head),
		    0);
		assert_int_equal(scanned, n);
	}
	in[3] = '\n'; /* behind the mark, so that it is parsed but not searched */
	assert_int_equal(http_read_request((struct slice){in, first}, LIMIT, &scanned, &head),
	    -400);
	in[3] = ' ';
	assert_int_equal(scanned, 0);
	assert_int_equal(http_read_request((struct slice){in, sizeof in - 1}, LIMIT, &scanned,
	    &head),
	    first);
	assert_int_equal(scanned, 0);
	assert_int_equal(http_read_request((struct slice){in + first, sizeof in - 1 - first}, LIMIT,
	    &scanned, &head), sizeof in - 1 - first);
	assert_slice(head.path, "/2");
}

static void
test_http_response_accepted(void **state)
{
	static const struct {
		struct slice in;
		int status;
		int64_t length;
		bool chunked, keep;
	} rows[] = {
		ROW("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 200, 2, false, true),
		ROW("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, 0, false, true),
		ROW("HTTP/1.1 200 \r\n\r\n", 200, -1, false, true),
		ROW("HTTP/1.0 204 No Content\r\n\r\n", 204, -1, false, false),
		ROW("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", 200, -1, false, true),
		ROW("HTTP/1.1 599 Caf\xc3\xa9\r\nConnection: a, close\r\n\r\n", 599, -1, false,
		    false),
		ROW("HTTP/1.1 100 Continue\r\n\r\n", 100, -1, false, true),
		ROW("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, -1, true, true),
		/* A response may name hosts and expectations as it likes. */
		ROW("HTTP/1.1 200 OK\r\nHost: a\r\nHost: b\r\nExpect: x\r\n\r\n", 200, -1, false,
		    true),
	};
	struct http_head head;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(read_response(rows[i].in, &head), rows[i].in.n);
		assert_int_equal(head.status, rows[i].status);
		assert_int_equal(head.length, rows[i].length);
		assert_int_equal(head.chunked, rows[i].chunked);
		assert_int_equal(head.keep_alive, rows[i].keep);
		for (size_t n = 0; n < rows[i].in.n; n++)
			assert_int_equal(read_response((struct slice){rows[i].in.p, n}, &head), 0);
	}
}

static void
test_http_response_refused(void **state)
{
#define OK "HTTP/1.1 200 OK\r\n"
#define LITERAL(literal) {literal, sizeof(literal) - 1}
	static const struct slice rows[] = {
		LITERAL(OK "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"),
		LITERAL(OK "Content-Length: 2\r\nContent-Length: 2\r\n\r\n"),
		LITERAL(OK "Content-Length: 2, 2\r\n\r\n"),
		LITERAL(OK "Content-Length : 2\r\n\r\n"),
		LITERAL(OK "Transfer-Encoding: gzip\r\n\r\n"),
		LITERAL(OK "X: a\r\n b\r\n\r\n"),
		LITERAL(OK "X: a\0b\r\n\r\n"),
		LITERAL(OK "X: a\n\r\n"),
		LITERAL("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
		LITERAL("HTTP/1.1 20 OK\r\n\r\n"),
		LITERAL("HTTP/1.1 2000\r\n\r\n"),
		LITERAL("HTTP/1.1 099 Low\r\n\r\n"),
		LITERAL("HTTP/1.1 600 High\r\n\r\n"),
		LITERAL("HTTP/1.1 2x0 OK\r\n\r\n"),
		LITERAL("HTTP/1.1 -20 OK\r\n\r\n"),
		LITERAL("HTTP/1.1  200 OK\r\n\r\n"),
		LITERAL("HTTP/1.1\t200 OK\r\n\r\n"),
		LITERAL("HTTP/1.1 200 O\0K\r\n\r\n"),
		LITERAL("HTTP/1.1 200 O\rK\r\n\r\n"),
		LITERAL("HTTP/1.2 200 OK\r\n\r\n"),
		LITERAL("HTTP/2 200\r\n\r\n"),
		LITERAL("ICY 200 OK\r\n\r\n"),
		LITERAL("HTTP/1.1\r\n\r\n"),
		LITERAL("\r\n\r\n"),
		LITERAL("\r\nHTTP/1.1 200 OK\r\n\r\n"),
		LITERAL("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
	};
	struct http_head head;
	size_t scanned = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(read_response(rows[i], &head), -502);
		for (size_t n = 0; n < rows[i].n; n++) {
			int got = read_response((struct slice){rows[i].p, n}, &head);

			assert_true(got == 0 || got == -502);
		}
	}
	assert_int_equal(http_read_response(SLICE(OK "\r\n"), 18, &scanned, &head), -431);
	/* What cannot become a status line is refused before its line ends. */
	assert_int_equal(read_response(SLICE("HTTX"), &head), -502);
	assert_int_equal(read_response(SLICE("HTTP/1."), &head), 0);
}

static void
test_http_list_has(void **state)
{
	(void)state;
	assert_true(http_list_has(SLICE("close"), "close"));
	assert_true(http_list_has(SLICE("\tfoo ,, ClOsE\t"), "close"));
	assert_false(http_list_has(SLICE(""), "close"));
	assert_false(http_list_has(SLICE(",,"), "close"));
	assert_false(http_list_has(SLICE("close;q=1"), "close"));
	assert_false(http_list_has((struct slice){NULL, 0}, "close"));
}

/*
 * Decodes text in pieces cut at `cut` and `cut2`, into body. Returns the bytes used in all, or the
 * fault.
 */
static int
decode(struct slice text, size_t cut, size_t cut2, char *body, size_t *n, bool *done)
{
	const size_t ends[] = {cut, cut2, text.n};
	struct http_chunks chunks = {0};
	size_t at = 0;

	*n = 0;
	*done = false;
	for (size_t i = 0; i < COUNT_OF(ends) && !*done; i++) {
		char *piece = at_end(text.p + at, ends[i] - at);
		size_t out;
		int used = http_chunks_read(&chunks, piece, ends[i] - at, &out, done);

		if (used < 0)
			return used;
		memcpy(body + *n, piece, out);
		*n += out;
		at += (size_t)used;
		assert_true(*done || at == ends[i]);
	}
	return (int)at;
}

static void
test_http_chunks_accepted(void **state)
{
	static const struct {
		struct slice in;
		int used;
		const char *body;
	} rows[] = {
		ROW("0\r\n\r\n", 5, ""),
		ROW("5\r\nhello\r\n0\r\n\r\nGET /", 15, "hello"),
		ROW("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", 18, "abc"),
		ROW("00000000000000A\r\n0123456789\r\n000\r\n\r\n", 36, "0123456789"),
		ROW("a;x=1;y=\"z\t\xc3\xa9\"\r\n0123456789\r\n0;last\r\n\r\n", 38, "0123456789"),
		ROW("3;\r\nabc\r\n0\r\nX: y\r\nEmpty:\r\n\r\n", 28, "abc"),
		ROW("4\r\n\r\n\r\n\r\n0\r\n\r\n", 14, "\r\n\r\n"),
	};
	char body[100];
	size_t n;
	bool done;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (size_t cut = 0; cut <= rows[i].in.n; cut++)
			for (size_t cut2 = cut; cut2 <= rows[i].in.n; cut2++) {
				assert_int_equal(decode(rows[i].in, cut, cut2, body, &n, &done),
				    rows[i].used);
				assert_true(done);
				assert_int_equal(n, strlen(rows[i].body));
				assert_memory_equal(body, rows[i].body, n);
			}
}

static void
test_http_chunks_refused(void **state)
{
	static const struct slice rows[] = {
		LITERAL("0x3\r\nabc\r\n0\r\n\r\n"),
		LITERAL("+3\r\nabc\r\n0\r\n\r\n"),
		LITERAL("-3\r\nabc\r\n0\r\n\r\n"),
		LITERAL(" 3\r\nabc\r\n0\r\n\r\n"),
		LITERAL("3 \r\nabc\r\n0\r\n\r\n"),
		LITERAL("3 junk\r\nabc\r\n0\r\n\r\n"),
		LITERAL("3\nabc\r\n0\r\n\r\n"),
		LITERAL("3\r\nabc0\r\n\r\n"),
		LITERAL("3\r\nabcd\r\n0\r\n\r\n"),
		LITERAL("3\r\nabc\n0\r\n\r\n"),
		LITERAL("3\r\nabcX\n0\r\n\r\n"),
		LITERAL("3\r\nabc\rX0\r\n\r\n"),
		LITERAL("3\rXabc\r\n0\r\n\r\n"),
		LITERAL("\r\n3\r\nabc\r\n0\r\n\r\n"),
		LITERAL(";x\r\nabc\r\n"),
		LITERAL(";x\r\n\r\n"),
		LITERAL("\r\n\r\n"),
		LITERAL("g\r\n"),
		LITERAL("3;a\nb\r\nabc\r\n0\r\n\r\n"),
		LITERAL("3;a\0b\r\nabc\r\n0\r\n\r\n"),
		LITERAL("3;a\rb\r\nabc\r\n0\r\n\r\n"),
		LITERAL("0000000000000003\r\nabc\r\n"),
		LITERAL("FFFFFFFFFFFFFFFF\r\nabc\r\n"),
		LITERAL("0\r\nX\r\n\r\n"),
		LITERAL("0\r\n: y\r\n\r\n"),
		LITERAL("0\r\nX : y\r\n\r\n"),
		LITERAL("0\r\nX: y\n\r\n"),
		LITERAL("0\r\nX: y\r\n z\r\n\r\n"),
		LITERAL("0\r\nX: \0\r\n\r\n"),
		LITERAL("0\r\n\n"),
		LITERAL("0\r\n\rX"),
	};
	char body[100];
	size_t n;
	bool done;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (size_t cut = 0; cut <= rows[i].n; cut++) {
			int got = decode(rows[i], cut, rows[i].n, body, &n, &done);

			if (got != -400)
				print_error("row %zu, cut at %zu\n", i, cut);
			assert_int_equal(got, -400);
			assert_false(done);
		}
}

/* Extensions and trailers cost nothing to send, so they are counted over the whole body. */
static void
test_http_chunks_overhead(void **state)
{
	struct http_chunks chunks = {0};
	char piece[64];
	size_t out;
	bool done;
	int passed = 0;

	(void)state;
	do {
		memcpy(piece, "1;0123456789abcdef0123456789abcdef\r\nx\r\n", 39);
		passed++;
	} while (passed < 1000 && http_chunks_read(&chunks, piece, 39, &out, &done) == 39);
	assert_in_range(passed, 16384 / 35, 16384 / 30);

	/* The sizes themselves are not overhead: a body of single bytes is slow, but whole. */
	chunks = (struct http_chunks){0};
	for (int i = 0; i < 100000; i++) {
		memcpy(piece, "1\r\nx\r\n", 6);
		assert_int_equal(http_chunks_read(&chunks, piece, 6, &out, &done), 6);
		assert_int_equal(out, 1);
	}
}

static void
test_http_chunks_after_end(void **state)
{
	struct http_chunks chunks = {0};
	char text[] = "0\r\n\r\nGET /";
	size_t out;
	bool done;

	(void)state;
	assert_int_equal(http_chunks_read(&chunks, text, 10, &out, &done), 5);
	assert_true(done);
	assert_int_equal(http_chunks_read(&chunks, text + 5, 5, &out, &done), 0);
	assert_true(done);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http_request_fields),
		cmocka_unit_test(test_http_request_targets),
		cmocka_unit_test(test_http_request_keep_alive),
		cmocka_unit_test(test_http_request_accepted),
		cmocka_unit_test(test_http_request_refused),
		cmocka_unit_test(test_http_request_limit),
		cmocka_unit_test(test_http_request_long_line),
		cmocka_unit_test(test_http_request_many_headers),
		cmocka_unit_test(test_http_request_trickle),
		cmocka_unit_test(test_http_response_accepted),
		cmocka_unit_test(test_http_response_refused),
		cmocka_unit_test(test_http_list_has),
		cmocka_unit_test(test_http_chunks_accepted),
		cmocka_unit_test(test_http_chunks_refused),
		cmocka_unit_test(test_http_chunks_overhead),
		cmocka_unit_test(test_http_chunks_after_end),
	};

	return cmocka_run_group_tests(tests, map_guarded, NULL);
}
