/* Sockets passed on by the service manager (CONTRACT §10), as LISTEN_FDS and LISTEN_PID say. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/passed.h"

static void
pass(const char *pid, const char *count)
{
	char own[32];

	snprintf(own, sizeof own, "%d", (int)getpid());
	setenv("LISTEN_PID", pid == NULL ? own : pid, 1);
	setenv("LISTEN_FDS", count, 1);
	setenv("LISTEN_FDNAMES", "a:b", 1);
	passed_start();
	assert_null(getenv("LISTEN_PID"));
	assert_null(getenv("LISTEN_FDS"));
	assert_null(getenv("LISTEN_FDNAMES"));
}

/* Another process's, none, or no number. */
static void
test_passed_none(void **state)
{
	char why[256] = "";

	(void)state;
	pass("1", "2");
	assert_int_equal(passed_count(), 0);
	pass(NULL, "0");
	assert_int_equal(passed_count(), 0);
	pass(NULL, "-1");
	assert_int_equal(passed_count(), 0);
	pass(NULL, "2x");
	assert_int_equal(passed_count(), 0);
	pass(NULL, "");
	assert_int_equal(passed_count(), 0);
	assert_int_equal(passed_socket(0, why), -1);
	assert_non_null(strstr(why, "LISTEN_FDS"));
}

static void
put_at(int fd, int at)
{
	if (fd != at) {
		assert_int_equal(dup2(fd, at), at);
		close(fd);
	}
}

/* A socket that listens, one that does not, a datagram socket. */
static void
test_passed_sockets(void **state)
{
	int listening = socket(AF_UNIX, SOCK_STREAM, 0);
	char why[256] = "";

	(void)state;
	listening = fcntl(listening, F_DUPFD, 10);
	assert_int_equal(bind(listening, &(struct sockaddr){AF_UNIX, ""}, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(listening, 1), 0);
	put_at(listening, 3);
	put_at(fcntl(socket(AF_UNIX, SOCK_STREAM, 0), F_DUPFD, 10), 4);
	put_at(fcntl(socket(AF_UNIX, SOCK_DGRAM, 0), F_DUPFD, 10), 5);
	pass(NULL, "3");
	assert_int_equal(passed_count(), 3);
	assert_int_equal(passed_socket(0, why), 3);
	assert_string_equal(why, "");
	assert_int_equal(passed_socket(1, why), -1);
	assert_non_null(strstr(why, "does not listen"));
	assert_int_equal(passed_socket(2, why), -1);
	assert_int_equal(passed_socket(3, why), -1);
	assert_non_null(strstr(why, "LISTEN_FDS"));
	for (int fd = 3; fd < 6; fd++) {
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	}
}

/* What no listener has is closed, once; what one had stays. */
static void
test_passed_settled(void **state)
{
	char why[256] = "";

	(void)state;
	passed_settle(2);
	assert_int_equal(passed_count(), 2);
	assert_int_equal(fcntl(5, F_GETFD), -1);
	passed_settle(0);
	assert_int_equal(passed_count(), 2);
	assert_int_equal(passed_socket(0, why), 3);
	assert_int_equal(passed_socket(2, why), -1);
	assert_non_null(strstr(why, "at the start"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passed_none),
		cmocka_unit_test(test_passed_sockets),
		cmocka_unit_test(test_passed_settled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
