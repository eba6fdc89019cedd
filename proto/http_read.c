/*
 * HTTP/1.1 heads, read strictly.
 *
 *     bytes --> find_end: where the empty line is (memchr over what is new)
 *           --> read_request_line or read_status_line
 *           --> read_headers: name, value; rows of `known` note what frames the message
 *           --> settle: the rules that need more than one header
 *
 * Whatever two parsers on the way could read differently is refused, because a message that a proxy
 * and this program end at different bytes lets a stranger put a request into somebody else's
 * connection. find_end() sees every LF and demands the CR before it, so the rest may split lines at
 * LF alone. A head is parsed once, when it is complete.
 */
#include "proto/http_byte.h"
#include "proto/http_read.h"

enum {
	BAD_REQUEST = -400,
	EXPECTATION_FAILED = -417,
	HEAD_TOO_LARGE = -431,
	BAD_GATEWAY = -502,

	LENGTH_DIGITS_MAX = 10,
	VERSION_LENGTH = 8,         /* "HTTP/1.1" */
	STATUS_LENGTH = 12,         /* "HTTP/1.1 200" */
};

enum { VISIBLE = IN_TARGET | IN_VALUE, TOKEN = IN_NAME | VISIBLE };

const uint8_t http_byte_class[256] = {
	['\t'] = IN_VALUE, [' '] = IN_VALUE,
	['!'] = TOKEN, ['"'] = VISIBLE, ['#' ... '\''] = TOKEN, ['(' ... ')'] = VISIBLE,
	['*' ... '+'] = TOKEN, [','] = VISIBLE, ['-' ... '.'] = TOKEN, ['/'] = VISIBLE,
	['0' ... '9'] = TOKEN, [':' ... '@'] = VISIBLE, ['A' ... 'Z'] = TOKEN,
	['[' ... ']'] = VISIBLE, ['^' ... 'z'] = TOKEN, ['{'] = VISIBLE, ['|'] = TOKEN,
	['}'] = VISIBLE, ['~'] = TOKEN,
	[0x80 ... 0xff] = IN_VALUE, /* obs-text */
};

static bool
made_of(struct slice s, int part)
{
	int all = part;

	for (size_t i = 0; i < s.n; i++)
		all &= http_byte_class[(uint8_t)s.p[i]];
	return all != 0;
}

static struct slice
trim(struct slice s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s.p++, s.n--;
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* Cuts *s in two at the first c: what is before it is returned, *s becomes what is behind it. All
 * of *s, and then nothing, when there is no c. */
static struct slice
take_until(struct slice *s, char c)
{
	const char *at = s->n == 0 ? NULL : memchr(s->p, c, s->n);
	struct slice before = {s->p, at == NULL ? s->n : (size_t)(at - s->p)};
	size_t used = at == NULL ? s->n : before.n + 1;

	if (used > 0)
		*s = (struct slice){s->p + used, s->n - used};
	return before;
}

/* The size of the head with its empty line, 0 while that is not there, or the fault. */
static int
find_end(struct slice in, size_t limit, size_t *scanned)
{
	size_t most = in.n < limit ? in.n : limit;

	while (*scanned < most) {
		const char *lf = memchr(in.p + *scanned, '\n', most - *scanned);
		size_t at = lf == NULL ? most : (size_t)(lf - in.p);

		*scanned = lf == NULL ? most : at + 1;
		if (lf == NULL)
			break;
		if (at == 0 || lf[-1] != '\r')
			return BAD_REQUEST;
		if (at >= 2 && lf[-2] == '\n') {
			*scanned = 0;
			return (int)(at + 1);
		}
	}
	return in.n >= limit ? HEAD_TOO_LARGE : 0;
}

/* The next line without its CRLF. */
static struct slice
next_line(struct slice *rest)
{
	struct slice line = take_until(rest, '\n');

	line.n--;
	return line;
}

/* -1 unless it is HTTP/1.0 or HTTP/1.1. */
static int
read_version(struct slice s)
{
	if (slice_is(s, SLICE("HTTP/1.1")))
		return 1;
	return slice_is(s, SLICE("HTTP/1.0")) ? 0 : -1;
}

/* The target behind "http://authority"; an absolute URI is what a proxy is sent. */
static bool
skip_authority(struct slice *target)
{
	struct slice scheme = SLICE("http://");
	size_t at = scheme.n;

	if (target->n <= at || !slice_is_nocase((struct slice){target->p, at}, scheme))
		return false;
	while (at < target->n && memchr("/?#", target->p[at], 3) == NULL)
		at++;
	if (at == scheme.n)
		return false;
	*target = (struct slice){target->p + at, target->n - at};
	return true;
}

static int
read_target(struct slice target, struct http_head *head)
{
	struct slice rest = target;

	if (target.n == 0 || !made_of(target, IN_TARGET))
		return BAD_REQUEST;
	if (target.p[0] != '/' && !slice_is(target, SLICE("*")) && !skip_authority(&rest))
		return BAD_REQUEST;
	head->target = target;
	head->path = take_until(&rest, '?');
	head->query = rest;
	return 0;
}

/* method SP target SP version */
static int
read_request_line(struct slice line, struct http_head *head)
{
	head->method = take_until(&line, ' ');
	if (head->method.n == 0 || !made_of(head->method, IN_NAME) || line.n < VERSION_LENGTH + 1)
		return BAD_REQUEST;
	line.n -= VERSION_LENGTH + 1;
	head->minor = read_version((struct slice){line.p + line.n + 1, VERSION_LENGTH});
	if (line.p[line.n] != ' ' || head->minor < 0)
		return BAD_REQUEST;
	return read_target(line, head);
}

/* version SP 3DIGIT [SP reason] */
static int
read_status_line(struct slice line, struct http_head *head)
{
	const char *digits;

	if (line.n < STATUS_LENGTH || line.p[VERSION_LENGTH] != ' ' || !made_of(line, IN_VALUE))
		return BAD_GATEWAY;
	digits = line.p + VERSION_LENGTH + 1;
	if (line.n > STATUS_LENGTH && line.p[STATUS_LENGTH] != ' ')
		return BAD_GATEWAY;
	head->minor = read_version((struct slice){line.p, VERSION_LENGTH});
	if (head->minor < 0)
		return BAD_GATEWAY;
	for (const char *d = digits; d < digits + 3; d++) {
		if (!http_byte_is_digit(*d))
			return BAD_GATEWAY;
		head->status = head->status * 10 + (*d - '0');
	}
	return head->status >= 100 && head->status <= 599 ? 0 : BAD_GATEWAY;
}

/* A head on its way: what is needed until the last header was seen. */
struct reading {
	struct http_head *head;
	bool close; /* Connection: close */
	bool keep;  /* Connection: keep-alive */
	int hosts;
};

static int
note_length(struct reading *r, struct slice value)
{
	int64_t length = 0;

	if (r->head->length != -1 || value.n == 0 || value.n > LENGTH_DIGITS_MAX)
		return BAD_REQUEST;
	for (size_t i = 0; i < value.n; i++) {
		if (!http_byte_is_digit(value.p[i]))
			return BAD_REQUEST;
		length = length * 10 + (value.p[i] - '0');
	}
	r->head->length = length;
	return 0;
}

static int
note_encoding(struct reading *r, struct slice value)
{
	if (r->head->chunked || !slice_is_nocase(value, SLICE("chunked")))
		return BAD_REQUEST;
	r->head->chunked = true;
	return 0;
}

static int
note_connection(struct reading *r, struct slice value)
{
	r->close = r->close || http_list_has(value, "close");
	r->keep = r->keep || http_list_has(value, "keep-alive");
	return 0;
}

static int
note_host(struct reading *r, struct slice value)
{
	return ++r->hosts > 1 || !made_of(value, IN_TARGET) ? BAD_REQUEST : 0;
}

static int
note_expect(struct reading *r, struct slice value)
{
	if (!slice_is_nocase(value, SLICE("100-continue")))
		return EXPECTATION_FAILED;
	/* RFC 9110 §10.1.1: a 1.0 client cannot wait for it, so there it means nothing. */
	r->head->expect_continue = r->head->minor == 1;
	return 0;
}

/* SLICE() is no constant. */
#define NAME(literal) {(literal), sizeof(literal) - 1}

/* The headers that decide where a message ends and what follows it. */
static const struct known {
	struct slice name;
	bool request_only;
	int (*note)(struct reading *, struct slice value);
} known[] = {
	{NAME("Content-Length"), false, note_length},
	{NAME("Transfer-Encoding"), false, note_encoding},
	{NAME("Connection"), false, note_connection},
	{NAME("Host"), true, note_host},
	{NAME("Expect"), true, note_expect},
};

static int
note_header(struct reading *r, const struct http_header *header)
{
	bool request = r->head->method.n > 0;

	for (const struct known *k = known; k < known + COUNT_OF(known); k++)
		if (slice_is_nocase(header->name, k->name))
			return request || !k->request_only ? k->note(r, header->value) : 0;
	return 0;
}

/* A line that begins with white space (a folded one) has no name that is a token. */
static int
read_header(struct slice line, struct http_header *header)
{
	size_t length = line.n;

	header->name = take_until(&line, ':');
	header->value = trim(line);
	if (header->name.n == 0 || header->name.n == length || !made_of(header->name, IN_NAME))
		return BAD_REQUEST;
	return made_of(header->value, IN_VALUE) ? 0 : BAD_REQUEST;
}

/* Lines up to and with the empty one, which is known to be there. */
static int
read_headers(struct reading *r, struct slice rest)
{
	struct http_head *head = r->head;
	struct slice line;

	while ((line = next_line(&rest)).n > 0) {
		struct http_header *header = &head->headers[head->count];
		int fault;

		if (head->count == HTTP_HEADERS_MAX)
			return HEAD_TOO_LARGE;
		fault = read_header(line, header);
		if (fault == 0)
			fault = note_header(r, header);
		if (fault != 0)
			return fault;
		head->count++;
	}
	return 0;
}

/* A body where none may be: some read it as the next request. */
static bool
has_stray_body(const struct http_head *head)
{
	return slice_is(head->method, SLICE("HEAD")) && (head->chunked || head->length > 0);
}

static int
settle(const struct reading *r)
{
	struct http_head *head = r->head;
	bool request = head->method.n > 0;

	if (head->chunked && (head->length != -1 || head->minor == 0))
		return BAD_REQUEST;
	if (request && ((head->minor == 1 && r->hosts == 0) || has_stray_body(head)))
		return BAD_REQUEST;
	head->keep_alive = !r->close && (head->minor == 1 || r->keep);
	return 0;
}

static int
read_head(struct slice in, struct http_head *head,
    int (*read_first)(struct slice line, struct http_head *))
{
	struct reading r = {.head = head};
	int fault;

	/* All but the headers: those are many, and count says how many there are. */
	memset(head, 0, offsetof(struct http_head, headers));
	head->length = -1;
	fault = read_first(next_line(&in), head);
	if (fault == 0)
		fault = read_headers(&r, in);
	return fault == 0 ? settle(&r) : fault;
}

int
http_read_request(struct slice in, size_t limit, size_t *scanned, struct http_head *head)
{
	int size = find_end(in, limit, scanned), fault;
	struct slice text = {in.p, size > 0 ? (size_t)size : 0};

	if (size <= 0)
		return size;
	if (in.p[0] == '\r' && in.p[1] == '\n')
		text = (struct slice){in.p + 2, text.n - 2};
	fault = read_head(text, head, read_request_line);
	return fault != 0 ? fault : size;
}

int
http_read_response(struct slice in, size_t limit, size_t *scanned, struct http_head *head)
{
	static const char version[] = "HTTP/1.";
	size_t seen = in.n < sizeof version - 1 ? in.n : sizeof version - 1;
	int size, fault = 0;

	/* What cannot become a status line need not be waited for. */
	if (seen > 0 && memcmp(in.p, version, seen) != 0)
		return BAD_GATEWAY;
	size = find_end(in, limit, scanned);
	if (size > 0)
		fault = read_head((struct slice){in.p, (size_t)size}, head, read_status_line);
	if (size == HEAD_TOO_LARGE || fault == HEAD_TOO_LARGE)
		return HEAD_TOO_LARGE;
	return size < 0 || fault != 0 ? BAD_GATEWAY : size;
}

struct slice
http_header(const struct http_head *head, const char *name)
{
	struct slice wanted = slice_of(name);

	for (size_t i = 0; i < head->count; i++)
		if (slice_is_nocase(head->headers[i].name, wanted))
			return head->headers[i].value;
	return (struct slice){NULL, 0};
}

bool
http_list_has(struct slice value, const char *token)
{
	struct slice wanted = slice_of(token);

	while (value.n > 0)
		if (slice_is_nocase(trim(take_until(&value, ',')), wanted))
			return true;
	return false;
}
