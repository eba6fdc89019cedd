/*
 * A process that is not "dumpable" is no longer its user's in /proc: its memory cannot be read or
 * traced without privileges. Its own /proc/self stays open to itself, which the log depends on.
 */
#include "gateway/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where one of the first three descriptors is closed, the next file that is opened would get its
 * number, and what is printed with it. Instead it is open the wrong way round: using it fails. */
static void
open_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return;
}

void
process_guard(void)
{
	open_standard();
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void
on_bus_error(int number)
{
	static const char why[] = "tocsin: the store's file cannot be read: it is cut off (by a "
				  "copy that did not end?), or its disk fails\n";
	ssize_t n = write(STDERR_FILENO, why, sizeof why - 1);

	(void)number;
	(void)n;
	_exit(1);
}

void
process_name_bus_errors(void)
{
	signal(SIGBUS, on_bus_error);
}

void
process_prepare(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	umask(077);
}
