/* Listeners taken over from one configuration to the next (CONTRACT §10), on real sockets. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/clock.h"
#include "gateway/metrics.h"
#include "gateway/net.h"
#include "gateway/socket.h"
#include "test/unit/gateway/in_fixture.h"

enum { PORTS = 4 };

static unsigned surfaces; /* of the last request */
static struct conf_listener rows[PORTS];
static char addresses[PORTS][32], why[256];
static int ports[PORTS]; /* free ones */

static void
handle(struct in_request *request)
{
	surfaces = request->surfaces;
	in_detail(request, 200, "here");
}

static int
bound(int port)
{
	uint8_t ip[4] = {127, 0, 0, 1};
	struct address address = address_ipv4(ip);
	struct sockaddr_storage name;
	socklen_t n = net_sockaddr(&address, port, &name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&name, n), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static int
setup(void **state)
{
	struct sockaddr_storage name;
	int fds[PORTS];

	(void)state;
	start_loop();
	for (int i = 0; i < PORTS; i++) {
		fds[i] = bound(0);
		net_local(fds[i], &name);
		ports[i] = net_port(&name);
		snprintf(addresses[i], sizeof addresses[i], "127.0.0.1:%d", ports[i]);
		rows[i] = (struct conf_listener){.address = slice_of(addresses[i]),
		    .host = SLICE("127.0.0.1"),
		    .port = ports[i],
		    .serve = SERVE_ALL};
	}
	for (int i = 0; i < PORTS; i++)
		close(fds[i]);
	return in_start(base, handle);
}

/* The listeners that `which` numbers, in that order. */
static int
configure(const char *which)
{
	struct conf_listener listeners[PORTS];
	struct conf conf = {.listeners = listeners,
	    .limits = {.header = 4096,
		.body = 4096,
		.header_time = 10 * CLOCK_S,
		.body_time = 10 * CLOCK_S,
		.idle_time = 10 * CLOCK_S,
		.connections = 100}};
	int result;

	for (; *which != '\0'; which++)
		listeners[conf.listener_count++] = rows[*which - '0'];
	result = in_configure(&conf, why);
	memset(listeners, 0x5a, sizeof listeners); /* nothing of it is needed any more */
	return result;
}

static int
dial(int i)
{
	uint8_t ip[4] = {127, 0, 0, 1};
	struct address address = address_ipv4(ip);
	struct sockaddr_storage name;
	socklen_t n = net_sockaddr(&address, ports[i], &name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&name, n) == 0)
		return fd;
	assert_int_equal(errno, ECONNREFUSED);
	close(fd);
	return -1;
}

/* Turns the loop until something comes, or for 50 ms; what came as text, "" at the end of the
 * stream, NULL for nothing. */
static const char *
hear(int fd)
{
	static char text[4096];
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	ssize_t n;

	for (int i = 0; i < 50; i++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		turn_end();
		in_reap();
		if (poll(&ready, 1, 1) == 1)
			break;
	}
	n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
	text[n < 0 ? 0 : n] = '\0';
	return n < 0 ? NULL : text;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

#define REQUEST "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static bool
is_answered(int fd)
{
	const char *answer;

	say(fd, REQUEST);
	answer = hear(fd);
	return answer != NULL && strncmp(answer, "HTTP/1.1 200 OK\r\n", 17) == 0;
}

static void
test_listen_order(void **state)
{
	const char *address;
	bool opened;

	(void)state;
	assert_int_equal(configure("20"), 0);
	address = in_address(0, &opened);
	assert_string_equal(address, addresses[2]);
	assert_true(opened);
	assert_int_equal(configure("10"), 0);
	assert_string_equal(in_address(0, &opened), addresses[1]);
	assert_true(opened);
	assert_string_equal(in_address(1, &opened), addresses[0]);
	assert_false(opened);
	assert_null(in_address(2, &opened));
}

/* Its connections too, and what it serves is what it serves now. */
static void
test_listen_stays(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(configure("01"), 0);
	fd = dial(0);
	assert_true(is_answered(fd));
	assert_int_equal(surfaces, SERVE_ALL);
	rows[0].serve = SERVE_INGEST;
	assert_int_equal(configure("20"), 0);
	assert_true(is_answered(fd));
	assert_int_equal(surfaces, SERVE_INGEST);
	close(fd);
}

static void
test_listen_gone(void **state)
{
	int quiet, busy, other;
	const char *answer;

	(void)state;
	assert_int_equal(configure("01"), 0);
	quiet = dial(0);
	busy = dial(0);
	other = dial(1);
	assert_true(is_answered(quiet) && is_answered(busy) && is_answered(other));
	say(busy, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
	assert_null(hear(busy));
	assert_int_equal(configure("1"), 0);
	assert_int_equal(dial(0), -1);
	assert_string_equal(hear(quiet), "");
	assert_true(is_answered(other));
	say(busy, "cd");
	answer = hear(busy);
	assert_non_null(strstr(answer, "200 OK\r\n"));
	assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
	assert_string_equal(hear(busy), "");
	assert_int_equal(in_count(), 2); /* and `other`; `busy` waits for us to close */
	close(quiet);
	close(busy);
	hear(other);
	assert_int_equal(in_count(), 1);
	close(other);
}

static void
test_listen_all_or_nothing(void **state)
{
	int taken, fd;
	bool opened;

	(void)state;
	assert_int_equal(configure("0"), 0);
	fd = dial(0);
	assert_true(is_answered(fd));
	taken = bound(ports[2]);
	assert_int_equal(configure("123"), -1);
	assert_non_null(strstr(why, addresses[2]));
	assert_non_null(strstr(why, "in use"));
	assert_true(is_answered(fd));
	assert_int_equal(dial(1), -1);
	assert_int_equal(dial(3), -1);
	assert_string_equal(in_address(0, &opened), addresses[0]);
	assert_null(in_address(1, &opened));
	close(taken);
	assert_int_equal(configure("123"), 0);
	assert_string_equal(hear(fd), "");
	close(fd);
}

/* Two of them with port 0 stay two. */
static void
test_listen_any_port(void **state)
{
	char first[64], second[64];
	bool opened;

	(void)state;
	rows[0].address = rows[1].address = SLICE("127.0.0.1:0");
	rows[0].port = rows[1].port = 0;
	assert_int_equal(configure("01"), 0);
	snprintf(first, sizeof first, "%s", in_address(0, &opened));
	snprintf(second, sizeof second, "%s", in_address(1, &opened));
	assert_string_not_equal(first, second);
	assert_int_equal(configure("10"), 0);
	assert_string_equal(in_address(0, &opened), first);
	assert_false(opened);
	assert_string_equal(in_address(1, &opened), second);
	assert_false(opened);
}

static bool
counted(const char *line)
{
	struct conf conf = {0};
	struct metrics_walk walk = {.conf = &conf};
	struct buf text = {.ceiling = 1 << 20};
	bool found;

	while (metrics_write(&walk, &text, 1 << 16))
		continue;
	buf_putc(&text, '\0');
	found = strstr(text.p, line) != NULL;
	buf_free(&text);
	return found;
}

/* As good as gone: every request is refused, and counted for what it is (CONTRACT §2, §13). */
static void
test_listen_turned_away(void **state)
{
	const char *answer;
	int fd;

	(void)state;
	assert_int_equal(configure("0"), 0);
	fd = dial(0);
	assert_true(is_answered(fd));
	assert_true(counted("rejected_total{reason=\"draining\"} 0\n"));
	in_turn_away();
	say(fd, REQUEST);
	answer = hear(fd);
	assert_non_null(answer);
	assert_memory_equal(answer, "HTTP/1.1 503 ", 13);
	assert_true(counted("rejected_total{reason=\"draining\"} 1\n"));
	close(fd);
}

/* What is accepted sends small answers at once, without a call for each. */
static void
test_listen_no_delay(void **state)
{
	struct listening listening;
	socklen_t n = sizeof(int);
	int client, accepted, on = 0;

	(void)state;
	assert_int_equal(socket_listen(&listening, &rows[0], 0, why), 0);
	client = dial(0);
	accepted = accept(listening.fd, NULL, NULL);
	assert_int_equal(getsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, &n), 0);
	assert_int_equal(on, 1);
	close(accepted);
	close(client);
	socket_close(&listening);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_listen_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listen_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listen_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listen_all_or_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listen_any_port, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listen_turned_away, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listen_no_delay, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
