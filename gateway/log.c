/*
 *   log_begin .. log_end  →  line  →  folded?  →  staged (log_out.c)  →  log_flush: one write
 *       .. log_end_after_commit  →  parked  →  log_settle ──┘
 */
#include "gateway/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/clock.h"
#include "gateway/fold.h"
#include "gateway/log_out.h"
#include "proto/date.h"
#include "proto/json_write.h"
#include "proto/utf8.h"

enum { LINE_MAX_BYTES = 8192, TEXT_MAX = 256 };
enum { TIME_AT = 11, TIME_LENGTH = 15 }; /* in a date: what people are shown */

static const char *const level_names[] = {"debug", "info", "warning", "error"};
static const char *const level_colours[] = {"\033[2m", "", "\033[33m", "\033[31m"};

static struct {
	enum conf_log_level level;
	bool terminal;
	bool text;    /* readable lines instead of JSON */
	bool colour;
	bool skip;    /* the line begun is below the level */
	bool single;  /* it has no like */
	size_t dated; /* bytes of it up to the end of its date */
	struct buf line;
	struct json_writer json;
	struct buf parked;      /* lines that wait for the commit */
	uint64_t parked_lines;
	uint64_t dropped, told; /* lines dropped; of them reported */
} state = {.level = LOG_LEVEL_INFO};

static void
prepare(void)
{
	if (state.line.ceiling == 0) {
		buf_init(&state.line, LINE_MAX_BYTES);
		buf_init(&state.parked, LOG_OUT_MOST);
	}
}

void
log_start(enum conf_log_level level, enum conf_log_format format)
{
	prepare();
	if (buf_room(&state.line, LINE_MAX_BYTES) == NULL ||
	    buf_room(&state.parked, LOG_OUT_LEAST) == NULL || log_out_open() != 0) {
		fputs("tocsin: no memory for the log\n", stderr);
		exit(1);
	}
	state.terminal = isatty(STDOUT_FILENO) == 1;
	log_configure(level, format);
}

/* NO_COLOR counts unless it is empty (no-color.org). */
static bool
wants_colour(void)
{
	const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return (none == NULL || none[0] == '\0') &&
	       (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

void
log_configure(enum conf_log_level level, enum conf_log_format format)
{
	log_second(); /* in the format in which they are kept */
	state.level = level;
	state.text = format == LOG_FORMAT_TEXT || (format == LOG_FORMAT_AUTO && state.terminal);
	state.colour = state.text && state.terminal && wants_colour();
}

/* Bytes of a stranger as well-formed text of at most TEXT_MAX bytes; what is not UTF-8 becomes
 * '?'. Most are that already. */
static struct slice
tame(struct slice s, char out[TEXT_MAX])
{
	size_t n = s.n < TEXT_MAX ? s.n : TEXT_MAX, good;
	struct slice t = {out, n};

	if (n == s.n && utf8_valid(s) == n)
		return s;
	memcpy(out, s.p, n);
	while ((good = utf8_valid(t)) < t.n)
		out[good] = '?';
	return s.n > TEXT_MAX ? utf8_cut(t, TEXT_MAX - 4) : t;
}

/* Text for a terminal: like JSON's escapes, but quoted only where a blank or a quote asks for
 * it. */
static void
put_readable(struct slice s)
{
	bool plain = s.n > 0;

	for (size_t i = 0; i < s.n && plain; i++)
		plain = s.p[i] > ' ' && s.p[i] < 0x7f && s.p[i] != '"' && s.p[i] != '\\';
	if (plain)
		buf_put_slice(&state.line, s);
	else
		json_string(&(struct json_writer){.buf = &state.line}, s);
}

static void
begin_text(enum conf_log_level level, const char *date, const char *action, struct slice message)
{
	buf_printf(&state.line, "%s%.*s", state.colour ? level_colours[level] : "",
	    TIME_LENGTH, date + TIME_AT);
	state.dated = state.line.n;
	buf_printf(&state.line, " %-7s %-20s %.*s%s", level_names[level], action,
	    (int)message.n, message.p, state.colour ? "\033[0m" : "");
}

static void
begin_json(enum conf_log_level level, const char *date, const char *action, struct slice message)
{
	buf_puts(&state.line, "{\"@timestamp\": \"");
	buf_put(&state.line, date, DATE_TEXT - 1);
	state.dated = state.line.n;
	buf_puts(&state.line, "\", \"log.level\": \"");
	buf_puts(&state.line, level_names[level]);
	buf_puts(&state.line, "\", \"event.action\": \"");
	buf_puts(&state.line, action);
	buf_puts(&state.line, "\", \"message\": ");
	json_string(&state.json, message);
}

/* The date of a line. Lines come in crowds: within a second only the fraction is written anew. */
static const char *
date_now(void)
{
	static char text[DATE_TEXT];
	static int64_t second = -1;
	int64_t now = clock_wall(), us = now % CLOCK_S;

	if (now / CLOCK_S != second) {
		second = now / CLOCK_S;
		date_text(now, text);
	} else {
		for (int i = 25; i >= 20; i--, us /= 10)
			text[i] = (char)('0' + us % 10);
	}
	return text;
}

static struct slice format(char room[TEXT_MAX], const char *message, va_list) PRINTF(2, 0);

/* printf() costs more than the rest of a line, and most messages need none of it. */
static struct slice
format(char room[TEXT_MAX], const char *message, va_list args)
{
	if (strchr(message, '%') == NULL)
		return slice_of(message);
	if (strcmp(message, "%s") == 0)
		return slice_of(va_arg(args, const char *));
	vsnprintf(room, TEXT_MAX, message, args);
	return slice_of(room);
}

void
log_begin(enum conf_log_level level, const char *action, const char *message, ...)
{
	char room[TEXT_MAX], tamed[TEXT_MAX];
	struct slice text;
	va_list args;

	prepare();
	state.skip = level < state.level;
	if (state.skip)
		return;
	va_start(args, message);
	text = tame(format(room, message, args), tamed);
	va_end(args);
	buf_clear(&state.line);
	state.single = false;
	state.json = (struct json_writer){.buf = &state.line};
	if (state.text)
		begin_text(level, date_now(), action, text);
	else
		begin_json(level, date_now(), action, text);
}

void
log_text(const char *key, struct slice value)
{
	char tamed[TEXT_MAX];
	struct slice text;

	if (state.skip || value.n == 0)
		return;
	text = tame(value, tamed);
	if (state.text) {
		buf_printf(&state.line, " %s=", key);
		put_readable(text);
	} else {
		json_key(&state.json, key);
		json_string(&state.json, text);
	}
}

/* Text of ours: no blanks, nothing to escape. */
static void
put_known(const char *key, struct slice value)
{
	if (state.text) {
		buf_printf(&state.line, " %s=%.*s", key, (int)value.n, value.p);
	} else {
		json_key(&state.json, key);
		json_plain(&state.json, value);
	}
}

void
log_number(const char *key, int64_t value)
{
	if (state.skip)
		return;
	if (state.text) {
		buf_printf(&state.line, " %s=%lld", key, (long long)value);
	} else {
		json_key(&state.json, key);
		json_int(&state.json, value);
	}
}

void
log_uuid(const char *key, const struct uuid *id)
{
	char text[UUID_TEXT];

	if (state.skip)
		return;
	uuid_text(id, text);
	put_known(key, (struct slice){text, UUID_TEXT - 1});
	state.single = true;
}

void
log_address(const char *key, const struct address *address)
{
	char text[46];

	if (state.skip || address_is_none(address))
		return;
	address_text(address, text);
	put_known(key, slice_of(text));
}

void
log_duration(int64_t us)
{
	log_number("event.duration", us * 1000);
}

void
log_outcome(bool ok)
{
	if (!state.skip)
		put_known("event.outcome", ok ? SLICE("success") : SLICE("failure"));
}

/* The line is complete; false: it is too long. */
static bool
close_line(void)
{
	if (!state.text)
		json_close(&state.json, '}');
	buf_putc(&state.line, '\n');
	return !state.line.failed;
}

static void
write_line(void)
{
	if (!close_line() || !log_out_put(&state.line))
		state.dropped++;
}

void
log_end(void)
{
	if (!state.skip &&
	    (state.single || fold_pass((struct slice){state.line.p, state.line.n}, state.dated)))
		write_line();
}

void
log_end_after_commit(void)
{
	if (state.skip)
		return;
	if (close_line() && buf_put_all(&state.parked, &state.line))
		state.parked_lines++;
	else
		state.dropped++;
}

void
log_settle(bool committed)
{
	if (committed && !log_out_put(&state.parked))
		state.dropped += state.parked_lines;
	buf_clear(&state.parked);
	state.parked_lines = 0;
}

/* The lines lost are themselves worth a line, as soon as one can be written. */
static void
tell_dropped(void)
{
	uint64_t lost = state.dropped - state.told, again;

	if (lost == 0 || !log_out_has_room())
		return;
	log_begin(LOG_LEVEL_WARNING, "log.dropped",
	    "%llu lines were dropped: the reader was too slow or is gone, the disk full, or memory "
	    "too short",
	    (unsigned long long)lost);
	log_end();
	again = log_out_flush(); /* this line, perhaps */
	state.dropped += again;
	if (again == 0)
		state.told += lost;
}

void
log_flush(void)
{
	state.dropped += log_out_flush();
	tell_dropped();
}

/* Standard error may be the pipe that nobody reads: nothing waits for it. */
static void
tell_unwritten(uint64_t lines)
{
	struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (lines > 0 && poll(&room, 1, 0) == 1)
		dprintf(STDERR_FILENO, "tocsin: %llu lines of the log could not be written\n",
		    (unsigned long long)lines);
}

/* As if it came now, with one field more. */
static void
tell_repeated(const struct folded *folded)
{
	const char *date = date_now() + (state.text ? TIME_AT : 0);
	size_t n = state.text ? TIME_LENGTH : DATE_TEXT - 1;

	state.skip = false;
	buf_clear(&state.line);
	buf_put_slice(&state.line, folded->line);
	if (!state.line.failed)
		memcpy(state.line.p + folded->dated - n, date, n);
	state.json = (struct json_writer){.buf = &state.line, .more = true};
	log_number("labels.repeated", (int64_t)folded->repeated);
	write_line();
}

void
log_second(void)
{
	struct folded folded;

	while (fold_next(&folded))
		tell_repeated(&folded);
}

uint64_t
log_dropped(void)
{
	return state.dropped;
}

void
log_stop(void)
{
	log_second();
	log_flush();
	for (int i = 0; i < 5 && log_out_wait(); i++)
		log_flush();
	tell_unwritten(log_out_stop() + state.dropped - state.told);
	state.told = state.dropped;
	buf_free(&state.line);
	buf_free(&state.parked);
	fold_stop();
}

void
log_fatal(const char *message, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, message);
	vsnprintf(text, sizeof text, message, args);
	va_end(args);
	log_begin(LOG_LEVEL_ERROR, "server.stopped", "%s", text);
	log_outcome(false);
	log_end();
	log_stop();
	exit(1);
}
