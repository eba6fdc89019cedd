/*
 * The log (CONTRACT §12) as its reader sees it: standard output is a pipe while a test writes
 * to it. Nothing may be asserted before the reader has its own standard output back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/clock.h"
#include "gateway/log.h"
#include "proto/json_read.h"

enum { READ_MAX = 4 << 20, STAGED_MAX = 1 << 20 };

static struct {
	int reader, stdout_fd;
	char text[READ_MAX + 1]; /* what came out */
	size_t n;
} out;

static void
take_over(enum conf_log_level level, enum conf_log_format format)
{
	int pipes[2];

	fflush(stdout);
	out.n = 0;
	out.text[0] = '\0';
	out.stdout_fd = dup(STDOUT_FILENO);
	if (pipe(pipes) != 0 || out.stdout_fd < 0)
		abort();
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	fcntl(pipes[0], F_SETPIPE_SZ, 4096);
	out.reader = pipes[0];
	dup2(pipes[1], STDOUT_FILENO);
	close(pipes[1]);
	log_start(level, format);
}

static size_t
take_some(void)
{
	ssize_t n = read(out.reader, out.text + out.n, READ_MAX - out.n);

	if (n > 0)
		out.n += (size_t)n;
	out.text[out.n] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void
take_all(void)
{
	do
		log_flush();
	while (take_some() > 0);
}

static void
give_back(void)
{
	take_all();
	log_stop();
	dup2(out.stdout_fd, STDOUT_FILENO);
	close(out.stdout_fd);
	close(out.reader);
}

static void
line(const char *key, struct slice value)
{
	log_begin(LOG_LEVEL_INFO, "test.action", "a message");
	log_text(key, value);
	log_end();
}

static size_t
lines(void)
{
	size_t n = 0;

	for (size_t i = 0; i < out.n; i++)
		n += out.text[i] == '\n';
	return n;
}

/* Every line is one JSON object with the fields that all lines have; visit is given each. */
static void
parse_all(void (*visit)(const struct json *))
{
	static const char *const always[] = {"@timestamp", "log.level", "event.action", "message"};
	char *text = out.text, *end;
	struct json_error error;
	struct arena arena;

	for (; *text != '\0'; text = end + 1) {
		struct json *object;

		end = strchr(text, '\n');
		assert_non_null(end);
		arena_init(&arena, 1 << 20);
		object = json_read(&arena, text, (size_t)(end - text), 0, 2, &error);
		if (object == NULL)
			fail_msg("%s at %zu", error.what, error.at);
		for (size_t i = 0; i < COUNT_OF(always); i++)
			assert_int_equal(json_get(object, always[i])->type, JSON_STRING);
		visit(object);
		arena_free(&arena);
	}
}

/* ---- one line ------------------------------------------------------------------------------- */

static void
test_log_line(void **state)
{
	static const struct uuid id = {{0xca, 0xdf, 0xe3, 0x5f, 0xe3, 0xb1, 0x41, 0x75, 0xb1, 0x18,
					0xa5, 0x95, 0xbf, 0xf9, 0xa2, 0x14}};
	struct address address = address_ipv4((const uint8_t[]){127, 0, 0, 1});
	static const char want[] =
	    "\"log.level\": \"warning\", \"event.action\": \"alert.accepted\", "
	    "\"message\": \"alert 7\", \"labels.integration\": \"Generic\", "
	    "\"labels.attempt\": -2, "
	    "\"trace.id\": \"cadfe35f-e3b1-4175-b118-a595bff9a214\", "
	    "\"client.ip\": \"127.0.0.1\", \"event.duration\": 1500000, "
	    "\"event.outcome\": \"failure\"}\n";

	(void)state;
	take_over(LOG_LEVEL_INFO, LOG_FORMAT_AUTO); /* a pipe is no terminal: JSON */
	log_begin(LOG_LEVEL_WARNING, "alert.accepted", "alert %d", 7);
	log_text("labels.integration", SLICE("Generic"));
	log_text("labels.webhook", SLICE("")); /* left out */
	log_number("labels.attempt", -2);
	log_uuid("trace.id", &id);
	log_address("client.ip", &address);
	log_duration(1500);
	log_outcome(false);
	log_end();
	give_back();
	assert_memory_equal(out.text, "{\"@timestamp\": \"20", 18);
	assert_string_equal(strstr(out.text, "\"log.level\""), want);
}

static void
test_log_level(void **state)
{
	static const struct uuid id;
	struct address address = address_ipv4((const uint8_t[]){127, 0, 0, 1});

	(void)state;
	take_over(LOG_LEVEL_WARNING, LOG_FORMAT_JSON);
	for (int level = LOG_LEVEL_DEBUG; level <= LOG_LEVEL_ERROR; level++) {
		log_begin((enum conf_log_level)level, "test.action", "level %d", level);
		log_text("a", SLICE("b"));
		log_number("c", 1);
		log_uuid("d", &id);
		log_address("e", &address);
		log_end();
	}
	log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_JSON);
	line("a", SLICE("b"));
	give_back();
	assert_int_equal(lines(), 2);
	assert_non_null(strstr(out.text, "level 2"));
	assert_non_null(strstr(out.text, "level 3"));
}

/* ---- what strangers wrote ------------------------------------------------------------------- */

static const struct {
	struct slice in;
	const char *json; /* as it stands in the line */
} hostile[] = {
    {{"plain", 5}, "\"plain\""},
    {{"a\nb\r\tc", 6}, "\"a\\nb\\r\\tc\""},
    {{"\", \"x\": \"", 9}, "\"\\\", \\\"x\\\": \\\"\""},
    {{"\\", 1}, "\"\\\\\""},
    {{"\0\1\x1f\x7f", 4}, "\"\\u0000\\u0001\\u001f\\u007f\""},
    {{"\033[2J", 4}, "\"\\u001b[2J\""},
    {{"\xc2\x9b"
      "2J",
      4},
     "\"\\u009b2J\""},
    {{"gr\xc3\xbc\xc3\x9f", 6}, "\"gr\\u00fc\\u00df\""},
    {{"\xe2\x80\xa8", 3}, "\"\\u2028\""},
    {{"\xff\xfe", 2}, "\"??\""},
    {{"a\xc3", 2}, "\"a?\""},
    {{"\xed\xa0\x80", 3}, "\"???\""},
    {{"\xf0\x9f\x98\x80", 4}, "\"\\ud83d\\ude00\""},
};

static void
test_log_hostile(void **state)
{
	char *text;

	(void)state;
	take_over(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	for (size_t i = 0; i < COUNT_OF(hostile); i++)
		line("error.message", hostile[i].in);
	give_back();
	assert_int_equal(lines(), COUNT_OF(hostile));
	text = out.text;
	for (size_t i = 0; i < COUNT_OF(hostile); i++) {
		char *end = strchr(text, '\n'), *value = strstr(text, "\"error.message\": ");

		*end = '\0';
		assert_non_null(value);
		end[-1] = '\0'; /* the brace */
		assert_string_equal(value + strlen("\"error.message\": "), hostile[i].json);
		text = end + 1;
	}
}

/* Every byte beside every other, in a value and in a message: each line is well-formed JSON. */
static void
visit_nothing(const struct json *object)
{
	(void)object;
}

static void
test_log_well_formed(void **state)
{
	uint64_t seed = 1;
	char bytes[600];

	(void)state;
	take_over(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	for (int i = 0; i < 3000; i++) {
		size_t n = (size_t)(i % 600);

		for (size_t k = 0; k < n; k++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			bytes[k] = (char)(i % 2 == 0 ? seed >> 56 : 0xc0 | seed >> 58);
		}
		log_begin(LOG_LEVEL_INFO, "test.action", "%.*s", (int)n, bytes);
		log_text("error.message", (struct slice){bytes, n});
		log_number("labels.number", i);
		log_end();
		take_all();
	}
	give_back();
	assert_int_equal(lines(), 3000);
	parse_all(visit_nothing);
}

/* Cut to 256 bytes, between characters. */
static void
test_log_cut(void **state)
{
	static const char *const characters[] = {"x", "\xc3\xbc", "\xe2\x82\xac",
						 "\xf0\x9f\x98\x80"};
	static const size_t escaped[] = {1, 6, 6, 12}; /* bytes in the line */
	static char text[1 << 16];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(characters); i++) {
		size_t n = strlen(characters[i]);
		char *value;

		text[0] = 'a'; /* no size of a character divides the place of the cut */
		for (size_t k = 1; k + n <= sizeof text; k += n)
			memcpy(text + k, characters[i], n);
		take_over(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
		line("k", (struct slice){text, 1 + 60 * n}); /* goes in whole */
		line("k", (struct slice){text, sizeof text});
		log_begin(LOG_LEVEL_INFO, "test.action", "%.*s", (int)sizeof text, text);
		log_end();
		give_back();
		assert_int_equal(lines(), 3);
		value = strstr(out.text, "\"k\": \"a") + 7;
		assert_int_equal(strcspn(value, "\""), 60 * escaped[i]);
		value = strstr(value, "\"k\": \"a") + 7;
		assert_in_range(strcspn(value, "\""), 240 / n * escaped[i], 256 / n * escaped[i]);
		assert_int_equal(strcspn(value, "\"") % escaped[i], 0);
		assert_null(memchr(value, '?', strcspn(value, "\"")));
		parse_all(visit_nothing);
	}
}

/* Text for people: values are escaped just as well, quoted where it takes that. */
static void
test_log_text_format(void **state)
{
	static const char want[] =
	    " test.action          a message"
	    " plain=a/b:c quoted=\"a b\" escape=\"\\u001b[2J\\n\" number=7\n";

	(void)state;
	take_over(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_begin(LOG_LEVEL_INFO, "test.action", "a message");
	log_text("plain", SLICE("a/b:c"));
	log_text("quoted", SLICE("a b"));
	log_text("escape", SLICE("\033[2J\n"));
	log_number("number", 7);
	log_end();
	give_back();
	assert_int_equal(lines(), 1);
	assert_string_equal(strstr(out.text, " test.action"), want);
	assert_null(strchr(out.text, '\033')); /* no colour where no terminal is */
}

/* ---- parked lines --------------------------------------------------------------------------- */

static void
park(const char *message)
{
	log_begin(LOG_LEVEL_INFO, "test.action", "%s", message);
	log_end_after_commit();
}

static void
test_log_parked(void **state)
{
	size_t before;

	(void)state;
	take_over(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	park("one");
	park("two");
	line("k", SLICE("at once"));
	take_all();
	before = lines();
	log_settle(true);
	take_all();
	park("never");
	log_settle(false);
	log_settle(true); /* the next turn's */
	park("three");
	log_settle(true);
	give_back();
	assert_int_equal(before, 1);
	assert_int_equal(lines(), 4);
	assert_non_null(strstr(strstr(strstr(strstr(out.text, "at once"), "one"), "two"), "three"));
	assert_null(strstr(out.text, "never"));
}

/* ---- repeated lines ------------------------------------------------------------------------- */

static uint64_t told_repeated; /* what labels.repeated adds up to */

static void
visit_repeated(const struct json *object)
{
	const struct json *count = json_get(object, "labels.repeated");

	if (count != NULL)
		told_repeated += strtoull(count->text.p, NULL, 10);
}

/* Ten of a kind are written in a second, then one that tells how many more there were; what is not
 * alike, or has an id, is always written. */
static void
test_log_folded(void **state)
{
	static const struct uuid id;

	(void)state;
	take_over(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_second();
	for (int i = 0; i < 100; i++) {
		line("labels.integration", SLICE("one"));
		if (i % 10 == 0)
			line("labels.integration", SLICE("two"));
		if (i % 50 != 0)
			continue;
		for (int k = 0; k < 15; k++) {
			log_begin(LOG_LEVEL_INFO, "test.action", "a message");
			log_uuid("trace.id", &id);
			log_end();
			park("parked");
		}
	}
	log_settle(true);
	take_all();
	assert_int_equal(lines(), 10 + 10 + 30 + 30);
	log_second();
	take_all();
	log_second(); /* nothing more to tell */
	line("labels.integration", SLICE("one"));
	give_back();
	assert_int_equal(lines(), 82);
	told_repeated = 0;
	parse_all(visit_repeated);
	assert_int_equal(told_repeated, 90);
	assert_non_null(strstr(out.text, "\"message\": \"a message\", "
					 "\"labels.integration\": \"one\", "
					 "\"labels.repeated\": 90}\n{\"@timestamp\""));
}

/* More kinds than are kept: all are written, or counted. */
static void
test_log_folded_many(void **state)
{
	enum { KINDS = 40, TIMES = 50 };

	(void)state;
	take_over(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	for (int kind = 0; kind < KINDS; kind++)
		for (int i = 0; i < TIMES; i++) {
			log_begin(LOG_LEVEL_INFO, "test.action", "kind %d", kind);
			log_end();
		}
	take_all();
	assert_in_range(lines(), KINDS * 10, KINDS * TIMES - 16 * (TIMES - 10));
	log_second();
	give_back();
	told_repeated = 0;
	parse_all(visit_repeated);
	assert_int_equal(told_repeated, 16 * (TIMES - 10));
	assert_int_equal(lines() + told_repeated, KINDS * TIMES + 16);
}

/* What was held back is told in the format in which it came, and before the end. */
static void
test_log_folded_text(void **state)
{
	(void)state;
	take_over(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	for (int i = 0; i < 12; i++)
		line("k", SLICE("v"));
	log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_JSON);
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	for (int i = 0; i < 13; i++)
		line("k", SLICE("v"));
	take_all();
	assert_int_equal(lines(), 10 + 1 + 10);
	log_stop();
	take_some();
	assert_int_equal(lines(), 22);
	give_back();
	assert_non_null(strstr(out.text, " a message k=v labels.repeated=2\n"));
	assert_string_equal(strrchr(out.text, 'v') + 1, " labels.repeated=3\n");
	for (char *text = out.text, *next; *text != '\0'; text = next + 1) {
		next = strchr(text, '\n');
		assert_int_equal(strcspn(text, "."), strlen("22:47:28"));
		assert_int_equal(text[15], ' ');
	}
}

/* ---- a reader that has stopped -------------------------------------------------------------- */

static uint64_t told_dropped; /* what the lines about dropped lines add up to */

static void
visit_dropped(const struct json *object)
{
	if (slice_is(json_get(object, "event.action")->text, SLICE("log.dropped")))
		told_dropped += strtoull(json_get(object, "message")->text.p, NULL, 10);
}

/* Nothing blocks, memory is bounded, and what is lost is counted and told: no line comes in
 * part. */
static void
test_log_stalled(void **state)
{
	enum { WRITTEN = 30000 };
	uint64_t dropped_before = log_dropped(), dropped;
	size_t told = 0, most;
	int64_t longest = 0, took;

	(void)state;
	take_over(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	for (int i = 0; i < WRITTEN; i++) {
		log_begin(LOG_LEVEL_INFO, "test.action", "a message of some length, as they are");
		log_number("labels.number", i); /* no line is like another */
		log_end();
		took = clock_mono();
		log_flush();
		took = clock_mono() - took;
		longest = took > longest ? took : longest;
	}
	dropped = log_dropped() - dropped_before;
	take_all();
	most = out.n;
	line("k", SLICE("still here"));
	give_back();
	assert_true(dropped > WRITTEN / 2);
	assert_true(longest < CLOCK_S / 2);
	assert_in_range(most, STAGED_MAX / 2,
			STAGED_MAX + (128 << 10)); /* staged, and in the pipe */
	assert_non_null(strstr(out.text, "still here"));
	for (const char *p = out.text; (p = strstr(p, "log.dropped")) != NULL; p++)
		told++;
	assert_true(told >= 1);
	assert_int_equal(lines() - told + dropped, WRITTEN + 1);
	told_dropped = 0;
	parse_all(visit_dropped);
	assert_int_equal(told_dropped, dropped);
}

/* Parked lines that find no room are counted too. */
static void
test_log_stalled_parked(void **state)
{
	enum { TURNS = 100, IN_TURN = 300 };
	uint64_t dropped_before = log_dropped(), dropped;
	size_t told = 0;

	(void)state;
	take_over(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	for (int i = 0; i < TURNS; i++) {
		for (int k = 0; k < IN_TURN; k++)
			park("a line of a turn");
		log_settle(true);
		log_flush();
	}
	dropped = log_dropped() - dropped_before;
	give_back();
	for (const char *p = out.text; (p = strstr(p, "log.dropped")) != NULL; p++)
		told++;
	assert_true(dropped > 0);
	assert_int_equal(lines() - told + dropped, TURNS * IN_TURN);
	parse_all(visit_nothing);
}

/* A reader that is gone is no worse: its lines are counted. */
static void
test_log_reader_gone(void **state)
{
	uint64_t dropped_before = log_dropped();

	(void)state;
	take_over(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	close(out.reader);
	for (int i = 0; i < 20000; i++) {
		log_begin(LOG_LEVEL_INFO, "test.action", "%d", i);
		log_end();
		log_flush();
	}
	out.reader = open("/dev/null", O_RDONLY);
	give_back();
	assert_int_equal(out.n, 0);
	assert_int_equal(log_dropped() - dropped_before, 20000);
}

/* How large a file may become. */
static void
limit_files(rlim_t size)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = size;
	setrlimit(RLIMIT_FSIZE, &limit);
}

/* A file that cannot grow: what does not fit waits, and is completed when it can. */
static void
test_log_no_room(void **state)
{
	enum { WRITTEN = 100, FITS = 1000 };
	uint64_t dropped_before = log_dropped();
	int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	size_t whole;

	(void)state;
	assert_true(file >= 0);
	take_over(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_stop();
	dup2(file, STDOUT_FILENO);
	log_start(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	limit_files(FITS);
	for (int i = 0; i < WRITTEN; i++) {
		log_begin(LOG_LEVEL_INFO, "test.action", "%d", i);
		log_end();
		log_flush();
	}
	assert_int_equal(lseek(file, 0, SEEK_END), FITS);
	limit_files(RLIM_INFINITY);
	line("k", SLICE("last"));
	log_flush();
	out.n = (size_t)pread(file, out.text, READ_MAX, 0);
	out.text[out.n] = '\0';
	whole = out.n;
	close(file);
	give_back();
	assert_int_equal(out.n, whole);
	assert_int_equal(log_dropped(), dropped_before);
	assert_int_equal(lines(), WRITTEN + 1);
	assert_non_null(strstr(out.text, "last"));
	parse_all(visit_nothing);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_log_line),
						  cmocka_unit_test(test_log_level),
						  cmocka_unit_test(test_log_hostile),
						  cmocka_unit_test(test_log_well_formed),
						  cmocka_unit_test(test_log_cut),
						  cmocka_unit_test(test_log_text_format),
						  cmocka_unit_test(test_log_parked),
						  cmocka_unit_test(test_log_folded),
						  cmocka_unit_test(test_log_folded_many),
						  cmocka_unit_test(test_log_folded_text),
						  cmocka_unit_test(test_log_stalled),
						  cmocka_unit_test(test_log_stalled_parked),
						  cmocka_unit_test(test_log_reader_gone),
						  cmocka_unit_test(test_log_no_room)};

	signal(SIGPIPE, SIG_IGN); /* as the gateway does */
	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
