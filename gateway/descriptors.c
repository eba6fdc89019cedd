/* Who may have how many descriptors. */
#include "gateway/descriptors.h"

#include <sys/resource.h>

#include "gateway/log.h"

enum { OURS = 64 }; /* log, store, loop, name servers and the like */

static size_t
limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur > INT32_MAX)
		return INT32_MAX;
	return (size_t)files.rlim_cur;
}

void
descriptors_raise(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

size_t
descriptors_for_clients(const struct conf *conf)
{
	size_t all = limit(), others = OURS + conf->listener_count;
	size_t wanted = (size_t)conf->limits.connections, most;

	for (size_t i = 0; i < conf->webhook_count; i++)
		others += (size_t)conf->webhooks[i].max_in_flight;
	most = others < all / 2 ? all - others : all - all / 2;
	if (wanted <= most)
		return wanted;
	log_begin(LOG_LEVEL_WARNING, "server.warning",
	    "limits.connections is %zu, but only %zu fit: the process may have %zu descriptors",
	    wanted, most, all);
	log_end();
	return most;
}
