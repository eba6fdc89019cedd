/*
 * A gateway asked over HTTP by a command: one request a connection, blocking, under a deadline.
 * Answers are read as strictly as receivers' are.
 */
#ifndef GATEWAY_CLIENT_H
#define GATEWAY_CLIENT_H

#include <sys/socket.h>

#include "conf/conf.h"

enum { CLIENT_WHY = 256, CLIENT_ADDRESSES = 8, CLIENT_TOKEN = 1024 };

struct client {
	struct sockaddr_storage addresses[CLIENT_ADDRESSES]; /* tried in turn */
	socklen_t lengths[CLIENT_ADDRESSES];
	size_t address_count;
	char authority[300];    /* of Host */
	char place[300];        /* for complaints */
	struct tls_peer *peer;  /* NULL: plain */
	char token[CLIENT_TOKEN + 1]; /* secret; empty: none is sent */
};

/* Where the gateway is: "http://HOST:PORT", "https://HOST:PORT" (the certificate is verified with
 * the system's authorities), "unix:PATH"; or a listener of its configuration, as it is reached from
 * this machine. False with a sentence in why. */
bool client_at_url(struct client *, struct slice url, char why[CLIENT_WHY]) MUST NONNULL;
bool client_at_listener(struct client *, const struct conf_listener *, char why[CLIENT_WHY])
    MUST NONNULL;
void client_close(struct client *) NONNULL; /* wipes the token */

struct client_request {
	const char *method;
	struct slice target; /* visible ASCII; starts with '/' */
	struct slice body;   /* JSON; empty: none */
	int64_t timeout;     /* us, for all of it */
};

/* The status of the answer, whose body is put into the buffer; -1 with a sentence in why. */
int client_ask(const struct client *, const struct client_request *, struct buf *body,
    char why[CLIENT_WHY]) MUST NONNULL;

#endif
