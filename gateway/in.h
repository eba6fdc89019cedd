/*
 * The HTTP server: connections from alert sources, balancers and operators (CONTRACT §2, §3).
 *
 * Requests are read strictly, whole, one at a time per connection, and handed to one handler, which
 * fills the reply. A reply that speaks of what the turn writes is parked (in_park) until the
 * commit, and becomes a 503 if there is none; a reply that depends on something slower is put off
 * (in_defer) and given later with in_answer().
 */
#ifndef GATEWAY_IN_H
#define GATEWAY_IN_H

#include <event2/event.h>

#include "conf/conf.h"
#include "proto/http_read.h"

struct in_conn;

struct in_reply {
	int status;
	struct buf *body;        /* the server's own buffer, empty when the handler is called */
	const char *content_type; /* NULL: application/json */
	char headers[256];       /* further header lines, each with its CRLF */
	bool close;              /* close the connection behind it */
	bool report;             /* a 503 is what was asked for, not a refusal */
};

struct in_request {
	struct in_conn *conn;
	unsigned surfaces;       /* of the listener: conf_surface bits */
	bool local;              /* from this machine for certain */
	struct address peer;     /* the client; all zero on a unix socket */
	const struct http_head *head;
	char *body;              /* may be changed by the handler */
	size_t body_n;
	unsigned route;          /* set by the handler: which answer to count; 0: none of ours */
	struct in_reply reply;
};

/* Everything in the request is valid until the handler returns. */
typedef void in_handler(struct in_request *);

/* Called once, before anything else. -1 without memory. */
int in_start(struct event_base *, in_handler *) MUST NONNULL;
void in_stop(void); /* closes everything */

/* Says which requests want answers without a body, for when the server itself refuses one whose
 * head it has read. */
typedef bool in_bare(const struct http_head *);
void in_set_bare(in_bare *) NONNULL;

/*
 * Takes over listeners and limits, all or nothing: at start, and again for another configuration,
 * which is not needed any more after in_commit(). A listener that was there stays, with its
 * connections; its surfaces may have changed. New ones are opened before any is closed, so a
 * listener cannot move to an address that one of those it replaces still covers (":80" for
 * "127.0.0.1:80"). One that is gone gives its address up at once, and its connections end behind
 * the request they are at. in_prepare(): -1 with a sentence in why, and nothing is left behind;
 * else one of the others must follow.
 */
int in_prepare(const struct conf *, char why[256]) MUST NONNULL;
void in_commit(void);
void in_abandon(void);
/* Both steps. */
int in_configure(const struct conf *, char why[256]) MUST NONNULL;
/* The i-th listener's address as text, with the port found where it was 0, and whether the last
 * in_commit() opened it. NULL behind the last. */
const char *in_address(size_t i, bool *opened) NONNULL;
/* Whether the last in_commit() found another certificate for it. */
bool in_is_renewed(size_t i);

/*
 * The way down. In in_drain() every answer begins to say "Connection: close"; our own listeners go
 * on, those passed by the service manager accept no more: what waits there is the next process's.
 * Without listeners of our own, connections that have been quiet for a second end, so that it need
 * not wait for them.
 * in_turn_away() accepts what waits, stops listening, and answers whatever comes from now on 503.
 */
void in_drain(void);
void in_turn_away(void);
/* Nothing can come any more: no listener, no connection. */
bool in_deserted(void);
/* No connection is within a request, or waits for an answer or for its end. */
bool in_quiet(void);
size_t in_count(void); /* connections */
/* One pass of the loop: what sockets and timers bring, and behind it some of the requests that no
 * socket will speak of any more. turn_end() and in_reap() must follow. */
void in_pass(void);
void in_reap(void);      /* frees connections that were closed in this turn */
/* Something may not be watched that should be: the next tick sees to it. */
void in_watch_again(void);

/* A line that a request was refused; who: the name of its token, or empty. */
void in_log_refused(const struct in_conn *, int status, const char *error, struct slice who)
    NONNULL;
/* In a handler: the reply waits for the turn's commit. */
void in_park(struct in_request *) NONNULL;
/* In a handler: the reply is given later. The result is what in_answer() wants; done is called if
 * the client goes away first. */
struct in_conn *in_defer(struct in_request *, void (*gone)(void *arg), void *arg) NONNULL;
void in_answer(struct in_conn *, int status, struct buf *body) NONNULL;
/* The same for an answer with status 200 and of any length, piece by piece. room is told, with
 * in_defer's arg, when the next one may come; it may be told at once, and the client may be gone at
 * once. */
void in_piece(struct in_conn *, const char *content_type, struct slice, void (*room)(void *arg))
    NONNULL;
void in_end_pieces(struct in_conn *) NONNULL;

/* Shorthand for a reply {"detail": text} or {"error": ..., "detail": ...}. */
void in_detail(struct in_request *, int status, const char *detail) NONNULL;
/* The same with a 503, and a line that says so. */
void in_unavailable(struct in_request *, const char *detail) NONNULL;
extern const char in_no_memory[]; /* a detail for want of memory */

/* The statuses that are sent, by number of their own; an unknown one counts as 500. */
enum { IN_STATUSES = 15 };
size_t in_status_index(int status);
int in_status_at(size_t index);

#endif
