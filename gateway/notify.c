/*
 * One datagram a message, "KEY=value" lines, to the socket that NOTIFY_SOCKET names: a path, or an
 * abstract name that begins with '@' there and with a NUL in the address. A manager that does not
 * read must not stop the loop, so what does not fit at once is lost.
 */
#include "gateway/notify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/clock.h"

enum { MESSAGE_MAX = 512 };

static struct {
	int fd; /* connected; -1: nobody is told */
	int64_t watchdog;
	char said[MESSAGE_MAX]; /* the last status */
} notify = {.fd = -1};

static void
connect_to(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t n = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof address.sun_path)
		return;
	memcpy(address.sun_path, name, n);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	notify.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (notify.fd >= 0 && connect(notify.fd, (struct sockaddr *)&address,
				  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) != 0)
		notify_stop();
}

/* The watchdog is meant for us unless WATCHDOG_PID names another process. */
static int64_t
read_watchdog(void)
{
	const char *limit = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	long long us = limit == NULL ? 0 : strtoll(limit, NULL, 10);

	if (pid != NULL && strtoll(pid, NULL, 10) != getpid())
		return 0;
	return us > 0 ? us / 2 : 0;
}

void
notify_start(void)
{
	const char *name = getenv("NOTIFY_SOCKET");

	if (name != NULL)
		connect_to(name);
	if (notify.fd >= 0)
		notify.watchdog = read_watchdog();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void
notify_stop(void)
{
	if (notify.fd >= 0)
		close(notify.fd);
	notify.fd = -1;
	notify.watchdog = 0;
	notify.said[0] = '\0';
}

static void PRINTF(1, 2)
tell(const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list args;
	int n;

	if (notify.fd < 0)
		return;
	va_start(args, format);
	n = vsnprintf(message, sizeof message, format, args);
	va_end(args);
	if (n > 0 && (size_t)n < sizeof message)
		send(notify.fd, message, (size_t)n, MSG_NOSIGNAL);
}

static void
remember(const char *status)
{
	snprintf(notify.said, sizeof notify.said, "%s", status);
}

void
notify_ready(const char *status)
{
	remember(status);
	tell("READY=1\nSTATUS=%s", status);
}

/* The manager compares the time with that of the reload it asked for. */
void
notify_reloading(void)
{
	remember("reloading the configuration");
	tell("RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=%s", (long long)clock_mono(), notify.said);
}

void
notify_stopping(const char *status)
{
	remember(status);
	tell("STOPPING=1\nSTATUS=%s", status);
}

void
notify_status(const char *status)
{
	if (strcmp(status, notify.said) == 0)
		return;
	remember(status);
	tell("STATUS=%s", status);
}

int64_t
notify_watchdog(void)
{
	return notify.watchdog;
}

void
notify_alive(void)
{
	tell("WATCHDOG=1");
}
