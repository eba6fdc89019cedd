/* `run`, `check`, `key`: what starts from a configuration, or ends up in one. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/command.h"
#include "gateway/ids.h"
#include "gateway/server.h"
#include "gateway/tls.h"

const char *
command_file(const char *given)
{
	static const char here[] = "conf/tocsin.json", installed[] = "/etc/tocsin/tocsin.json";

	if (given != NULL)
		return given;
	return access(here, F_OK) != 0 && access(installed, F_OK) == 0 ? installed : here;
}

static const char *
take_file(void *arg, int id, const char *value)
{
	(void)id;
	*(const char **)arg = value;
	return NULL;
}

/* The value of -c, or what stands for it; NULL for anything that is not the command's usage. */
static const char *
read_file(int argc, char **argv)
{
	const char *file = NULL;

	return command_read(argc, argv, 0, take_file, &file) < 0 ? NULL : command_file(file);
}

static void
report(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "%s\n", line);
}

struct conf *
command_load(const char *file, bool files)
{
	return conf_load(file, files ? &tls_files : NULL, report, NULL);
}

static int
run_gateway(int argc, char **argv)
{
	const char *file = read_file(argc, argv);
	struct conf *conf;

	if (file == NULL)
		return 2;
	conf = command_load(file, true);
	return conf == NULL ? 1 : server_run(conf, file);
}

static int
run_check(int argc, char **argv)
{
	const char *file = read_file(argc, argv);
	struct conf *conf;

	if (file == NULL)
		return 2;
	conf = command_load(file, true);
	if (conf == NULL)
		return 1;
	printf("%s is good (services %zu, integrations %zu, webhooks %zu)\n", file,
	    conf->service_count, conf->integration_count, conf->webhook_count);
	conf_release(conf);
	return 0;
}

static const struct command_option file_options[] = {COMMAND_FILE_OPTION, {0}};

const struct command command_run = {.name = "run",
    .usage = "[-c FILE]",
    .summary = "runs the gateway",
    .detail = "Runs the gateway in the foreground, with its log on standard output.\n\n"
	      "SIGTERM and SIGINT stop it: for as long as \"drain\" in the configuration says it "
	      "serves on, but is not ready any more; then requests and deliveries under way come "
	      "to their end. A second one ends it at once; nothing that was answered is lost by "
	      "that.\n\nSIGHUP has it take its configuration over anew, as a whole or, if there "
	      "is a mistake in it, not at all; the log says which.",
    .options = file_options,
    .run = run_gateway};

const struct command command_check = {.name = "check",
    .usage = "[-c FILE]",
    .summary = "checks a configuration and lists every error",
    .detail = "Reads a configuration as the gateway would, with the files that it names. Every "
	      "error is a line on standard error, FILE:LINE:COLUMN: key: what is wrong. Without "
	      "any, one line says what the file holds.",
    .options = file_options,
    .run = run_check};

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

static int
run_key(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} kinds[] = {{"generic", key_generic}, {"pagertree", key_pagertree}, {"hmac", key_hmac},
	    {"standard-webhooks", key_standard}, {"token", key_hmac}};
	int first = command_read(argc, argv, 1, NULL, NULL);

	if (first < 0)
		return 2;
	for (size_t i = 0; first < argc && i < COUNT_OF(kinds); i++)
		if (strcmp(argv[first], kinds[i].name) == 0) {
			kinds[i].print();
			return 0;
		}
	return command_wrong("key", "a key for what? generic, pagertree, hmac, "
				    "standard-webhooks or token");
}

const struct command command_key = {.name = "key",
    .usage = "generic|pagertree|hmac|standard-webhooks|token",
    .summary = "makes a key",
    .detail = "Makes a key from random bytes and prints it: for a generic or a PagerTree "
	      "integration, for the auth of a webhook (hmac, standard-webhooks), or a token for "
	      "the API.",
    .run = run_key};
