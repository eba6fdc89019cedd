/* Writes the head of an outgoing request. Names and values were checked with the configuration. */
#include "gateway/request.h"

#include <sodium.h>

#include "proto/sign.h"

static void
put_header(struct buf *b, struct slice name, struct slice value)
{
	buf_put_slice(b, name);
	buf_puts(b, ": ");
	buf_put_slice(b, value);
	buf_puts(b, "\r\n");
}

static void
put_auth(struct buf *b, const struct conf_webhook *webhook, struct slice body)
{
	char signature[SIGN_HMAC_TEXT], basic[1024];
	size_t n;

	if (webhook->auth & AUTH_HMAC) {
		sign_hmac(webhook->hmac_key, body, signature);
		put_header(b, SLICE("X-SIGNATURE"), slice_of(signature));
	}
	if (webhook->auth & AUTH_BASIC) {
		n = sign_basic(webhook->username, webhook->password, basic, sizeof basic);
		if (n == 0)
			b->failed = true; /* longer than the configuration lets through */
		put_header(b, SLICE("Authorization"), (struct slice){basic, n});
		sodium_memzero(basic, sizeof basic);
	}
}

void
request_write(struct buf *b, const struct conf_webhook *webhook, const struct uuid *delivery,
    uint32_t attempt, struct slice body)
{
	char id[UUID_TEXT];

	uuid_text(delivery, id);
	buf_puts(b, "POST ");
	buf_put_slice(b, webhook->target);
	buf_puts(b, " HTTP/1.1\r\n");
	put_header(b, SLICE("Host"), webhook->authority);
	buf_printf(b,
	    "Content-Type: application/json\r\n"
	    "Content-Length: %zu\r\n"
	    "User-Agent: tocsin/" TOCSIN_VERSION "\r\n"
	    "webhook-id: %s\r\n"
	    "X-Attempt: %u\r\n",
	    body.n, id, attempt);
	put_auth(b, webhook, body);
	for (size_t i = 0; i < webhook->header_count; i++)
		put_header(b, webhook->headers[i].name, webhook->headers[i].value);
	buf_puts(b, "\r\n");
}
