/* The plain stream: the socket itself. The other table is in tls.c. */
#include "gateway/stream.h"

#include <errno.h>
#include <sys/socket.h>

#include "gateway/tls.h"

static int
plain_start(struct stream *s)
{
	(void)s;
	return 0;
}

void
stream_broke(struct stream *s)
{
	s->lacking = errno == ENOMEM || errno == ENOBUFS;
	s->why = s->lacking            ? "no memory"
		 : errno == ECONNRESET ? "connection reset"
				       : "connection lost";
}

static ssize_t
fault(struct stream *s, int want)
{
	if (errno == EAGAIN || errno == EINTR)
		return want;
	stream_broke(s);
	return STREAM_FAILED;
}

static ssize_t
plain_read(struct stream *s, void *p, size_t n)
{
	ssize_t got = recv(s->fd, p, n, 0);

	return got >= 0 ? got : fault(s, STREAM_WANT_READ);
}

static ssize_t
plain_write(struct stream *s, const void *p, size_t n)
{
	ssize_t put = send(s->fd, p, n, MSG_NOSIGNAL);

	return put >= 0 ? put : fault(s, STREAM_WANT_WRITE);
}

static void
plain_finish(struct stream *s)
{
	shutdown(s->fd, SHUT_WR);
}

static void
plain_end(struct stream *s)
{
	(void)s;
}

static const struct stream_ops plain = {plain_start, plain_read, plain_write, plain_finish,
    plain_end};

int
stream_open(struct stream *s, int fd, struct tls_peer *peer)
{
	*s = (struct stream){.ops = &plain, .fd = fd};
	return peer == NULL ? 0 : tls_open(s, peer);
}

int
stream_accept(struct stream *s, int fd, struct tls_server *server)
{
	*s = (struct stream){.ops = &plain, .fd = fd};
	return server == NULL ? 0 : tls_accept(s, server);
}
