/*
 *	where   --url, else the first listener of the configuration that serves what is wanted
 *	token   --token-file, else $TOCSIN_TOKEN, else the first of the configuration that is enough
 *
 * The configuration is read only where one of the two comes from it. A token is never an argument:
 * everybody on the machine sees those.
 */
#include "gateway/remote.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

#include "conf/shape.h"
#include "gateway/clock.h"
#include "proto/utf8.h"

enum { ANSWER_MOST = 64 << 20, TREE_MOST = 256 << 20, DEPTH = 64 };

/* A replay of many is answered when all of them are put back. */
#define TIMEOUT (300 * (int64_t)CLOCK_S)

void
remote_start(struct remote *remote, const char *command)
{
	*remote = (struct remote){.command = command};
	buf_init(&remote->answer, ANSWER_MOST);
	arena_init(&remote->arena, TREE_MOST);
	screen_open(&remote->screen, stdout);
}

void
remote_stop(struct remote *remote)
{
	client_close(&remote->client);
	buf_free(&remote->answer);
	arena_free(&remote->arena);
}

const char *
remote_take(struct remote *remote, int id, const char *value)
{
	switch (id) {
	case REMOTE_JSON:
		remote->json = true;
		return NULL;
	case REMOTE_URL:
		remote->url = value;
		return NULL;
	case REMOTE_TOKEN_FILE:
		remote->token_file = value;
		return NULL;
	default:
		remote->file = value;
		return NULL;
	}
}

/* ---- where, and who asks ----------------------------------------------------------------- */

static bool
set_token(struct remote *remote, struct slice token, const char *from)
{
	char *room = remote->client.token;

	if (token.n == 0 || token.n > CLIENT_TOKEN || shape_token(token, NULL) != NULL) {
		command_failed(remote->command, "%s holds no token", from);
		return false;
	}
	memcpy(room, token.p, token.n);
	room[token.n] = '\0';
	return true;
}

/* The file's only line. Complaints repeat the argument where it is a path for certain: it may be
 * the token itself. */
static bool
read_token(struct remote *remote)
{
	char text[CLIENT_TOKEN + 2] = "";
	FILE *file = fopen(remote->token_file, "re");
	size_t n = file == NULL ? 0 : fread(text, 1, sizeof text, file);
	bool ok = file != NULL && !ferror(file), path = strchr("/.", remote->token_file[0]) != NULL;

	if (!ok)
		command_failed(remote->command, "--token-file%s%s: %s", path ? " " : "",
		    path ? remote->token_file : "", strerror(errno));
	if (file != NULL)
		fclose(file);
	if (n > 0 && text[n - 1] == '\n')
		n--;
	ok = ok && set_token(remote, (struct slice){text, n}, "--token-file");
	sodium_memzero(text, sizeof text);
	return ok;
}

static bool
choose_token(struct remote *remote, const struct conf *conf, const char *file, bool writes)
{
	for (size_t i = 0; i < conf->token_count; i++)
		if (!writes || !conf->tokens[i].read_only)
			return set_token(remote, conf->tokens[i].token, file);
	if (conf->token_count == 0)
		return true;
	command_failed(remote->command, "every token of %s is read-only", file);
	return false;
}

static bool
find_token(struct remote *remote, const struct conf *conf, const char *file, bool writes)
{
	const char *variable = getenv("TOCSIN_TOKEN");

	if (remote->token_file != NULL)
		return read_token(remote);
	if (variable != NULL)
		return set_token(remote, slice_of(variable), "TOCSIN_TOKEN");
	return conf == NULL || choose_token(remote, conf, file, writes);
}

/* Its address is known beforehand, and it is not for a proxy. */
static bool
can_be_asked(const struct conf_listener *listener)
{
	return listener->kind != LISTENER_SYSTEMD && !listener->proxy_protocol &&
	       (listener->kind != LISTENER_TCP || listener->port != 0);
}

static bool
find_place(struct remote *remote, const struct conf *conf, const char *file, unsigned surfaces)
{
	char why[CLIENT_WHY] = "no listener serves this at an address known beforehand; --url "
			       "names one";
	bool found = false;

	if (remote->url != NULL) {
		file = "--url";
		found = client_at_url(&remote->client, slice_of(remote->url), why);
	}
	for (size_t i = 0; conf != NULL && remote->url == NULL && i < conf->listener_count; i++) {
		const struct conf_listener *listener = &conf->listeners[i];

		if ((listener->serve & surfaces) != surfaces || !can_be_asked(listener))
			continue;
		found = client_at_listener(&remote->client, listener, why);
		break;
	}
	if (!found)
		command_failed(remote->command, "%s: %s", file, why);
	return found;
}

bool
remote_open(struct remote *remote, unsigned surfaces, bool writes)
{
	const char *file = command_file(remote->file);
	struct conf *conf = NULL;
	bool ok = true;

	if (remote->url == NULL || remote->file != NULL) {
		conf = command_load(file, false);
		ok = conf != NULL;
	}
	ok = ok && find_place(remote, conf, file, surfaces) &&
	     find_token(remote, conf, file, writes);
	conf_release(conf);
	return ok;
}

/* ---- questions and answers --------------------------------------------------------------- */

/* What the gateway says against it, made harmless. */
static void
complain(struct remote *remote, int status, const struct json *answer)
{
	const struct json *detail = json_get(answer, "detail");
	struct buf text = {.ceiling = 4096};
	struct slice words = SLICE("no reason given");

	if (json_scalar(detail == NULL ? json_get(answer, "error") : detail, &words))
		words = utf8_cut(words, 500);
	if (remote->missing != NULL && status == 404 && slice_is(words, SLICE("Not Found.")))
		words = slice_of(remote->missing);
	screen_put(&text, words, remote->screen.utf8);
	command_failed(remote->command, "%s answers %d: %.*s%s", remote->client.place, status,
	    (int)text.n, text.p,
	    status == 401 ? " (TOCSIN_TOKEN or --token-file gives a token)" : "");
	buf_free(&text);
}

const struct json *
remote_ask(struct remote *remote, const char *method, struct slice target, struct slice body)
{
	struct client_request request = {method, target, body, TIMEOUT};
	char why[CLIENT_WHY];
	struct json_error error;
	const struct json *answer;
	int status = client_ask(&remote->client, &request, &remote->answer, why);

	remote->status = status;
	if (status < 0) {
		command_failed(remote->command, "%s", why);
		return NULL;
	}
	arena_reset(&remote->arena);
	buf_putc(&remote->answer, '\0'); /* so that there is a text, be it empty */
	answer = json_read(&remote->arena, remote->answer.p, remote->answer.n - 1, 0, DEPTH,
	    &error);
	if (status >= 300) {
		if (status != remote->forgiven)
			complain(remote, status, answer);
		return NULL;
	}
	if (answer == NULL)
		command_failed(remote->command, "%s answers with what is not JSON: %s",
		    remote->client.place, error.what);
	return answer;
}

bool
remote_print(struct remote *remote, const struct json *tree)
{
	struct buf text = {.ceiling = 4 * (size_t)ANSWER_MOST};
	struct json_writer w = {.buf = &text};
	bool ok;

	json_tree(&w, tree);
	buf_putc(&text, '\n');
	ok = !text.failed && fwrite(text.p, 1, text.n, stdout) == text.n;
	if (!ok)
		command_failed(remote->command, "cannot print it: %s", strerror(errno));
	buf_free(&text);
	return ok;
}
