/*
 * `try`: the dry run of a body without a gateway (CONTRACT §7), by the code that the gateway runs:
 * an engine on a new store in a directory of its own, in which nothing is open.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/clock.h"
#include "gateway/command.h"
#include "gateway/engine.h"
#include "gateway/ids.h"
#include "gateway/route.h"
#include "gateway/screen.h"
#include "gateway/try.h"

enum { BODY_MOST = 64 << 20, STORE_SIZE = 256 << 20, WHY_SIZE = 256, DEPTH_MOST = 600 };
enum { OPTION_JSON = 256 };

struct options {
	const char *file, *key, *body;
	bool json;
};

/* ---- for people --------------------------------------------------------------------------- */

struct page {
	struct screen screen;
	struct buf line;
};

/* One line, so far to the right: words of ours, and then text of anybody's, made harmless. */
static void
say(struct page *page, int indent, const char *words, struct slice text)
{
	buf_clear(&page->line);
	buf_printf(&page->line, "%*s%s", indent, "", words);
	screen_put(&page->line, text, page->screen.utf8);
	printf("%.*s\n", (int)page->line.n, page->line.p == NULL ? "" : page->line.p);
}

static struct slice
text_of(const struct json *object, const char *key)
{
	struct slice text = {NULL, 0};

	return json_scalar(json_get(object, key), &text) ? text : (struct slice){NULL, 0};
}

static bool
is_true(const struct json *object, const char *key)
{
	return slice_is(text_of(object, key), SLICE("true"));
}

static const struct json *
first_of(const struct json *object, const char *key)
{
	const struct json *list = json_get(object, key);

	return list == NULL ? NULL : list->first;
}

/* payload.host equals "a": it is "b" */
static void
say_test(struct page *page, const struct json *test)
{
	const struct json *found = json_get(test, "found"), *wanted = json_get(test, "wanted");
	bool there = found != NULL && found->type != JSON_NULL;
	struct buf words = {.ceiling = 1 << 20};
	struct json_writer w = {.buf = &words};

	buf_puts(&words, is_true(test, "held") ? "yes: " : "no:  ");
	buf_put_slice(&words, text_of(test, "path"));
	buf_putc(&words, ' ');
	buf_put_slice(&words, text_of(test, "op"));
	buf_putc(&words, ' ');
	if (wanted != NULL && wanted->type != JSON_NULL)
		json_tree(&w, wanted);
	w.more = false;
	buf_puts(&words, there ? "; it is " : "; it is not there");
	if (there)
		json_tree(&w, found);
	say(page, 6, "", buf_slice(&words));
	buf_free(&words);
}

static void
say_value(struct page *page, const struct json *value, const char *name)
{
	struct buf words = {.ceiling = 1 << 20};
	struct json_writer w = {.buf = &words};

	buf_put_slice(&words, text_of(value, name));
	buf_puts(&words, " = ");
	json_tree(&w, json_get(value, "value"));
	say(page, 6, "", buf_slice(&words));
	buf_free(&words);
}

/* The blocks or the rules; values: what the list of what they set is called, name: of one. */
static void
say_steps(struct page *page, const struct json *alert, const char *list, const char *number,
    const char *values, const char *name)
{
	const struct json *step = first_of(alert, list), *at;
	char words[64];

	for (; step != NULL; step = step->next) {
		struct slice n = text_of(step, number);

		snprintf(words, sizeof words, "%s %.*s %s%s", number, (int)n.n, n.p,
		    is_true(step, "held") ? "holds" : "does not hold",
		    text_of(step, "description").n > 0 ? ": " : "");
		say(page, 2, words, text_of(step, "description"));
		for (at = first_of(step, "tests"); at != NULL; at = at->next)
			say_test(page, at);
		for (at = first_of(step, values); at != NULL; at = at->next)
			say_value(page, at, name);
	}
}

static void
say_webhook(struct page *page, const struct json *webhook)
{
	say(page, 2, "webhook ", text_of(webhook, "webhook"));
	for (const struct json *at = first_of(webhook, "headers"); at != NULL; at = at->next) {
		struct buf words = {.ceiling = 1 << 20};

		buf_put_slice(&words, at->first->text);
		buf_puts(&words, ": ");
		buf_put_slice(&words, at->first->next->text);
		say(page, 6, "", buf_slice(&words));
		buf_free(&words);
	}
	say(page, 6, "", text_of(webhook, "body"));
}

static void
say_alert(struct page *page, const struct json *alert, int number)
{
	static const char *const fields[] = {"alert_type", "message", "summary", "entity_id"};
	char words[64];

	snprintf(words, sizeof words, "alert %d: ", number);
	say(page, 0, words, text_of(alert, "outcome"));
	say_steps(page, alert, "mapping", "block", "set", "field");
	say_steps(page, alert, "rules", "rule", "actions", "action");
	if (text_of(alert, "error").n > 0)
		say(page, 2, "error: ", text_of(alert, "error"));
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		snprintf(words, sizeof words, "%s: ", fields[i]);
		if (text_of(json_get(alert, "alert"), fields[i]).n > 0)
			say(page, 2, words, text_of(json_get(alert, "alert"), fields[i]));
	}
	for (const struct json *at = first_of(alert, "webhooks"); at != NULL; at = at->next)
		say_webhook(page, at);
}

static bool
is_refused(const struct json *root)
{
	return !slice_is(text_of(root, "status"), SLICE("200"));
}

static void
print_text(const struct json *root)
{
	struct page page;
	int number = 0;

	screen_open(&page.screen, stdout);
	buf_init(&page.line, BODY_MOST);
	if (is_refused(root))
		say(&page, 0, "refused: ", text_of(root, "error"));
	else if (text_of(root, "error").n > 0)
		say(&page, 0, "nothing to do: ", text_of(root, "error"));
	for (const struct json *at = first_of(root, "alerts"); at != NULL; at = at->next)
		say_alert(&page, at, ++number);
	buf_free(&page.line);
}

/* ---- the run ------------------------------------------------------------------------------ */

/* An engine with the configuration on a new store; false: without memory or room. */
static bool
start(struct store *store, struct conf *conf)
{
	static const uint8_t hash_key[16];
	struct txn *txn = store_write(store);
	bool ok;

	if (txn == NULL)
		return false;
	route_configure(conf);
	ids_start(&(struct uuid){{0}}, conf->node);
	ok = engine_start(txn, hash_key, &try_watch) == 0 &&
	     engine_configure(txn, conf, clock_wall()) == 0;
	engine_settle(ok);
	return store_commit(txn) == STORE_OK && ok;
}

static bool
run_in(struct store *store, struct conf *conf, const struct conf_integration *integration,
    struct buf *body, struct buf *out)
{
	struct json_writer w = {.buf = out};
	struct txn *txn = start(store, conf) ? store_write(store) : NULL;

	if (txn != NULL)
		try_body(&w, txn, integration, body->p, body->n);
	store_abort(txn);
	engine_stop();
	return txn != NULL && !out->failed;
}

static void
remove_store(const char *dir)
{
	static const char *const files[] = {"data.mdb", "lock.mdb", "owner.lock"};
	char path[PATH_MAX + 16];

	for (size_t i = 0; i < COUNT_OF(files); i++) {
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
}

static int
run_dry(struct conf *conf, const struct conf_integration *integration, struct buf *body,
    struct buf *out)
{
	const char *tmp = getenv("TMPDIR");
	char dir[PATH_MAX], why[WHY_SIZE];
	struct store *store;
	bool ok;

	snprintf(dir, sizeof dir, "%s/tocsin-try-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(dir) == NULL)
		return command_failed("try", "%s: %s", dir, strerror(errno));
	store = store_open(dir, STORE_SIZE, why);
	ok = store != NULL && run_in(store, conf, integration, body, out);
	if (store != NULL)
		store_close(store);
	remove_store(dir);
	if (store == NULL)
		return command_failed("try", "%s", why);
	return ok ? 0 : command_failed("try", "there was no room for it");
}

/* The exit status: 1 where the sender would be refused. */
static int
print(struct buf *out, bool json)
{
	struct arena arena;
	struct json_error error;
	const struct json *root;
	int status;

	if (json)
		printf("%.*s\n", (int)out->n, out->p);
	arena_init(&arena, SIZE_MAX / 2);
	root = json_read(&arena, out->p, out->n, 0, DEPTH_MOST, &error);
	if (root != NULL && !json)
		print_text(root);
	if (root == NULL)
		status = command_failed("try", "there was no memory");
	else
		status = is_refused(root) ? 1 : 0;
	arena_free(&arena);
	return status;
}

static int
try_in(struct conf *conf, const struct options *options)
{
	const struct conf_integration *integration = try_find(conf, slice_of(options->key));
	struct buf body, out;
	int status;

	if (integration == NULL)
		return command_failed("try", "no integration has that key");
	buf_init(&body, BODY_MOST);
	buf_init(&out, BODY_MOST);
	status = 1;
	/* Room, so that an empty body has an address too. */
	if (buf_room(&body, 1) != NULL && command_body("try", options->body, &body))
		status = run_dry(conf, integration, &body, &out);
	if (status == 0)
		status = print(&out, options->json);
	buf_free(&body);
	buf_free(&out);
	return status;
}

/* ---- the command -------------------------------------------------------------------------- */

static const char *
take(void *arg, int id, const char *value)
{
	struct options *options = arg;

	if (id == 'c')
		options->file = value;
	else if (id == 'k')
		options->key = value;
	else
		options->json = true;
	return NULL;
}

static int
run(int argc, char **argv)
{
	struct options options = {.json = false};
	int first = command_read(argc, argv, 1, take, &options), status;
	struct conf *conf;

	if (first < 0)
		return 2;
	if (options.key == NULL)
		return command_wrong(argv[0], "the key of an integration is missing");
	options.body = first < argc ? argv[first] : NULL;
	conf = command_load(command_file(options.file), false);
	if (conf == NULL)
		return 1;
	status = try_in(conf, &options);
	conf_release(conf);
	return status;
}

static const struct command_option options[] = {COMMAND_FILE_OPTION,
    {'k', "key", "KEY", "the key of the integration that the body is posted to"},
    {OPTION_JSON, "json", NULL, "everything, as one line of JSON"}, {0}};

const struct command command_try = {.name = "try",
    .usage = "[-c FILE] -k KEY [--json] [BODY]",
    .summary = "show what mapping and rules make of a body, and what would be sent",
    .detail = "Reads a body from the file BODY, or from standard input, and shows each block of "
	      "the mapping and each rule: whether it held and why, what it set; then the alert, "
	      "what it would do, and what each webhook would be sent. It is the code that the "
	      "gateway runs, on a store in which nothing is open; nothing is kept and nothing is "
	      "sent. It exits 1 when the body would be refused.\n\n"
	      "A running gateway answers the same for what is open there: POST /api/try/KEY. "
	      "Values of headers that the configuration keeps in files or the environment are "
	      "hidden.",
    .options = options,
    .run = run};
