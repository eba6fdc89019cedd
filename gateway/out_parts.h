/*
 * What the files of outgoing connections share among themselves; nobody else includes this.
 *
 *   out.c          states, the end of an attempt, kept connections, starting attempts
 *   out_connect.c  LOOKUP, CONNECT, SECURE, SEND
 *   out_answer.c   HEAD, BODY
 */
#ifndef GATEWAY_OUT_PARTS_H
#define GATEWAY_OUT_PARTS_H

#include "gateway/out.h"
#include "gateway/stream.h"
#include "proto/http_read.h"

enum {
	OUT_HEAD_MAX = 16 << 10,    /* bytes of an answer's head, interim answers included */
	OUT_REQUEST_MAX = 4 << 20,
	OUT_READ_MOST = 48 << 10,   /* bytes read at once */
	OUT_SHARED_SIZE = OUT_HEAD_MAX + OUT_READ_MOST,
};

#define OUT_STATES(X)                                                                              \
	X(LOOKUP, 0)                                                                               \
	X(CONNECT, EV_WRITE)                                                                       \
	X(SECURE, EV_WRITE)                                                                        \
	X(SEND, EV_READ | EV_WRITE)                                                                \
	X(HEAD, EV_READ)                                                                           \
	X(BODY, EV_READ)                                                                           \
	X(IDLE, EV_READ)                                                                           \
	X(CLOSED, 0)

#define OUT_STATE_NUMBER(name, interest) OUT_##name,
enum out_state { OUT_STATES(OUT_STATE_NUMBER) };

TAILQ_HEAD(out_list, out);

struct out {
	enum out_state state;
	int fd;
	short watched;              /* what the loop watches for now */
	struct event *event;
	struct stream stream;       /* from SECURE on */
	bool handshake;             /* counted among those in progress */
	struct out_pool *pool;
	struct out_attempt *attempt; /* NULL while idle */
	struct lookup_wait wait;
	struct lookup_answer answer;
	size_t next_address;
	bool blocked;               /* an address was not allowed */
	bool reused;                /* it has answered before */
	bool keep;                  /* may be kept when this answer is complete */
	struct buf send;            /* what the kernel did not take yet */
	struct buf in;              /* an incomplete head, or incomplete chunk framing */
	size_t scanned, heads;      /* see http_read_response; bytes of 1xx heads */
	bool chunked;
	int64_t body_left;          /* by length; -1: to the end of the connection */
	size_t body_seen;
	struct http_chunks chunks;
	TAILQ_ENTRY(out) next;      /* in the pool while idle, in `closed` when closed */
};

struct out_pool {
	char host[LOOKUP_NAME_MAX + 1];
	int port;
	struct tls_peer *peer;      /* NULL: plain */
	size_t attempts;            /* that run */
	bool retired;
	TAILQ_ENTRY(out_pool) next; /* in `retired` */
	struct out_list idle;       /* most recently used first */
	size_t idle_count;
	int handshakes;             /* in progress */
};

struct out_loop {
	struct event_base *base;
	const struct conf *conf;  /* for its allow_networks */
	void (*room)(void);       /* told when a handshake's place is free again */
	int handshakes;           /* in progress, of all receivers */
	int handshakes_started;   /* in this turn */
	struct out_list closed;
	TAILQ_HEAD(out_pools, out_pool) retired;
	char shared[OUT_SHARED_SIZE]; /* what was just read; nothing stays in it */
};

extern struct out_loop out_loop;

/* out.c */
void out_enter(struct out *, enum out_state) NONNULL;
/* Enters SEND and sends: mostly all of it goes out at once, and only an early answer is watched
 * for. */
void out_begin_send(struct out *) NONNULL;
/* Watches for what the stream asked for, instead of what the state usually does. */
void out_watch_for(struct out *, ssize_t want) NONNULL;
void out_step(struct out *, short what) NONNULL;
void out_close_socket(struct out *) NONNULL;
void out_end_handshake(struct out *) NONNULL;
/* The answer is complete; or the attempt has failed. Either ends it, or (a stale kept connection)
 * makes it once more on another. o is idle, or closed, afterwards. */
void out_succeed(struct out *) NONNULL;
void out_fail(struct out *, enum reason) NONNULL;

/* out_connect.c */
void out_found(struct out *, enum lookup_result) NONNULL;
void out_on_found(struct lookup_wait *, const struct lookup_answer *);
void out_step_connect(struct out *, short what) NONNULL;
void out_step_secure(struct out *, short what) NONNULL;
void out_step_send(struct out *, short what) NONNULL;

/* out_answer.c */
void out_step_read(struct out *, short what) NONNULL;
/* n bytes of a head are in the shared buffer. */
void out_read_head(struct out *, size_t n) NONNULL;
/* The receiver has sent its last byte. */
void out_read_end(struct out *) NONNULL;

#endif
