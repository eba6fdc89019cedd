/*
 * A connected socket, plain or TLS, behind one table of functions, so that no other code asks which
 * of the two it is.
 */
#ifndef GATEWAY_STREAM_H
#define GATEWAY_STREAM_H

#include <sys/types.h>

#include "proto/base.h"

struct tls_peer;
struct tls_server;
struct ssl_st;

/* Results below 0; 0 is the end of the stream, or "done" for start. */
enum {
	STREAM_WANT_READ = -1,  /* call again when the socket is readable */
	STREAM_WANT_WRITE = -2, /* ... writable */
	STREAM_FAILED = -3,     /* why says more */
};

struct stream {
	const struct stream_ops *ops;
	int fd;              /* owned by whoever opened it */
	struct ssl_st *ssl;  /* TLS only */
	const char *why;     /* after STREAM_FAILED; static text */
	bool lacking;        /* it failed for want of memory here; nobody else's fault */
};

struct stream_ops {
	/* Brings the stream up (a handshake); 0 when it is. */
	int (*start)(struct stream *);
	ssize_t (*read)(struct stream *, void *, size_t);
	/* May take less than n; what was not taken must be offered again, at least as much of
	 * it. */
	ssize_t (*write)(struct stream *, const void *, size_t);
	/* Nothing more is written, and the other side hears of it; reading goes on. */
	void (*finish)(struct stream *);
	/* Gives back what the stream holds; the socket is closed by its owner, afterwards. */
	void (*end)(struct stream *);
};

/* As a client, as a server. NULL: plain. -1 without memory. */
int stream_open(struct stream *, int fd, struct tls_peer *) MUST;
int stream_accept(struct stream *, int fd, struct tls_server *) MUST;

/* Sets why and lacking, by errno. */
void stream_broke(struct stream *) NONNULL;

static inline int
stream_start(struct stream *s)
{
	return s->ops->start(s);
}

static inline ssize_t
stream_read(struct stream *s, void *p, size_t n)
{
	return s->ops->read(s, p, n);
}

static inline ssize_t
stream_write(struct stream *s, const void *p, size_t n)
{
	return s->ops->write(s, p, n);
}

static inline void
stream_finish(struct stream *s)
{
	s->ops->finish(s);
}

static inline void
stream_end(struct stream *s)
{
	if (s->ops != NULL)
		s->ops->end(s);
	s->ops = NULL;
}

#endif
