/* `run`, `check`, `key`: what starts from a configuration, or ends up in one. */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "gateway/command.h"
#include "gateway/ids.h"
#include "gateway/server.h"
#include "gateway/tls.h"

static const char default_file[] = "conf/tocsin.json";

/* The value of -c; NULL for anything that is not this command's usage. */
static const char *
option_file(int argc, char **argv)
{
	const char *file = default_file;
	int option;

	opterr = 0;
	while ((option = getopt(argc, argv, "c:")) != -1) {
		if (option != 'c')
			return NULL;
		file = optarg;
	}
	return optind == argc ? file : NULL;
}

static void
report(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "%s\n", line);
}

/* The configuration and the files it names; NULL when there was a fault. */
static struct conf *
load(const char *file)
{
	struct conf *conf = conf_load(file, report, NULL);

	if (conf != NULL && !tls_check(conf, file, report, NULL)) {
		conf_release(conf);
		conf = NULL;
	}
	return conf;
}

int
command_run(int argc, char **argv)
{
	const char *file = option_file(argc, argv);
	struct conf *conf;

	if (file == NULL)
		return command_usage("run");
	conf = load(file);
	return conf == NULL ? 1 : server_run(conf);
}

int
command_check(int argc, char **argv)
{
	const char *file = option_file(argc, argv);
	struct conf *conf;

	if (file == NULL)
		return command_usage("check");
	conf = load(file);
	if (conf == NULL)
		return 1;
	printf("%s is good (services %zu, integrations %zu, webhooks %zu)\n", file,
	    conf->service_count, conf->integration_count, conf->webhook_count);
	conf_release(conf);
	return 0;
}

/* ---- keys -------------------------------------------------------------------------------- */

static void
key_generic(void)
{
	struct uuid id = ids_random_uuid();
	char text[UUID_TEXT];

	uuid_text(&id, text);
	puts(text);
}

/* "int_" and ten letters or digits, as the vendor's are. */
static void
key_pagertree(void)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	fputs("int_", stdout);
	for (int i = 0; i < 10; i++)
		putchar(letters[randombytes_uniform(sizeof letters - 1)]);
	putchar('\n');
}

static void
print_secret(const char *prefix, int variant)
{
	uint8_t secret[32];
	char text[64];

	randombytes_buf(secret, sizeof secret);
	sodium_bin2base64(text, sizeof text, secret, sizeof secret, variant);
	printf("%s%s\n", prefix, text);
	sodium_memzero(secret, sizeof secret);
	sodium_memzero(text, sizeof text);
}

static void
key_hmac(void)
{
	print_secret("", sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

static void
key_standard(void)
{
	print_secret("whsec_", sodium_base64_VARIANT_ORIGINAL);
}

int
command_key(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} kinds[] = {{"generic", key_generic}, {"pagertree", key_pagertree}, {"hmac", key_hmac},
	    {"standard-webhooks", key_standard}, {"token", key_hmac}};

	for (size_t i = 0; argc == 2 && i < COUNT_OF(kinds); i++)
		if (strcmp(argv[1], kinds[i].name) == 0) {
			kinds[i].print();
			return 0;
		}
	return command_usage("key");
}
