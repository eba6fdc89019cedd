/*
 * `receive`: a receiver for trying things out, on the gateway's own HTTP server. It prints each
 * webhook and whether its signature verifies, and answers with the status and after the delay asked
 * for.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/clock.h"
#include "gateway/command.h"
#include "gateway/in.h"
#include "gateway/keyring.h"
#include "gateway/turn.h"
#include "proto/date.h"

enum { BODY_MOST = 4 << 20, CONNECTIONS = 1000, PORT_DEFAULT = 9099 };

static struct {
	struct event_base *base;
	int port, status;
	struct keyring keys; /* none: signatures are not looked at */
	int64_t delay;     /* us */
	bool over;
} receive = {.port = PORT_DEFAULT, .status = 200};

/* An answer that is put off. */
struct later {
	struct in_conn *conn; /* NULL: the client has gone */
	struct event *timer;
};

static void
on_gone(void *arg)
{
	((struct later *)arg)->conn = NULL;
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
	struct later *later = arg;
	char text[] = "{}";

	(void)fd;
	(void)what;
	if (later->conn != NULL)
		in_answer(later->conn, receive.status, &(struct buf){.p = text, .n = 2});
	event_free(later->timer);
	free(later);
}

static void
answer_later(struct in_request *request)
{
	struct timeval tv = {receive.delay / CLOCK_S, receive.delay % CLOCK_S};
	struct later *later = calloc(1, sizeof *later);

	if (later != NULL)
		later->timer = evtimer_new(receive.base, on_time, later);
	if (later == NULL || later->timer == NULL) {
		free(later);
		in_detail(request, 503, "no memory");
		return;
	}
	later->conn = in_defer(request, on_gone, later);
	event_base_update_cache_time(receive.base); /* the delay counts from now */
	event_add(later->timer, &tv);
}

/* A receiver is content with one signature that it can verify. */
static const char *
verdict(const struct in_request *request)
{
	const struct keyring *keys = &receive.keys;
	struct slice hmac = http_header(request->head, "X-SIGNATURE");
	struct slice standard = http_header(request->head, "webhook-signature");
	struct sign_message message = {.id = http_header(request->head, "webhook-id"),
	    .timestamp = http_header(request->head, "webhook-timestamp"),
	    .body = {request->body, request->body_n}};

	if (keys->hmac_count + keys->standard_count == 0)
		return "signature not checked (no -k)";
	if ((hmac.n == 0 || keys->hmac_count == 0) &&
	    (standard.n == 0 || keys->standard_count == 0))
		return "signature NOT verified: there is none";
	return keyring_verify_hmac(keys, message.body, hmac) ||
		       keyring_verify_standard(keys, &message, standard)
		   ? "signature verified"
		   : "signature NOT verified";
}

/* What a stranger sent may hold anything: only printable ASCII goes to the terminal as it is. */
static void
print_body(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] >= ' ' && p[i] < 0x7f)
			putchar(p[i]);
		else
			printf("\\x%02x", (unsigned char)p[i]);
	putchar('\n');
}

static void
handle(struct in_request *request)
{
	struct slice id = http_header(request->head, "webhook-id");
	struct slice attempt = http_header(request->head, "X-Attempt");
	char date[DATE_TEXT];

	date_text(clock_wall(), date);
	printf("%s  webhook %.*s  attempt %.*s  %s\n", date, (int)id.n, id.n ? id.p : "",
	    (int)attempt.n, attempt.n ? attempt.p : "", verdict(request));
	print_body(request->body, request->body_n);
	fflush(stdout);
	request->reply.status = receive.status;
	buf_puts(request->reply.body, "{}");
	if (receive.delay > 0)
		answer_later(request);
}

static bool
read_number(const char *text, long least, long most, int *number)
{
	char *end;
	long value = strtol(text, &end, 10);

	*number = (int)value;
	return end != text && *end == '\0' && value >= least && value <= most;
}

enum { OPTION_STATUS = 256, OPTION_DELAY };

static const char *
take_option(void *arg, int id, const char *value)
{
	(void)arg;
	switch (id) {
	case 'p':
		return read_number(value, 0, 65535, &receive.port) ? NULL : "must be 0 to 65535";
	case 'k':
		return keyring_add(&receive.keys, value);
	case OPTION_STATUS:
		return read_number(value, 200, 599, &receive.status) ? NULL
								     : "must be 200 to 599";
	default:
		return conf_parse_time(slice_of(value), &receive.delay)
			   ? NULL
			   : "must be a time, such as 500ms or 5s";
	}
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	receive.over = true;
}

static int
start(void)
{
	struct conf_listener listener = {.address = SLICE("127.0.0.1"),
	    .host = SLICE("127.0.0.1"),
	    .port = receive.port,
	    .serve = SERVE_ALL};
	struct conf conf = {.listeners = &listener,
	    .listener_count = 1,
	    .limits = {.header = 64 << 10,
		.body = BODY_MOST,
		.header_time = 10 * (int64_t)CLOCK_S,
		.body_time = 30 * (int64_t)CLOCK_S,
		.idle_time = 75 * (int64_t)CLOCK_S,
		.connections = CONNECTIONS}};
	char why[256];
	bool opened;

	if (in_start(receive.base, handle) != 0)
		return 1;
	if (in_configure(&conf, why) != 0)
		return command_failed("receive", "port %d: %s", receive.port, why);
	printf("waiting for webhooks on http://%s/\n", in_address(0, &opened));
	fflush(stdout);
	return 0;
}

static int
run_receive(int argc, char **argv)
{
	struct event *term, *interrupt;
	int result;

	if (command_read(argc, argv, 0, take_option, NULL) < 0)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	receive.base = event_base_new();
	if (receive.base == NULL)
		return 1;
	term = evsignal_new(receive.base, SIGTERM, on_signal, NULL);
	interrupt = evsignal_new(receive.base, SIGINT, on_signal, NULL);
	event_add(term, NULL);
	event_add(interrupt, NULL);
	turn_start(receive.base, NULL, NULL); /* the server counts its work there */
	result = start();
	while (result == 0 && !receive.over) {
		in_pass();
		turn_end();
		in_reap();
	}
	in_stop();
	turn_stop();
	event_free(term);
	event_free(interrupt);
	event_base_free(receive.base);
	return result;
}

static const struct command_option receive_options[] = {
    {'p', "port", "PORT", "the port to listen on, 9099 unless given; 0: any"},
    {'k', "key", "KEY", "a key to verify signatures with, as with tocsin verify; again for more"},
    {OPTION_STATUS, "status", "N", "the status to answer with, 200 unless given"},
    {OPTION_DELAY, "delay", "T", "the time to wait before the answer, such as 500ms or 5s"}, {0}};

const struct command command_receive = {.name = "receive",
    .usage = "[-p PORT] [-k KEY]... [--status N] [--delay T]",
    .summary = "a receiver for trying things out",
    .detail = "Listens on 127.0.0.1, prints each webhook that comes and whether its signature "
	      "verifies, and answers it. Without a key signatures are not looked at.",
    .options = receive_options,
    .run = run_receive};
