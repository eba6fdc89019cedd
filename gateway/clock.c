/* The only reader of time. See clock.h for what each clock is for. */
#include "gateway/clock.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static int64_t wall_shift;    /* what tests added to the wall clock */
static int64_t boot_shift;    /* what tests added to the boot clock */
static int64_t steady_offset; /* steady = boot + offset */
static bool started;
static bool held;             /* tests stopped both, at these times */
static int64_t held_wall, held_boot;

static int64_t
read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * CLOCK_S + t.tv_nsec / 1000;
}

static int64_t
boot(void)
{
	return (held ? held_boot : read_clock(CLOCK_BOOTTIME)) + boot_shift;
}

int64_t
clock_wall(void)
{
	return (held ? held_wall : read_clock(CLOCK_REALTIME)) + wall_shift;
}

int64_t
clock_steady(void)
{
	return started ? boot() + steady_offset : clock_wall();
}

int64_t
clock_mono(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* The kernel's id of this boot; all zero where it cannot be read, which no boot has. */
static void
boot_id(uint8_t id[16])
{
	char text[UUID_TEXT];
	struct uuid uuid = {{0}};
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (read(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1 &&
		    !uuid_parse((struct slice){text, sizeof text - 1}, &uuid))
			uuid = (struct uuid){{0}};
		close(fd);
	}
	memcpy(id, uuid.b, sizeof uuid.b);
}

void
clock_start(const struct meta *meta)
{
	static const uint8_t unknown[16];
	uint8_t id[16];
	int64_t steady, now = boot();

	boot_id(id);
	if (memcmp(id, meta->boot_id, sizeof id) == 0 && memcmp(id, unknown, sizeof id) != 0 &&
	    now >= meta->boot_time)
		steady = meta->steady + (now - meta->boot_time);
	else
		steady = clock_wall() > meta->steady ? clock_wall() : meta->steady;
	steady_offset = steady - now;
	started = true;
}

void
clock_save(struct meta *meta)
{
	static uint8_t id[16];
	static bool known;

	if (!known) {
		boot_id(id);
		known = true;
	}
	memcpy(meta->boot_id, id, sizeof id);
	meta->boot_time = boot();
	meta->steady = meta->boot_time + steady_offset;
}

void
clock_advance(int64_t us)
{
	wall_shift += us;
	boot_shift += us;
}

void
clock_step(int64_t us)
{
	wall_shift += us;
}

void
clock_hold(void)
{
	held_wall = read_clock(CLOCK_REALTIME);
	held_boot = read_clock(CLOCK_BOOTTIME);
	held = true;
}
