/*
 * A file may have a thousand errors, and two files ten thousand differences: the answer shows what
 * fits into a mebibyte, a line of the log the first few, and both say how many there are.
 */
#include "gateway/reload_report.h"

#include <stdio.h>

#include "gateway/engine.h"
#include "gateway/log.h"
#include "proto/utf8.h"

enum { ITEMS_MOST = 1 << 20 };

static const char *const words[] = {[CONF_ADDED] = "added",
    [CONF_REMOVED] = "removed",
    [CONF_CHANGED] = "changed"};
static const char *const labels[] = {[CONF_ADDED] = "labels.added",
    [CONF_REMOVED] = "labels.removed",
    [CONF_CHANGED] = "labels.changed"};

void
report_start(struct reload_report *r, const char *file)
{
	memset(r, 0, sizeof *r);
	r->file = file;
	buf_init(&r->items, ITEMS_MOST);
}

void
report_end(struct reload_report *r)
{
	buf_free(&r->items);
}

/* ---- collecting -------------------------------------------------------------------------- */

/* As many as there is room for, but the first in any case, and dots for the rest. */
static void
list_add(struct report_list *list, const struct buf *item)
{
	static const char dots[] = ", ...";
	struct slice text = item->failed ? SLICE("(no memory to say it)") : buf_slice(item);
	size_t room = sizeof list->text - (sizeof dots - 1) - list->n;

	list->count++;
	if (list->full)
		return;
	if (list->count > 1 && text.n + 2 > room) {
		memcpy(list->text + list->n, dots, sizeof dots - 1);
		list->n += sizeof dots - 1;
		list->full = true;
		return;
	}
	if (list->count > 1) {
		memcpy(list->text + list->n, ", ", 2);
		list->n += 2;
	}
	text = utf8_cut(text, room);
	memcpy(list->text + list->n, text.p, text.n);
	list->n += text.n;
}

static void
add_item(struct reload_report *r, const struct buf *item)
{
	size_t before = r->items.n;

	r->items.failed = item->failed; /* half of it would not be JSON */
	if (before > 0)
		buf_puts(&r->items, ", ");
	buf_put_slice(&r->items, buf_slice(item));
	if (!r->items.failed)
		return;
	r->items.failed = false;
	r->items.n = before;
	r->left_out++;
}

/* The file's path may be any bytes; whatever is no text becomes '?'. */
static void
make_text(struct buf *b)
{
	size_t good;

	while ((good = utf8_valid(buf_slice(b))) < b->n)
		b->p[good] = '?';
}

/* FILE:LINE:COLUMN: warning: ... */
static bool
is_warning(const char *file, const char *line)
{
	static const char digits[] = "0123456789", warning[] = ": warning: ";

	if (strncmp(line, file, strlen(file)) != 0)
		return false;
	line += strlen(file);
	for (int i = 0; i < 2 && line[0] == ':'; i++)
		line += 1 + strspn(line + 1, digits);
	return strncmp(line, warning, sizeof warning - 1) == 0;
}

void
report_error(void *arg, const char *line)
{
	struct reload_report *r = arg;
	struct buf text, item;
	struct json_writer w = {.buf = &item};

	if (is_warning(r->file, line)) {
		log_begin(LOG_LEVEL_WARNING, "server.warning", "%s", line);
		log_end();
		return;
	}
	buf_init(&text, ITEMS_MOST);
	buf_init(&item, ITEMS_MOST);
	buf_puts(&text, line);
	make_text(&text);
	list_add(&r->errors, &text);
	json_string(&w, buf_slice(&text));
	add_item(r, &item);
	buf_free(&text);
	buf_free(&item);
}

/* Deliveries that become dead letters by this, but for those under way. */
static uint64_t
count_lost(const struct reload_report *r, const struct conf_difference *d)
{
	const struct conf_webhook *webhook;

	if (d->change != CONF_REMOVED || strcmp(d->kind, "webhook") != 0)
		return 0;
	webhook = conf_webhook_by_name(r->before, d->name);
	return webhook == NULL ? 0 : engine_waiting(webhook->id);
}

void
report_change(void *arg, const struct conf_difference *d)
{
	struct reload_report *r = arg;
	uint64_t lost = count_lost(r, d);
	struct buf text, item;
	struct json_writer w = {.buf = &item};

	buf_init(&text, ITEMS_MOST);
	buf_init(&item, ITEMS_MOST);
	buf_puts(&text, d->kind);
	buf_putc(&text, ' ');
	buf_put_slice(&text, d->within);
	if (d->within.n > 0)
		buf_putc(&text, '/');
	buf_put_slice(&text, d->name);
	if (lost > 0)
		buf_printf(&text, " (%llu waiting)", (unsigned long long)lost);
	list_add(&r->changes[d->change], &text);
	json_open(&w, '{');
	json_key(&w, "change");
	json_text(&w, words[d->change]);
	json_key(&w, "kind");
	json_text(&w, d->kind);
	if (d->within.n > 0) {
		json_key(&w, "service");
		json_string(&w, d->within);
	}
	json_key(&w, "name");
	json_string(&w, d->name);
	if (lost > 0) {
		json_key(&w, "waiting");
		json_uint(&w, lost);
	}
	json_close(&w, '}');
	add_item(r, &item);
	buf_free(&text);
	buf_free(&item);
}

/* ---- telling ----------------------------------------------------------------------------- */

static void
write_sentence(const struct reload_report *r, char *out, size_t room)
{
	const struct report_list *c = r->changes;

	if (r->errors.count > 0)
		snprintf(out, room, "the configuration has %zu error%s and was not taken over",
		    r->errors.count, r->errors.count == 1 ? "" : "s");
	else if (c[CONF_ADDED].count + c[CONF_REMOVED].count + c[CONF_CHANGED].count == 0)
		snprintf(out, room, "the configuration is taken over: nothing is different");
	else
		snprintf(out, room,
		    "the configuration is taken over: %zu added, %zu removed, %zu changed%s",
		    c[CONF_ADDED].count, c[CONF_REMOVED].count, c[CONF_CHANGED].count,
		    r->partial ? ", and perhaps more" : "");
}

int
report_answer(const struct reload_report *r, struct buf *body)
{
	bool refused = r->errors.count > 0;
	struct json_writer w = {.buf = body};
	char sentence[160];

	write_sentence(r, sentence, sizeof sentence);
	json_open(&w, '{');
	json_key(&w, "detail");
	json_text(&w, sentence);
	json_key(&w, refused ? "errors" : "changes");
	json_open(&w, '[');
	json_raw(&w, buf_slice(&r->items));
	json_close(&w, ']');
	if (r->left_out > 0) {
		json_key(&w, "left_out");
		json_uint(&w, r->left_out);
	}
	json_close(&w, '}');
	return !refused ? 200 : r->unavailable ? 503 : 400;
}

void
report_log(const struct reload_report *r, int64_t us)
{
	bool refused = r->errors.count > 0;
	char sentence[160];

	write_sentence(r, sentence, sizeof sentence);
	log_begin(refused ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
	    refused ? "config.rejected" : "config.reloaded", "%s", sentence);
	log_text("error.message", (struct slice){r->errors.text, r->errors.n});
	for (int i = 0; i <= CONF_CHANGED; i++)
		log_text(labels[i], (struct slice){r->changes[i].text, r->changes[i].n});
	log_duration(us);
	log_outcome(!refused);
	log_end();
}
