/*
 * A scripted receiver for attempts: a real listener on the same loop, which answers each request by
 * the next row of its script.
 */
#ifndef TEST_UNIT_GATEWAY_RECEIVER_H
#define TEST_UNIT_GATEWAY_RECEIVER_H

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/clock.h"
#include "gateway/net.h"
#include "gateway/out.h"
#include "test/unit/conf/parse.h"

enum { CONNECTIONS_MAX = 16, REPLY_MAX = 2 << 20 };

/* ---- the receiver --------------------------------------------------------------------------- */

enum then { KEEP, CLOSE, RESET };

struct act {
	const char *reply; /* NULL: nothing */
	enum then then;
	int wait_ms;  /* before the reply, */
	size_t at;    /* or, if not 0, before its byte `at`; */
	bool dribble; /* or before each byte of it */
	size_t body;  /* so many bytes of body behind it */
	bool early;   /* answers as soon as the request begins, and reads no more of it */
};

struct connection {
	int fd;
	struct event *event, *timer;
	size_t got; /* bytes of the request at hand */
	const struct act *act;
	size_t sent;
};

static struct {
	struct event_base *base;
	struct event *accepting;
	int fd, port;
	struct connection connections[CONNECTIONS_MAX];
	size_t accepted, requests, closed; /* closed: by the gateway */
	const struct act *script;
	size_t acts;
	struct conf *conf;
	struct out_pool *pool;
	char dir[32], resolv[48], hosts[48];
} w;

static inline void
end_connection(struct connection *c, bool reset)
{
	struct linger now = {1, 0};

	if (c->fd < 0)
		return;
	if (reset)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	event_free(c->event);
	event_free(c->timer);
	close(c->fd);
	c->fd = -1;
}

/* The script's reply with its body; valid until the next one. */
static inline struct slice
whole_reply(const struct act *act)
{
	static char text[REPLY_MAX];
	size_t n = act->reply == NULL ? 0 : strlen(act->reply);

	assert_true(n + act->body <= sizeof text);
	memcpy(text, act->reply == NULL ? "" : act->reply, n);
	memset(text + n, 'b', act->body);
	return (struct slice){text, n + act->body};
}

static inline void
pause_for(struct connection *c, int ms)
{
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	event_add(c->timer, &tv);
}

static inline void
send_more(struct connection *c)
{
	const struct act *act = c->act;
	struct slice reply = whole_reply(act);
	size_t until = c->sent < act->at ? act->at : reply.n;
	ssize_t n;

	if (act->dribble)
		until = c->sent + 1;
	n = send(c->fd, reply.p + c->sent, until - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN) {
		end_connection(c, false);
		w.closed++;
		return;
	}
	c->sent += n > 0 ? (size_t)n : 0;
	if (c->sent < reply.n)
		pause_for(c, c->sent == act->at || act->dribble ? act->wait_ms : 1);
	else if (act->then != KEEP)
		end_connection(c, act->then == RESET);
}

static inline void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	send_more(arg);
}

static inline void
answer(struct connection *c)
{
	c->act = w.requests < w.acts ? &w.script[w.requests] : NULL;
	w.requests++;
	c->got = c->sent = 0;
	if (c->act == NULL)
		return; /* silence */
	if (c->act->early)
		event_del(c->event);
	if (c->act->wait_ms > 0 && c->act->at == 0)
		pause_for(c, c->act->wait_ms);
	else
		send_more(c);
}

/* Requests end in "{}", which nothing else in them does. */
static inline void
on_bytes(evutil_socket_t fd, short what, void *arg)
{
	static char bytes[1 << 16];
	struct connection *c = arg;
	ssize_t n = recv(fd, bytes, sizeof bytes, 0);
	bool early = c->got == 0 && w.requests < w.acts && w.script[w.requests].early;

	(void)what;
	if (n <= 0) {
		end_connection(c, false);
		w.closed++;
		return;
	}
	c->got += (size_t)n;
	if (early || (n >= 2 && memcmp(bytes + n - 2, "{}", 2) == 0))
		answer(c);
}

static inline void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c;
	int got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	(void)arg;
	if (got < 0)
		return;
	assert_true(w.accepted < CONNECTIONS_MAX);
	c = &w.connections[w.accepted++];
	*c = (struct connection){.fd = got};
	c->event = event_new(w.base, got, EV_READ | EV_PERSIST, on_bytes, c);
	c->timer = evtimer_new(w.base, on_timer, c);
	event_add(c->event, NULL);
}

/* ---- attempts ------------------------------------------------------------------------------- */

struct attempt {
	struct out_attempt out;
	struct out_result result;
	struct slice body;
	unsigned fills;
	bool done, refuse;
};

static inline bool
fill(struct out_attempt *out, struct buf *head, struct slice *body)
{
	struct attempt *a = (struct attempt *)out;

	a->fills++;
	*body = a->body;
	buf_printf(head, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n", a->body.n);
	return !a->refuse;
}

static inline void
done(struct out_attempt *out, const struct out_result *result)
{
	struct attempt *a = (struct attempt *)out;

	assert_false(a->done);
	a->done = true;
	a->result = *result;
}

static inline struct attempt
new_attempt(void)
{
	return (struct attempt){
	    .out = {.webhook = &w.conf->webhooks[0], .fill = fill, .done = done},
	    .body = SLICE("{}")};
}

/* The loop for a moment: what has come is dealt with. */
static inline void
run(int ms)
{
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	event_base_loopexit(w.base, &tv);
	event_base_loop(w.base, 0);
	out_reap();
}

static inline struct out_result
finish(struct attempt *a)
{
	for (int i = 0; i < 2000 && !a->done; i++)
		run(2);
	assert_true(a->done);
	return a->result;
}

static inline struct out_result
try(void)
{
	struct attempt a = new_attempt();

	out_start(w.pool, &a.out);
	return finish(&a);
}

static inline void
play(const struct act *script, size_t acts)
{
	w.script = script;
	w.acts = acts;
	w.requests = 0;
}

/* ---- life ----------------------------------------------------------------------------------- */

/* Attempts without TLS are never kept waiting. */
static inline void
on_room(void)
{
	fail_msg("nothing waits for room");
}

static inline void
configure(const char *host, const char *deadline, const char *networks)
{
	char text[512];

	snprintf(text, sizeof text,
		 "{'allow_networks': [%s], 'services': [{'name': 's', 'webhooks': [{'name': 'ops',"
		 " 'url': 'http://%s:%d/', 'deadline': '%s'}]}]}",
		 networks, host, w.port, deadline);
	out_pool_retire(w.pool);
	out_reap();
	conf_release(w.conf);
	w.conf = parse_good(text);
	out_configure(w.conf);
	w.pool = out_pool_new(&w.conf->webhooks[0]);
	assert_non_null(w.pool);
}

static inline void
listen_on(const uint8_t ip[4])
{
	struct sockaddr_storage name;
	struct address address = address_ipv4(ip);
	socklen_t n = net_sockaddr(&address, 0, &name);
	int little = 4096; /* so that a large request does not go out at once */

	w.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(w.fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
	assert_int_equal(bind(w.fd, (struct sockaddr *)&name, n), 0);
	assert_int_equal(listen(w.fd, 16), 0);
	net_local(w.fd, &name);
	w.port = net_port(&name);
	w.accepting = event_new(w.base, w.fd, EV_READ | EV_PERSIST, on_accept, NULL);
	event_add(w.accepting, NULL);
}

static inline void
listen_no_more(void)
{
	event_free(w.accepting);
	close(w.fd);
	w.fd = -1;
}

static inline void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static inline int
setup(void **state)
{
	(void)state;
	memset(&w, 0, sizeof w);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		w.connections[i].fd = -1;
	strcpy(w.dir, "/tmp/tocsin-out-XXXXXX");
	w.base = event_base_new();
	if (mkdtemp(w.dir) == NULL || w.base == NULL)
		return -1;
	snprintf(w.resolv, sizeof w.resolv, "%s/resolv.conf", w.dir);
	snprintf(w.hosts, sizeof w.hosts, "%s/hosts", w.dir);
	write_file(w.resolv, "nameserver 127.0.0.1:9\n");
	write_file(w.hosts,
		   "127.0.0.1 one.example\n"
		   "127.0.0.1 three.example\n127.0.0.2 three.example\n127.0.0.3 three.example\n");
	listen_on((const uint8_t[]){127, 0, 0, 1});
	out_setup(w.base, on_room);
	configure("127.0.0.1", "3s", "'127.0.0.0/8'");
	return lookup_start(w.base, w.resolv, w.hosts);
}

static inline int
teardown(void **state)
{
	(void)state;
	out_pool_retire(w.pool);
	out_reap();
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		end_connection(&w.connections[i], false);
	if (w.fd >= 0)
		listen_no_more();
	lookup_stop();
	event_base_loop(w.base, EVLOOP_NONBLOCK);
	event_base_free(w.base);
	conf_release(w.conf);
	unlink(w.resolv);
	unlink(w.hosts);
	return rmdir(w.dir);
}

#define OUT_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
