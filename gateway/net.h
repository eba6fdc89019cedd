/* Addresses as the kernel's calls want them. */
#ifndef GATEWAY_NET_H
#define GATEWAY_NET_H

#include <sys/socket.h>

#include "proto/cidr.h"

/* IPv4 or IPv6, as the address is; returns the length used. */
socklen_t net_sockaddr(const struct address *, int port, struct sockaddr_storage *) NONNULL;
/* The other way; all zero for what is neither. */
struct address net_address(const struct sockaddr_storage *) NONNULL;
/* The port a socket is bound to; 0 if it is none. */
int net_local_port(int fd);

#endif
