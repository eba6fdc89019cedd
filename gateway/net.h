/* Addresses as the kernel's calls want them. */
#ifndef GATEWAY_NET_H
#define GATEWAY_NET_H

#include <sys/socket.h>

#include "proto/cidr.h"

enum { NET_TEXT = 128 };

/* IPv4 or IPv6, as the address is; returns the length used. */
socklen_t net_sockaddr(const struct address *, int port, struct sockaddr_storage *) NONNULL;
/* The other way; all zero for what is neither. */
struct address net_address(const struct sockaddr_storage *) NONNULL;
int net_port(const struct sockaddr_storage *) NONNULL; /* 0 for what has none */
/* "127.0.0.1:80", "[::1]:80", "unix:PATH" */
void net_text(const struct sockaddr_storage *, char out[NET_TEXT]) NONNULL;

/* What a socket is bound to; all zero if that cannot be found out. */
void net_local(int fd, struct sockaddr_storage *) NONNULL;

void net_close(int fd); /* keeps errno */

#endif
