/*
 * An answer in pieces, whose length nobody knows beforehand: chunked, or to an HTTP/1.0 client up
 * to the end of the connection.
 *
 *            in_piece                       taken by the kernel
 *   PARKED ───────────▶ all of it went out ─────────────────────▶ PARKED, room() is told
 *                  └──▶ ANSWER until the client has taken it ───┘
 *
 * So there is one piece in memory, however slowly the client reads.
 */
#include "gateway/in_parts.h"

#include <assert.h>

static void
begin(struct in_conn *c, const char *content_type)
{
	c->pieces = true;
	c->status = 200;
	c->refusal = METRICS_NOT_REFUSED;
	c->close = c->close || c->old || c->listener->gone || in.draining;
	buf_puts(&in.wire, "HTTP/1.1 200 OK\r\nContent-Type: ");
	buf_puts(&in.wire, content_type);
	buf_puts(&in.wire, c->old ? "\r\n" : "\r\nTransfer-Encoding: chunked\r\n");
	buf_puts(&in.wire, c->close ? "Connection: close\r\n\r\n" : "\r\n");
}

static void
put(const struct in_conn *c, struct slice piece)
{
	if (c->head_only || piece.n == 0)
		return; /* a chunk without bytes would be the last one */
	if (!c->old)
		buf_printf(&in.wire, "%zx\r\n", piece.n);
	buf_put_slice(&in.wire, piece);
	if (!c->old)
		buf_puts(&in.wire, "\r\n");
}

void
in_piece(struct in_conn *c, const char *content_type, struct slice piece, void (*room)(void *))
{
	assert(c->state == IN_PARKED && c->gone != NULL);
	buf_clear(&in.wire);
	if (!c->pieces)
		begin(c, content_type);
	put(c, piece);
	if (in.wire.failed) {
		in_lose(c, true); /* half a piece would be worse than none */
		return;
	}
	c->room = room;
	in_put_out(c, in.wire.p, in.wire.n);
	if (c->state == IN_CLOSED)
		return;
	if (c->out.n > 0)
		in_enter(c, IN_ANSWER);
	else
		in_piece_taken(c);
}

void
in_piece_taken(struct in_conn *c)
{
	in_enter(c, IN_PARKED);
	c->room(c->gone_arg);
}

void
in_end_pieces(struct in_conn *c)
{
	bool last = !c->old && !c->head_only;

	assert(c->state == IN_PARKED && c->pieces);
	c->pieces = false;
	c->room = NULL;
	c->gone = NULL;
	in_finish(c, "0\r\n\r\n", last ? 5 : 0);
}
