/*
 * What the files of the HTTP server share among themselves; nobody else includes this, but a test.
 *
 *   in.c          the server: start and stop
 *   in_conn.c     connections: what is watched, bytes, their end
 *   in_time.c     their states and deadlines
 *   in_open.c     their beginning: PROXY header, TLS handshake
 *   in_request.c  from bytes to requests
 *   in_wait.c     those that wait until others had their turn
 *   in_answer.c   from replies to bytes, at once, behind the commit, or later
 *   in_pieces.c   answers longer than anybody wants to hold in memory
 *   in_listen.c   listeners
 *   in_accept.c   accepting from them
 */
#ifndef GATEWAY_IN_PARTS_H
#define GATEWAY_IN_PARTS_H

#include <event2/event_struct.h>
#include <sys/queue.h>

#include "gateway/in.h"
#include "gateway/metrics.h"
#include "gateway/socket.h"
#include "gateway/stream.h"

enum { IN_GIVES_WAY = 1000000 }; /* us: a connection that is quiet for so long may be closed */
enum { IN_PARKED_EACH = 320, IN_PARKED_ALL = 256 << 10 }; /* bytes of answers in in.parked */
enum { IN_SHARED_SIZE = 64 << 10, IN_REPLY_MAX = 6 << 20 };

enum in_state {
	IN_PROXY,
	IN_SECURE,
	IN_IDLE,
	IN_HEAD,
	IN_BODY,
	IN_PARKED,
	IN_ANSWER,
	IN_LINGER,
	IN_CLOSED,
	IN_STATES
};

struct in_listener {
	struct event *event;
	struct listening socket;
	char address[SOCKET_TEXT]; /* as configured: by this a reload finds it */
	size_t nth;                /* among the "systemd" listeners, from 0 */
	unsigned surfaces;
	bool proxy_protocol;
	struct tls_server *tls;    /* NULL: plain */
	bool opened;               /* by the last in_commit() */
	bool renewed;              /* it has another certificate since then */
	bool gone;                 /* not configured any more: its connections end */
	size_t users;              /* connections, and the server while it listens */
};

struct in_limits {
	size_t header, body;
	int64_t header_time, body_time, idle_time; /* us */
	size_t connections;
};

struct in_conn {
	enum in_state state;
	int fd;
	struct in_listener *listener; /* holds it */
	struct stream stream;  /* behind IN_PROXY */
	struct address peer;   /* who connects, or for whom, by the PROXY header */
	struct address client; /* of the request being read: the same, or whom a proxy names */
	bool nameless;         /* a balancer connects for somebody, and does not say for whom */
	bool reading;          /* the loop watches for bytes */
	bool writing;          /* the loop watches for room: `out` is not empty */
	bool eof;              /* the client has sent its last byte */
	bool close;            /* close behind the answer */
	bool bare;             /* its answer has no body, whatever it becomes */
	bool uncommitted;      /* PARKED: its answer may not leave before the turn's commit */
	struct in_list *waits; /* `onward` or `large`: bytes in `in` may be gone on with; or NULL */
	struct event read, write;
	int64_t since;         /* mono: when it came into its state, of timed ones */
	int64_t deadline;      /* mono */
	TAILQ_ENTRY(in_conn) timed; /* in lists[state] */
	TAILQ_ENTRY(in_conn) on;    /* in *waits, or in `closed` when closed */
	LIST_ENTRY(in_conn) all;
	struct buf in;         /* bytes not used yet */
	size_t scanned;        /* see http_read_request */
	size_t head_n;         /* IN_BODY, or `large`: the head, which stays in `in` until then */
	size_t body_n;         /* the same of its length; of chunks: those decoded */
	size_t body_most;      /* IN_BODY: of chunks: the limit that held when it began */
	bool chunked;          /* IN_BODY */
	size_t dropped;        /* IN_LINGER: bytes read and dropped */
	struct http_chunks chunks;
	struct buf out;        /* what the kernel did not take yet */
	uint32_t answer_at;    /* the parked answer, in in.parked; */
	uint32_t answer_n;     /* 0: it did not fit there and is in `out` */
	void (*gone)(void *);  /* of a put-off request */
	void *gone_arg;
	bool head_only;        /* of a put-off request: it was a HEAD; */
	bool old;              /* it was HTTP/1.0 */
	bool pieces;           /* its answer has begun, and there is more of it */
	void (*room)(void *);  /* told when a piece is out */
	/* Of the request at hand, for metrics. */
	int64_t asked;         /* mono: when it was complete */
	unsigned route, method;
	int status;
	enum metrics_refusal refusal;
};

TAILQ_HEAD(in_list, in_conn);

struct in_server {
	struct event_base *base;
	struct in_limits limits;
	struct cidr *trusted;        /* proxies that are believed; a copy */
	size_t trusted_count;
	in_handler *handler;
	in_bare *bare;         /* or NULL */
	struct event *tick;
	struct in_listener *listeners[CONF_LISTENERS]; /* in the configuration's order */
	size_t listener_count;
	LIST_HEAD(in_conns, in_conn) all;
	struct in_list lists[IN_STATES]; /* by deadline; only of timed states */
	struct in_list onward;       /* bytes wait that no socket will speak of */
	struct in_list large;        /* a large request waits, whole: it is PARKED */
	struct in_list closed;
	int64_t large_at;            /* mono: when those were last gone on with */
	size_t count;
	size_t counts[IN_STATES];    /* of each state */
	int64_t secure_us;           /* that handshakes took in this turn */
	bool accepting;
	int64_t rests_until;         /* mono: no descriptor is to be had before */
	bool draining;               /* answers say "Connection: close" */
	bool turning_away;           /* answers are 503 */
	bool unwatched;              /* something is not watched that should be */
	struct buf body;             /* of the reply being made */
	struct buf wire;             /* the reply as bytes */
	struct buf parked;           /* answers that wait for the commit, one behind the other */
	size_t parked_count;         /* connections that wait for it */
	char shared[IN_SHARED_SIZE]; /* what was just read; nothing stays in it */
};

extern struct in_server in;

/* in.c */
/* Closes the listener's connections that are between two requests, or before the first. */
void in_close_quiet(const struct in_listener *) NONNULL;

/* in_conn.c */
void in_add(int fd, const struct address *peer, struct in_listener *) NONNULL;
void in_watch(struct event *, bool on) NONNULL;
void in_read_on(struct in_conn *, bool) NONNULL;
void in_write_on(struct in_conn *, bool) NONNULL;
void in_rewatch(void); /* all that libevent could not */
void in_close(struct in_conn *) NONNULL;
/* The same of one that is lost; lacking: for want of memory, which is worth a line. */
void in_lose(struct in_conn *, bool lacking) NONNULL;
/* The answer is out: goes on with bytes that wait, or waits for some. */
void in_resume(struct in_conn *) NONNULL;
/* Reading is off while enough is there: what is read ahead costs memory, and to be moved. */
void in_read_if_room(struct in_conn *) NONNULL;

/* What a connection may keep until it is a request, and some more that was read with it. */
static inline size_t
in_kept_most(void)
{
	return in.limits.header + in.limits.body + 2 * (size_t)IN_SHARED_SIZE;
}

static inline bool
in_is_opening(const struct in_conn *c)
{
	return c->state == IN_PROXY || c->state == IN_SECURE;
}

/* in_wait.c */
/* Bytes wait in `in` and no socket will say so: goes on with them by and by. */
void in_wait(struct in_conn *, struct in_list *) NONNULL;

/* in_time.c */
/* The only places that change the state, and arm its deadline. A connection that is in this state
 * already keeps the deadline it has, */
void in_enter(struct in_conn *, enum in_state) NONNULL;
/* or gets a new one. */
void in_enter_anew(struct in_conn *, enum in_state) NONNULL;
/* Between two requests, or before the first. */
bool in_is_quiet(const struct in_conn *) MUST NONNULL;
void in_set_limits(const struct conf *) NONNULL;
void in_on_tick(evutil_socket_t, short, void *);

/* in_open.c */
void in_begin(struct in_conn *) NONNULL;
/* Goes on where the socket allows it. */
void in_open(struct in_conn *) NONNULL;
/* Closes a connection that never came to a request: counted, and told to who looks for it. */
void in_dismiss(struct in_conn *, enum metrics_refusal, const char *why) NONNULL;

/* in_request.c */
/* Takes a request from n bytes just read into the shared buffer, or some from c->in; what is more
 * waits. */
void in_take_shared(struct in_conn *, size_t n) NONNULL;
void in_take_kept(struct in_conn *) NONNULL;
/* Takes the one at the front of c->in, of which all is there and the head was read before. */
void in_take_whole(struct in_conn *) NONNULL;

/* in_answer.c */
void in_reply_now(struct in_conn *, const struct in_reply *, bool head_only) NONNULL;
void in_reply_keep(struct in_conn *, const struct in_reply *, bool head_only) NONNULL;
/* A fault of the request, or we lack something: answered, then the connection is closed. */
void in_refuse(struct in_conn *, int status, const char *error) NONNULL;
/* Instead of the handler, when we are as good as gone. bare: without a body. */
void in_unserved(struct in_request *, bool bare) NONNULL;
void in_send_continue(struct in_conn *) NONNULL;
/* `out` has room, or has become empty. */
void in_flush(struct in_conn *) NONNULL;
/* Sends what the kernel takes; the rest waits in `out`. */
void in_put_out(struct in_conn *, const char *p, size_t n) NONNULL;
/* The same with the last bytes of an answer, and goes on. */
void in_finish(struct in_conn *, const char *p, size_t n) NONNULL;

/* in_pieces.c */
void in_piece_taken(struct in_conn *) NONNULL; /* `out` is empty again */

/* in_accept.c */
void in_on_accept(evutil_socket_t, short, void *listener);
/* Goes on accepting if there is room again. */
void in_accept_again(void);
/* Accepts everything that waits and may be had. */
void in_accept_all(void);
/* A client is not accepted. */
void in_tell_refused(const char *why) NONNULL;

/* in_listen.c */
/* Closes those passed by the service manager, or all; connections stay. */
void in_close_listeners(bool all);
void in_let_go(struct in_listener *) NONNULL;

#endif
