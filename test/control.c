/*
 * The channel through which tests push the clocks and inject faults: linked into build/test/tocsin
 * only. A unix datagram socket at $TOCSIN_CONTROL; each command is answered with one datagram to the
 * address it came from, "ok ..." or "error ...".
 *
 *   advance SECONDS     all clocks go forward
 *   step SECONDS        the wall clock is stepped
 *   hold                all clocks stand still, but for these two
 *   repeat NUMBER       the random bytes that come next follow from it
 *   fail-commit N [M [R]]  after M more commits, N fail with result R of the store; without R as
 *                       if the disk were full
 *   turns               the longest pass of the loop (us of processor time: neither a busy machine
 *                       nor a slow disk lengthens it), and the number of turns
 *   rows                rows of every table
 */
#include <event2/event_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "gateway/apply.h"
#include "gateway/clock.h"
#include "gateway/ids.h"
#include "gateway/log.h"
#include "gateway/server.h"
#include "gateway/turn.h"
#include "store/store.h"

static int passing; /* commits that are still to succeed before that */
static int failing; /* commits that are then to fail */
static int failure; /* with this result */

static int64_t pass_began;   /* processor time, us */
static int64_t longest_pass; /* since tests asked last */

static int
fail_commit(void)
{
	if (passing > 0 || failing == 0) {
		passing -= passing > 0;
		return STORE_OK;
	}
	failing--;
	return failure;
}

/* Clocks that were pushed before a restart stay pushed: the new process is of the same boot. */
__attribute__((constructor)) static void
push_clocks(void)
{
	const char *seconds = getenv("TOCSIN_SHIFT");

	if (seconds != NULL)
		clock_advance((int64_t)(atof(seconds) * CLOCK_S));
}

static int64_t
processor_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * CLOCK_S + t.tv_nsec / 1000;
}

void
server_test_pass(void)
{
	int64_t now = processor_time();

	if (now - pass_began > longest_pass)
		longest_pass = now - pass_began;
	pass_began = now;
}

static void
put_turns(struct buf *answer)
{
	server_test_pass(); /* as far as it has come */
	buf_printf(answer, " %lld %llu", (long long)longest_pass, (unsigned long long)turn_count());
	longest_pass = 0;
}

static void
put_rows(void *arg, const char *table, uint64_t rows)
{
	buf_printf(arg, " %s=%llu", table, (unsigned long long)rows);
}

static void
run_command(const char *text, struct buf *answer)
{
	double seconds;
	unsigned number;

	buf_puts(answer, "ok");
	if (sscanf(text, "advance %lf", &seconds) == 1) {
		clock_advance((int64_t)(seconds * CLOCK_S));
		apply_wake();
	} else if (sscanf(text, "step %lf", &seconds) == 1) {
		clock_step((int64_t)(seconds * CLOCK_S));
	} else if (strcmp(text, "hold") == 0) {
		clock_hold();
	} else if (sscanf(text, "repeat %u", &number) == 1) {
		ids_repeat(number);
	} else if (strncmp(text, "fail-commit ", 12) == 0) {
		passing = 0;
		failure = STORE_FULL;
		sscanf(text, "fail-commit %d %d %d", &failing, &passing, &failure);
		store_commit_fault = fail_commit;
	} else if (strcmp(text, "turns") == 0) {
		put_turns(answer);
	} else if (strcmp(text, "rows") == 0) {
		store_count(turn_read(), put_rows, answer);
	} else {
		buf_clear(answer);
		buf_puts(answer, "error: unknown command");
	}
}

static void
on_datagram(evutil_socket_t fd, short what, void *arg)
{
	char text[256], room[1024];
	struct sockaddr_un from;
	socklen_t from_n = sizeof from;
	struct buf answer = {.ceiling = sizeof room};
	ssize_t n = recvfrom(fd, text, sizeof text - 1, 0, (struct sockaddr *)&from, &from_n);

	(void)what;
	(void)arg;
	if (n < 0)
		return;
	text[n] = '\0';
	run_command(text, &answer);
	sendto(fd, answer.p, answer.n, MSG_DONTWAIT, (struct sockaddr *)&from, from_n);
	buf_free(&answer);
}

void
server_test_setup(struct event_base *base)
{
	const char *path = getenv("TOCSIN_CONTROL");
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	static struct event event; /* for as long as the process lives */
	int fd;

	if (path == NULL)
		return;
	snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
	remove(path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof name) != 0)
		log_fatal("no control socket at %s", path);
	event_assign(&event, base, fd, EV_READ | EV_PERSIST, on_datagram, NULL);
	if (event_add(&event, NULL) != 0)
		log_fatal("no memory for the control socket");
}
