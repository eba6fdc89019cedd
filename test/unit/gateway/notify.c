/* Messages to the service manager, as a socket hears them (sd_notify(3)). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/clock.h"
#include "gateway/notify.h"

static int manager = -1;

/* A socket with an abstract name that the kernel chooses. */
static int
open_manager(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t n = sizeof address.sun_family;
	char name[sizeof address.sun_path + 1] = "@";

	(void)state;
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&address, n), 0);
	n = sizeof address;
	assert_int_equal(getsockname(manager, (struct sockaddr *)&address, &n), 0);
	n -= (socklen_t)offsetof(struct sockaddr_un, sun_path);
	memcpy(name + 1, address.sun_path + 1, n - 1);
	setenv("NOTIFY_SOCKET", name, 1);
	return 0;
}

static int
close_manager(void **state)
{
	(void)state;
	notify_stop();
	close(manager);
	return 0;
}

static const char *
heard(void)
{
	static char message[1024];
	ssize_t n = recv(manager, message, sizeof message - 1, 0);

	message[n < 0 ? 0 : n] = '\0';
	return message;
}

static void
test_notify_reload(void **state)
{
	int64_t before = clock_mono(), at;
	long long us;

	(void)state;
	notify_start();
	assert_null(getenv("NOTIFY_SOCKET"));
	notify_reloading();
	assert_int_equal(sscanf(heard(), "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading", &us),
	    1);
	at = us;
	assert_true(at >= before && at <= clock_mono());
	notify_ready("serving");
	assert_string_equal(heard(), "READY=1\nSTATUS=serving");
}

static void
test_notify_status_once(void **state)
{
	(void)state;
	notify_start();
	notify_ready("serving");
	assert_string_equal(heard(), "READY=1\nSTATUS=serving");
	notify_status("serving");
	assert_string_equal(heard(), "");
	notify_status("full");
	assert_string_equal(heard(), "STATUS=full");
	notify_reloading();
	heard();
	notify_status("full");
	assert_string_equal(heard(), "STATUS=full");
}

static void
test_notify_watchdog(void **state)
{
	char own[32];

	(void)state;
	setenv("WATCHDOG_USEC", "3000000", 1);
	snprintf(own, sizeof own, "%d", (int)getpid());
	setenv("WATCHDOG_PID", own, 1);
	notify_start();
	assert_int_equal(notify_watchdog(), 1500000);
	notify_alive();
	assert_string_equal(heard(), "WATCHDOG=1");
}

/* A manager that does not read costs messages, not time. */
static void
test_notify_stalled(void **state)
{
	int64_t before = clock_mono();

	(void)state;
	notify_start();
	for (int i = 0; i < 10000; i++)
		notify_alive();
	assert_true(clock_mono() - before < 5 * (int64_t)CLOCK_S);
	assert_string_equal(heard(), "WATCHDOG=1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_notify_reload, open_manager, close_manager),
	    cmocka_unit_test_setup_teardown(test_notify_status_once, open_manager, close_manager),
	    cmocka_unit_test_setup_teardown(test_notify_watchdog, open_manager, close_manager),
	    cmocka_unit_test_setup_teardown(test_notify_stalled, open_manager, close_manager),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
