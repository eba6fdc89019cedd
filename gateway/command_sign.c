/*
 * `sign` and `verify`: a body against keys, as the gateway signs and a receiver verifies.
 *
 *     -k KEY          signed             headers
 *     whsec_, whsk_   ID "." T "." body  webhook-id, webhook-timestamp, webhook-signature
 *     whpk_           the same           none: it verifies only
 *     any other       the body           X-SIGNATURE
 *
 * The body is taken as it is, to its last byte: an editor's newline at the end of a file counts.
 */
#include <errno.h>
#include <stdio.h>

#include "gateway/clock.h"
#include "gateway/command.h"
#include "gateway/ids.h"
#include "gateway/keyring.h"

enum { BODY_MOST = 64 << 20, ID_MAX = 256, TIMESTAMP_MAX = 18 };

struct options {
	struct keyring keys;
	const char *id, *timestamp, *signature, *file; /* NULL: not given */
};

/* Without dots, which stand between the parts of what is signed. */
static bool
good_id(const char *text)
{
	size_t n = strlen(text);

	for (const char *p = text; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || *p == '.')
			return false;
	return n > 0 && n <= ID_MAX;
}

static bool
good_timestamp(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return text[n] == '\0' && n > 0 && n <= TIMESTAMP_MAX;
}

static const char *
take_option(void *arg, int id, const char *value)
{
	struct options *options = arg;

	switch (id) {
	case 'k':
		return keyring_add(&options->keys, value);
	case 'i':
		options->id = value;
		return good_id(value) ? NULL : "must be visible ASCII without dots";
	case 't':
		options->timestamp = value;
		return good_timestamp(value) ? NULL : "must be seconds since 1970, in digits";
	default:
		options->signature = value;
		return NULL;
	}
}

static bool
read_options(int argc, char **argv, struct options *options)
{
	int first = command_read(argc, argv, 1, take_option, options);

	if (first < 0)
		return false;
	options->file = first < argc ? argv[first] : NULL;
	if (options->keys.hmac_count + options->keys.standard_count > 0)
		return true;
	command_wrong(argv[0], "a key is missing");
	return false;
}

/* ---- sign -------------------------------------------------------------------------------- */

static bool
print_hmac(const struct keyring *keys, struct slice body)
{
	char signature[SIGN_HMAC_TEXT];

	for (size_t i = 0; i < keys->hmac_count; i++) {
		if (!sign_hmac(keys->hmac[i], body, signature))
			return false;
		printf("X-SIGNATURE: %s\n", signature);
	}
	return true;
}

static bool
print_standard(const struct options *options, struct slice body)
{
	struct uuid random = ids_random_uuid();
	struct sign_message message = {slice_of(options->id), slice_of(options->timestamp), body};
	char id[UUID_TEXT], timestamp[24];
	struct buf signatures;

	uuid_text(&random, id);
	snprintf(timestamp, sizeof timestamp, "%lld", (long long)(clock_wall() / CLOCK_S));
	if (options->id == NULL)
		message.id = slice_of(id);
	if (options->timestamp == NULL)
		message.timestamp = slice_of(timestamp);
	buf_init(&signatures, 4096);
	sign_standard(&signatures, options->keys.standard, options->keys.standard_count, &message);
	buf_putc(&signatures, '\0');
	if (!signatures.failed)
		printf("webhook-id: %s\nwebhook-timestamp: %s\nwebhook-signature: %s\n",
		    message.id.p, message.timestamp.p, signatures.p);
	else
		command_failed("sign", "no memory");
	buf_free(&signatures);
	return !signatures.failed;
}

static bool
has_public(const struct keyring *keys)
{
	for (size_t i = 0; i < keys->standard_count; i++)
		if (keys->standard[i].type == SIGN_KEY_PUBLIC)
			return true;
	return false;
}

static int
run_sign(int argc, char **argv)
{
	struct options options = {0};
	struct buf body;
	bool ok;

	if (!read_options(argc, argv, &options))
		return 2;
	if (has_public(&options.keys))
		return command_wrong("sign", "a whpk_ key is public and cannot sign");
	buf_init(&body, BODY_MOST);
	ok = command_body("sign", options.file, &body) &&
	     print_hmac(&options.keys, buf_slice(&body));
	if (ok && options.keys.standard_count > 0)
		ok = print_standard(&options, buf_slice(&body));
	buf_free(&body);
	return ok ? 0 : 1;
}

#define KEY_OPTION \
	{'k', "key", "KEY", "a key: whsec_, whsk_ or whpk_ of Standard Webhooks, or any other " \
	    "text for X-SIGNATURE; again for more keys, 16 at most"}

static const struct command_option sign_options[] = {KEY_OPTION,
    {'i', "id", "ID", "webhook-id; without it a new one"},
    {'t', "timestamp", "T", "webhook-timestamp, in seconds since 1970; without it now"}, {0}};

const struct command command_sign = {.name = "sign",
    .usage = "-k KEY [-k KEY]... [-i ID] [-t T] [FILE]",
    .summary = "prints the headers that sign a body",
    .detail = "Prints the headers with which the gateway would sign a body, read from FILE or "
	      "standard input. The body is taken to its last byte: the newline at the end of a "
	      "file counts.",
    .options = sign_options,
    .run = run_sign};

/* ---- verify ------------------------------------------------------------------------------ */

static bool
verified(const struct options *options, struct slice body)
{
	struct slice signature = slice_of(options->signature);
	struct sign_message message = {slice_of(options->id), slice_of(options->timestamp), body};

	return keyring_verify_hmac(&options->keys, body, signature) ||
	       keyring_verify_standard(&options->keys, &message, signature);
}

static bool
complete(const struct options *options)
{
	bool standard = options->keys.standard_count > 0;

	if (options->signature == NULL)
		command_wrong("verify", "the signature is missing");
	else if (standard && (options->id == NULL || options->timestamp == NULL))
		command_wrong("verify", "a key of Standard Webhooks needs --id and --timestamp");
	else
		return true;
	return false;
}

static int
run_verify(int argc, char **argv)
{
	struct options options = {0};
	struct buf body;
	int result = 1;

	if (!read_options(argc, argv, &options) || !complete(&options))
		return 2;
	buf_init(&body, BODY_MOST);
	if (command_body("verify", options.file, &body)) {
		result = verified(&options, buf_slice(&body)) ? 0 : 1;
		puts(result == 0 ? "verified" : "NOT verified");
	}
	buf_free(&body);
	return result;
}

static const struct command_option verify_options[] = {KEY_OPTION,
    {'i', "id", "ID", "webhook-id, which keys of Standard Webhooks need"},
    {'t', "timestamp", "T", "webhook-timestamp, which they need too"},
    {'s', "signature", "TEXT", "the value of X-SIGNATURE or webhook-signature"}, {0}};

const struct command command_verify = {.name = "verify",
    .usage = "-k KEY [-k KEY]... [-i ID] [-t T] -s TEXT [FILE]",
    .summary = "says whether a signature of a body verifies with a key",
    .detail = "Says whether a signature of a body, read from FILE or standard input, verifies "
	      "with one of the keys, and exits 0 if it does.",
    .options = verify_options,
    .run = run_verify};
