/* Answers that wait for the turn's commit (CONTRACT §1.1), on a real socket. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/clock.h"
#include "gateway/in_parts.h" /* what the loop watches */
#include "test/unit/gateway/in_fixture.h"

static size_t size; /* of an answer's body */

/* Parks its answer, and has the loop say at once that there is room for bytes: so it does where TLS
 * wanted to write before it could read. */
static void
handle(struct in_request *request)
{
	request->reply.status = 200;
	for (size_t i = 0; i < size; i++)
		buf_putc(request->reply.body, 'x');
	in_park(request);
	event_active(&request->conn->write, EV_WRITE, 0);
}

static int
setup(void **state)
{
	struct conf_listener listener = {.address = SLICE("127.0.0.1:0"),
	    .host = SLICE("127.0.0.1"),
	    .serve = SERVE_ALL};
	struct conf conf = {.listeners = &listener,
	    .listener_count = 1,
	    .limits = {.header = 512,
		.header_time = 9 * CLOCK_S,
		.idle_time = 9 * CLOCK_S,
		.connections = 9}};
	char why[256];

	(void)state;
	start_loop();
	return in_start(base, handle) | in_configure(&conf, why);
}

static int
dial(void)
{
	struct sockaddr_storage name;
	socklen_t n = sizeof name;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(getsockname(in.listeners[0]->socket.fd, (struct sockaddr *)&name, &n), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&name, n), 0);
	return fd;
}

/* Bytes that have come; 0: none. */
static size_t
heard(int fd)
{
	static char bytes[1 << 16];
	ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

	assert_true(n > 0 || errno == EAGAIN);
	return n > 0 ? (size_t)n : 0;
}

/* Small answers and large ones are kept in different places; neither leaves before the commit. */
static void
test_park_until_the_commit(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

	(void)state;
	for (size = 10; size <= 10000; size *= 10) {
		int fd = dial();

		assert_int_equal(send(fd, text, sizeof text - 1, 0), sizeof text - 1);
		while (in.parked_count == 0)
			in_pass();
		assert_int_equal(heard(fd), 0);
		turn_end();
		assert_true(heard(fd) > size);
		assert_int_equal(in.parked_count, 0);
		close(fd);
		while (in.count > 0) {
			in_pass();
			in_reap();
		}
		assert_int_equal(in.counts[IN_CLOSED], 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_park_until_the_commit, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
