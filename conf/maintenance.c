/*
 * Windows of maintenance. A window that repeats is the same one moved by a multiple of `repeat`:
 *
 *     start      end        start+repeat           start+2·repeat   repeat_until
 *     ├──────────┤          ├──────────┤           ├──────────┤     │    (none begins here)
 *
 * As it is shorter than its repeat, only the one that began last can hold a given time.
 */
#include "conf/conf.h"

static bool
in_window(const struct conf_window *window, int64_t now)
{
	int64_t start = window->start;

	if (now < start)
		return false;
	if (window->repeat > 0)
		start += (now - start) / window->repeat * window->repeat;
	if (window->repeat_until != 0 && start > window->repeat_until)
		return false;
	return now - start < window->end - window->start;
}

bool
conf_in_maintenance(const struct conf_service *service, int64_t now)
{
	if (service->under_maintenance)
		return true;
	for (size_t i = 0; i < service->window_count; i++)
		if (in_window(&service->windows[i], now))
			return true;
	return false;
}
