/*
 * The requests that an event would make: head and body are written by the code that writes those
 * which are sent, and shown header by header. What the configuration keeps secret is hidden.
 */
#include "gateway/engine.h"
#include "gateway/request.h"
#include "gateway/try_parts.h"

enum { HEAD_MOST = 1 << 20 };

static const char hidden[] = "(hidden)";

static bool
is_secret(const struct conf_webhook *webhook, struct slice name)
{
	if ((webhook->auth & AUTH_BASIC) && slice_is_nocase(name, SLICE("Authorization")))
		return true;
	for (size_t i = 0; i < webhook->header_count; i++)
		if (slice_is_nocase(name, webhook->headers[i].name))
			return webhook->headers[i].secret;
	return false;
}

static void
write_header(struct json_writer *w, const struct conf_webhook *webhook, struct slice line)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct slice name = {line.p, colon == NULL ? line.n : (size_t)(colon - line.p)};

	json_open(w, '[');
	json_string(w, name);
	if (is_secret(webhook, name))
		json_text(w, hidden);
	else if (line.n >= name.n + 2)
		json_string(w, (struct slice){line.p + name.n + 2, line.n - name.n - 2});
	else
		json_text(w, "");
	json_close(w, ']');
}

/* The lines behind the first, which has the address and may hold a secret. */
static void
write_headers(struct json_writer *w, const struct conf_webhook *webhook, struct slice head)
{
	const char *at = head.p, *end = head.p + head.n, *eol;

	json_key(w, "headers");
	json_open(w, '[');
	for (bool first = true; at < end; at = eol + 2, first = false) {
		eol = memmem(at, (size_t)(end - at), "\r\n", 2);
		if (eol == NULL || eol == at)
			break;
		if (!first)
			write_header(w, webhook, (struct slice){at, (size_t)(eol - at)});
	}
	json_close(w, ']');
}

static void
write_request(struct json_writer *w, const struct conf_webhook *webhook,
    const struct uuid *delivery, int64_t wall, struct slice body)
{
	struct buf head;

	buf_init_secret(&head, HEAD_MOST);
	request_write(&head, webhook, delivery, 1, wall, body);
	w->buf->failed = w->buf->failed || head.failed;
	write_headers(w, webhook, buf_slice(&head));
	buf_wipe(&head);
	json_key(w, "body");
	json_string(w, body);
}

static void
write_delivery(struct json_writer *w, struct txn *txn, const struct uuid *id,
    const struct delivery_row *row, int64_t wall)
{
	const struct conf_webhook *webhook = engine_webhook(delivery_webhook(id));
	struct uuid event = delivery_event(id);
	struct event_row made;

	if (webhook == NULL || !events_get(txn, &event, &made))
		return;
	json_open(w, '{');
	json_key(w, "webhook");
	json_string(w, webhook->name);
	json_key(w, "state");
	json_text(w, row->state == DELIVERY_DEAD ? "dead" : "waiting");
	write_request(w, webhook, id, wall, made.body);
	json_close(w, '}');
}

void
try_send_write(struct json_writer *w, struct txn *txn, const struct uuid *event, int64_t wall)
{
	struct uuid id = *event, of;
	struct delivery_row row;

	json_key(w, "webhooks");
	json_open(w, '[');
	while (!uuid_is_zero(event) && deliveries_after(txn, &id, &row)) {
		of = delivery_event(&id);
		if (uuid_compare(&of, event) != 0)
			break;
		write_delivery(w, txn, &id, &row, wall);
		id = delivery_id(event, delivery_webhook(&id) + 1);
	}
	json_close(w, ']');
}
