/*
 * The configuration (CONTRACT §10). Whatever the file: a parse ends, every line that it reports is
 * one line and begins with the file's name, and there is a configuration exactly when nothing but
 * warnings was reported. What was accepted can be used.
 */
#include <stdlib.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char name[] = "fuzz.json";

static void
require(bool truth)
{
	if (!truth)
		abort();
}

struct told {
	size_t lines;
	size_t faults; /* certainly no warnings */
};

static void
check_line(void *arg, const char *line)
{
	struct told *told = arg;

	require(strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':');
	for (const char *p = line; *p != '\0'; p++)
		require((unsigned char)*p >= 0x20 && *p != 0x7f);
	told->lines++;
	told->faults += strstr(line, ": warning: ") == NULL;
}

static void
use(const struct conf *conf)
{
	for (size_t i = 0; i < conf->integration_count; i++) {
		struct conf_integration *in = &conf->integrations[i], *found;

		found = conf_integration_by_key(conf, in->type, in->key);
		require(found == (in->enabled && in->service->enabled ? in : NULL));
	}
	for (size_t i = 0; i < conf->webhook_count; i++) {
		require(conf_webhook_by_name(conf, conf->webhooks[i].name) == &conf->webhooks[i]);
		require(conf->webhooks[i].retry_count > 0 && conf->webhooks[i].target.n > 0);
	}
	for (size_t i = 0; i < conf->service_count; i++)
		require(conf_in_maintenance(&conf->services[i], INT64_MAX / 2) ||
		    !conf->services[i].under_maintenance);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct told told = {0, 0};
	struct conf *conf;

	conf = conf_parse(name, (struct slice){(const char *)data, n}, check_line, &told);
	require(conf == NULL ? told.lines > 0 : told.faults == 0);
	if (conf != NULL)
		use(conf);
	conf_release(conf);
	return 0;
}
