/* Attempts at a receiver: how each ends, within its deadline, on which connection (CONTRACT
 * §1.4, §8). */
#include "receiver.h"

/* ---- complete answers ----------------------------------------------------------------------- */

/* The reason each answer stands for, and whether its connection is good for another attempt. */
static void
test_out_answers(void **state)
{
	static const struct {
		enum reason reason;
		int status;
		bool kept;
		struct act act;
	} cases[] = {
	    {REASON_OK, 200, true, {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}},
	    {REASON_OK, 200, true, {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}},
	    {REASON_OK, 202, true,
	     {.reply = "HTTP/1.1 202 A\r\ncontent-length:1\r\n\r\n", .body = 1}},
	    {REASON_OK, 204, true, {.reply = "HTTP/1.1 204 No\r\n\r\n"}},
	    {REASON_OK, 200, true,
	     {.reply =
		  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"}},
	    {REASON_OK, 200, true,
	     {.reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	      .dribble = true,
	      .wait_ms = 1}},
	    {REASON_OK, 200, true,
	     {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	      .dribble = true,
	      .wait_ms = 1}},
	    {REASON_OK, 200, true,
	     {.reply = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
		       "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}},
	    {REASON_OK, 200, true,
	     {.reply = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	      .dribble = true,
	      .wait_ms = 1}},
	    {REASON_OK, 200, false, {.reply = "HTTP/1.1 200 OK\r\n\r\nto the end", .then = CLOSE}},
	    {REASON_OK, 200, false,
	     {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"}},
	    {REASON_OK, 200, false, {.reply = "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"}},
	    {REASON_OK, 200, false, {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore"}},
	    {REASON_OK, 200, false,
	     {.reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nmore"}},
	    {REASON_OK, 200, true,
	     {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n", .body = 65536}},
	    {REASON_OK, 200, false,
	     {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n", .body = 65537}},
	    {REASON_OK, 200, false,
	     {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n", .body = 1 << 20}},
	    {REASON_OK, 200, false, {.reply = "HTTP/1.1 200 OK\r\n\r\n", .body = 1 << 20}},
	    {REASON_OK, 200, false,
	     {.reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFF\r\n",
	      .body = 1 << 20}},
	    {REASON_HTTP_3XX, 302, true,
	     {.reply = "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"}},
	    {REASON_HTTP_3XX, 304, true,
	     {.reply = "HTTP/1.1 304 Same\r\nContent-Length: 10\r\n\r\n"}},
	    {REASON_HTTP_4XX, 404, true, {.reply = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"}},
	    {REASON_HTTP_410, 410, true,
	     {.reply = "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"}},
	    {REASON_HTTP_429, 429, true,
	     {.reply = "HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n"}},
	    {REASON_HTTP_5XX, 500, true, {.reply = "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"}},
	    {REASON_HTTP_5XX, 599, true, {.reply = "HTTP/1.1 599 Oh\r\nContent-Length: 0\r\n\r\n"}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct act script[] = {
		    cases[i].act, {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
		struct out_result first, second;

		play(script, COUNT_OF(script));
		first = try();
		run(2); /* a connection that the receiver closes is seen to be closed */
		second = try();
		if (first.reason != cases[i].reason || first.status != cases[i].status ||
		    first.reused || second.reason != REASON_OK || second.reused != cases[i].kept ||
		    w.requests != 2)
			fail_msg("%zu %.60s: %s %d, then %s %sreused", i, cases[i].act.reply,
				 reason_word(first.reason), first.status,
				 reason_word(second.reason), second.reused ? "" : "not ");
		assert_int_equal(teardown(state) | setup(state), 0);
	}
}

/* ---- what is no answer ---------------------------------------------------------------------- */

static char huge_head[24 << 10], many_hints[24 << 10];

static void
test_out_faults(void **state)
{
	static const struct {
		enum reason reason;
		int status;
		struct act act;
	} cases[] = {
	    {REASON_IO_FAILED, 0, {.reply = NULL, .then = CLOSE}},
	    {REASON_IO_FAILED, 0, {.reply = NULL, .then = RESET}},
	    {REASON_IO_FAILED, 0, {.reply = "HTTP/1.1 200 OK\r\nContent-Le", .then = CLOSE}},
	    {REASON_IO_FAILED, 200,
	     {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour", .then = CLOSE}},
	    {REASON_IO_FAILED, 200,
	     {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour", .then = RESET}},
	    {REASON_IO_FAILED, 200,
	     {.reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
	      .then = CLOSE}},
	    {REASON_HTTP_INVALID, 200,
	     {.reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}},
	    {REASON_HTTP_INVALID, 0, {.reply = "hello, world\r\n\r\n"}},
	    {REASON_HTTP_INVALID, 0,
	     {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"}},
	    {REASON_HTTP_INVALID, 0, {.reply = "HTTP/1.1 101 Switching\r\n\r\n"}},
	    {REASON_HTTP_INVALID, 0,
	     {.reply = "\x16\x03\x03\x02\x28\x01\x01\x01\x01\x01\r\n\r\n", .then = CLOSE}},
	    {REASON_RESPONSE_TOO_LARGE, 0, {.reply = huge_head}},
	    {REASON_RESPONSE_TOO_LARGE, 0, {.reply = many_hints}},
	};
	size_t n = (size_t)snprintf(huge_head, sizeof huge_head, "HTTP/1.1 200 OK\r\nX: ");

	(void)state;
	memset(huge_head + n, 'x', sizeof huge_head - 1 - n);
	for (n = 0; n + 60 < sizeof many_hints;)
		n += (size_t)snprintf(many_hints + n, 60, "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct out_result result;

		play(&cases[i].act, 1);
		result = try();
		if (result.reason != cases[i].reason || result.status != cases[i].status)
			fail_msg("%zu %.40s: %s %d", i, cases[i].act.reply,
				 reason_word(result.reason), result.status);
		assert_int_equal(w.requests, 1); /* made once */
		run(5);
		assert_true(w.connections[0].fd < 0 || w.closed == 1); /* never kept */
		assert_int_equal(teardown(state) | setup(state), 0);
	}
}

static void
test_out_refused(void **state)
{
	(void)state;
	listen_no_more();
	assert_int_equal(try().reason, REASON_CONNECT_FAILED);
}

static void
test_out_fill_fails(void **state)
{
	struct attempt a = new_attempt();

	(void)state;
	a.refuse = true;
	out_start(w.pool, &a.out);
	assert_int_equal(finish(&a).reason, REASON_IO_FAILED);
	assert_int_equal(w.requests, 0);
}

/* ---- Retry-After ---------------------------------------------------------------------------- */

/* Honoured up to one hour. */
static void
test_out_retry_after(void **state)
{
	static const struct {
		const char *reply;
		int64_t seconds;
	} cases[] = {
	    {"HTTP/1.1 429 S\r\nContent-Length: 0\r\nRetry-After: 7\r\n\r\n", 7},
	    {"HTTP/1.1 503 S\r\nContent-Length: 0\r\nretry-after:  120 \r\n\r\n", 120},
	    {"HTTP/1.1 503 S\r\nContent-Length: 0\r\nRetry-After: 3601\r\n\r\n", 3600},
	    {"HTTP/1.1 503 S\r\nContent-Length: 0\r\nRetry-After: 999999999\r\n\r\n", 3600},
	    {"HTTP/1.1 429 S\r\nContent-Length: 0\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 "
	     "GMT\r\n\r\n",
	     3600},
	    {"HTTP/1.1 429 S\r\nContent-Length: 0\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 "
	     "GMT\r\n\r\n",
	     0},
	    {"HTTP/1.1 429 S\r\nContent-Length: 0\r\nRetry-After: -5\r\n\r\n", 0},
	    {"HTTP/1.1 429 S\r\nContent-Length: 0\r\nRetry-After: soon\r\n\r\n", 0},
	    {"HTTP/1.1 429 S\r\nContent-Length: 0\r\nRetry-After: \r\n\r\n", 0},
	    {"HTTP/1.1 429 S\r\nContent-Length: 0\r\n\r\n", 0}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct act act = {.reply = cases[i].reply};

		play(&act, 1);
		assert_int_equal(try().retry_after, cases[i].seconds * CLOCK_S);
	}
}

/* ---- the deadline --------------------------------------------------------------------------- */

/* One absolute deadline: for silence, for a head or a body that trickles, for a name server
 * that says nothing. */
static void
test_out_deadline(void **state)
{
	static const struct {
		const char *host;
		struct act act;
	} cases[] = {
	    {"127.0.0.1", {.reply = "late", .wait_ms = 2000}},
	    {"127.0.0.1",
	     {.reply = "HTTP/1.1 200 OK\r\nX: a long head\r\nContent-Length: 0\r\n\r\n",
	      .dribble = true,
	      .wait_ms = 10}},
	    {"127.0.0.1",
	     {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", .at = 40, .body = 9}},
	    {"127.0.0.1", {.reply = "HTTP/1.1 200 OK\r\n\r\nwithout an end"}},
	    {"silent.example", {.reply = NULL}}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct out_result result;

		configure(cases[i].host, "150ms", "'127.0.0.0/8'");
		play(&cases[i].act, 1);
		result = try();
		assert_int_equal(result.reason, REASON_TIMEOUT);
		assert_in_range(result.total, 140 * CLOCK_MS,
				400 * CLOCK_MS); /* the loop's clock is coarse */
		assert_false(result.reused);
		assert_int_equal(teardown(state) | setup(state), 0);
	}
}

/* The phases: the first byte is the first one, not the end of the head. */
static void
test_out_phases(void **state)
{
	static const struct act act = {
	    .reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .at = 5, .wait_ms = 100};
	struct out_result result;

	(void)state;
	play(&act, 1);
	result = try();
	assert_int_equal(result.reason, REASON_OK);
	assert_in_range(result.total, 90 * CLOCK_MS, 1000 * CLOCK_MS);
	assert_in_range(result.first_byte, 1, 80 * CLOCK_MS);
	assert_true(result.lookup <= result.total && result.connect <= result.total);
}

/* ---- kept-alive connections ----------------------------------------------------------------- */

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

/* Closed by the receiver just as it is used again: made once more, on a fresh connection. */
static void
test_out_stale(void **state)
{
	static const struct {
		struct act second, third;
		enum reason reason;
		size_t requests, accepted;
	} cases[] = {
	    {{.then = CLOSE}, {.reply = OK_REPLY}, REASON_OK, 3, 2},
	    {{.then = RESET}, {.reply = OK_REPLY}, REASON_OK, 3, 2},
	    {{.then = CLOSE}, {.then = CLOSE}, REASON_IO_FAILED, 3, 2}, /* once */
	    {{.reply = "HTTP/1.1 2", .then = CLOSE}, {.reply = OK_REPLY}, REASON_IO_FAILED, 2, 1},
	    {{.reply = "garbage\r\n\r\n"}, {.reply = OK_REPLY}, REASON_HTTP_INVALID, 2, 1}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct act script[] = {{.reply = OK_REPLY}, cases[i].second, cases[i].third};
		struct attempt a = new_attempt();

		play(script, COUNT_OF(script));
		assert_int_equal(try().reason, REASON_OK);
		out_start(w.pool, &a.out);
		assert_int_equal(finish(&a).reason, cases[i].reason);
		assert_int_equal(w.requests, cases[i].requests);
		assert_int_equal(w.accepted, cases[i].accepted);
		assert_int_equal(a.fills, cases[i].requests - 1);
		assert_int_equal(a.result.reused, cases[i].accepted == 1);
		assert_int_equal(teardown(state) | setup(state), 0);
	}
}

/* Both tries together have one deadline; a silent kept-alive connection has no second try. */
static void
test_out_stale_deadline(void **state)
{
	static const struct {
		struct act second;
		size_t accepted;
	} cases[] = {{{.then = CLOSE, .wait_ms = 120}, 2}, {{.reply = "late", .wait_ms = 2000}, 1}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct act script[] = {{.reply = OK_REPLY}, cases[i].second};
		struct out_result result;

		configure("127.0.0.1", "200ms", "'127.0.0.0/8'");
		play(script, COUNT_OF(script));
		assert_int_equal(try().reason, REASON_OK);
		result = try();
		assert_int_equal(result.reason, REASON_TIMEOUT);
		assert_in_range(result.total, 190 * CLOCK_MS, 300 * CLOCK_MS);
		assert_int_equal(w.accepted, cases[i].accepted);
		assert_int_equal(teardown(state) | setup(state), 0);
	}
}

/* Bytes that nobody asked for on an idle connection end it. */
static void
test_out_idle(void **state)
{
	static const struct act script[] = {{.reply = OK_REPLY}, {.reply = OK_REPLY}};

	(void)state;
	play(script, COUNT_OF(script));
	assert_int_equal(try().reason, REASON_OK);
	assert_int_equal(send(w.connections[0].fd, OK_REPLY, strlen(OK_REPLY), MSG_NOSIGNAL),
			 strlen(OK_REPLY));
	run(5);
	assert_false(try().reused);
	assert_int_equal(w.accepted, 2);
	assert_int_equal(w.closed, 1);
}

/* Attempts at the same time have a connection each; afterwards all of them are kept. */
static void
test_out_parallel(void **state)
{
	struct act script[12];
	struct attempt attempts[6];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(script); i++)
		script[i] = (struct act){.reply = OK_REPLY, .wait_ms = 20};
	play(script, COUNT_OF(script));
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < COUNT_OF(attempts); i++) {
			attempts[i] = new_attempt();
			out_start(w.pool, &attempts[i].out);
		}
		for (size_t i = 0; i < COUNT_OF(attempts); i++) {
			assert_int_equal(finish(&attempts[i]).reason, REASON_OK);
			assert_int_equal(attempts[i].result.reused, round == 1);
		}
	}
	assert_int_equal(w.accepted, COUNT_OF(attempts));
}

/* ---- requests ------------------------------------------------------------------------------- */

static char large[3 << 20];

/* A body that the kernel does not take at once goes out whole. */
static void
test_out_large_body(void **state)
{
	static const struct act script[] = {{.reply = OK_REPLY}, {.reply = OK_REPLY}};
	struct attempt a = new_attempt();

	(void)state;
	memset(large, 'x', sizeof large);
	memcpy(large + sizeof large - 2, "{}", 2);
	a.body = (struct slice){large, sizeof large};
	play(script, COUNT_OF(script));
	out_start(w.pool, &a.out);
	assert_int_equal(finish(&a).reason, REASON_OK);
	assert_int_equal(w.requests, 1);
	assert_true(try().reused);
}

/* An answer before the request is through is the answer; the connection is not kept. */
static void
test_out_early_answer(void **state)
{
	static const struct act script[] = {
	    {.reply = "HTTP/1.1 413 Too large\r\nContent-Length: 0\r\n\r\n", .early = true},
	    {.reply = OK_REPLY}};
	struct attempt a = new_attempt();

	(void)state;
	memset(large, 'x', sizeof large);
	a.body = (struct slice){large, sizeof large};
	play(script, COUNT_OF(script));
	out_start(w.pool, &a.out);
	assert_int_equal(finish(&a).reason, REASON_HTTP_4XX);
	assert_int_equal(a.result.status, 413);
	assert_in_range(a.result.first_byte, 0, 1000 * CLOCK_MS);
	assert_false(try().reused);
}

/* ---- addresses ------------------------------------------------------------------------------ */

static void
test_out_blocked(void **state)
{
	static const struct {
		const char *host, *networks;
	} cases[] = {{"127.0.0.1", ""},
		     {"127.0.0.1", "'127.0.0.2', '10.0.0.0/8'"},
		     {"one.example", ""},
		     {"three.example", ""},
		     {"[::1]", "'127.0.0.0/8'"},
		     {"[::ffff:127.0.0.1]", ""},
		     {"10.0.0.1", "'127.0.0.0/8'"},
		     {"169.254.169.254", "'127.0.0.0/8'"}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		configure(cases[i].host, "3s", cases[i].networks);
		assert_int_equal(try().reason, REASON_BLOCKED_ADDRESS);
	}
	run(5);
	assert_int_equal(w.accepted, 0);
}

/* The next address is tried when one refuses, and one that is not allowed is passed over. */
static void
test_out_addresses(void **state)
{
	static const struct {
		const char *networks;
		enum reason reason;
	} cases[] = {{"'127.0.0.0/8'", REASON_OK},
		     {"'127.0.0.2'", REASON_OK},
		     {"'127.0.0.2', '127.0.0.3'", REASON_OK},
		     {"'127.0.0.1', '127.0.0.3'", REASON_CONNECT_FAILED}};
	static const struct act act = {.reply = OK_REPLY};

	(void)state;
	listen_no_more();
	listen_on((const uint8_t[]){127, 0, 0, 2});
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		configure("three.example", "3s", cases[i].networks);
		play(&act, 1);
		assert_int_equal(try().reason, cases[i].reason);
	}
}

/* ---- the end -------------------------------------------------------------------------------- */

/* A cancelled attempt is told nothing more, in whatever state it was. */
static void
test_out_cancel(void **state)
{
	static const struct act script[] = {
	    {.reply = "late", .wait_ms = 30},
	    {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour"}};
	static const struct {
		const char *host;
		int ms;
	} cases[] = {
	    {"127.0.0.1", 0}, {"127.0.0.1", 10}, {"127.0.0.1", 10}, {"silent.example", 10}};

	(void)state;
	play(script, COUNT_OF(script));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct attempt a;

		configure(cases[i].host, "3s", "'127.0.0.0/8'");
		a = new_attempt();
		out_start(w.pool, &a.out);
		if (cases[i].ms > 0)
			run(cases[i].ms);
		out_cancel(&a.out);
		out_cancel(&a.out); /* harmless */
		run(50);
		assert_false(a.done);
	}
	assert_int_equal(w.closed, w.accepted);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    OUT_TEST(test_out_answers),	       OUT_TEST(test_out_faults),
	    OUT_TEST(test_out_refused),	       OUT_TEST(test_out_fill_fails),
	    OUT_TEST(test_out_retry_after),    OUT_TEST(test_out_deadline),
	    OUT_TEST(test_out_phases),	       OUT_TEST(test_out_stale),
	    OUT_TEST(test_out_stale_deadline), OUT_TEST(test_out_idle),
	    OUT_TEST(test_out_parallel),       OUT_TEST(test_out_large_body),
	    OUT_TEST(test_out_early_answer),   OUT_TEST(test_out_blocked),
	    OUT_TEST(test_out_addresses),      OUT_TEST(test_out_cancel)};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	libevent_global_shutdown();
	return failed;
}
