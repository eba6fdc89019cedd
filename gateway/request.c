/* Writes the head of an outgoing request. Names and values were checked with the configuration. */
#include "gateway/request.h"

#include <sodium.h>
#include <stdio.h>

#include "gateway/clock.h"
#include "proto/sign.h"

/* base64 of the longest user and password that the configuration lets through, and more. */
enum { BASIC_ROOM = 2048 };

static void
put_header(struct buf *b, struct slice name, struct slice value)
{
	buf_put_slice(b, name);
	buf_puts(b, ": ");
	buf_put_slice(b, value);
	buf_puts(b, "\r\n");
}

static void
put_hmac(struct buf *b, const struct conf_webhook *webhook, struct slice body)
{
	char signature[SIGN_HMAC_TEXT];

	if (!sign_hmac(webhook->hmac_key, body, signature)) {
		b->failed = true;
		return;
	}
	put_header(b, SLICE("X-SIGNATURE"), slice_of(signature));
}

static void
put_basic(struct buf *b, const struct conf_webhook *webhook)
{
	char basic[BASIC_ROOM];
	size_t n = sign_basic(webhook->username, webhook->password, basic, sizeof basic);

	if (n == 0)
		b->failed = true; /* longer than the configuration lets through */
	put_header(b, SLICE("Authorization"), (struct slice){basic, n});
	sodium_memzero(basic, sizeof basic);
}

/* Signed anew for each attempt, as receivers refuse a time that is minutes old. */
static void
put_standard(struct buf *b, const struct conf_webhook *webhook, const char *id, int64_t wall,
    struct slice body)
{
	char timestamp[24];
	struct sign_message message = {.id = slice_of(id), .body = body};

	snprintf(timestamp, sizeof timestamp, "%lld", (long long)(wall / CLOCK_S));
	message.timestamp = slice_of(timestamp);
	put_header(b, SLICE("webhook-timestamp"), message.timestamp);
	buf_puts(b, "webhook-signature: ");
	sign_standard(b, webhook->signing_keys, webhook->signing_key_count, &message);
	buf_puts(b, "\r\n");
}

static void
put_auth(struct buf *b, const struct conf_webhook *webhook, const char *id, int64_t wall,
    struct slice body)
{
	if (webhook->auth & AUTH_HMAC)
		put_hmac(b, webhook, body);
	if (webhook->auth & AUTH_BASIC)
		put_basic(b, webhook);
	if (webhook->auth & AUTH_STANDARD)
		put_standard(b, webhook, id, wall, body);
}

void
request_write(struct buf *b, const struct conf_webhook *webhook, const struct uuid *delivery,
    uint32_t attempt, int64_t wall, struct slice body)
{
	char id[UUID_TEXT];

	uuid_text(delivery, id);
	buf_puts(b, "POST ");
	buf_put_slice(b, webhook->target);
	buf_puts(b, " HTTP/1.1\r\n");
	put_header(b, SLICE("Host"), webhook->authority);
	buf_puts(b, "Content-Type: application/json\r\nContent-Length: ");
	buf_put_number(b, body.n);
	buf_puts(b, "\r\nUser-Agent: tocsin/" TOCSIN_VERSION "\r\nwebhook-id: ");
	buf_puts(b, id);
	buf_puts(b, "\r\nX-Attempt: ");
	buf_put_number(b, attempt);
	buf_puts(b, "\r\n");
	put_auth(b, webhook, id, wall, body);
	for (size_t i = 0; i < webhook->header_count; i++)
		put_header(b, webhook->headers[i].name, webhook->headers[i].value);
	buf_puts(b, "\r\n");
}
