/*
 * Listening sockets (CONTRACT §10): opened here, or passed by the service manager.
 *
 *   127.0.0.1:8080   IPv4
 *   [::1]:8080       IPv6 and nothing else: "[::]:80" leaves IPv4 to "0.0.0.0:80"
 *   :8080            all addresses of both, in one socket; IPv4 only where there is no IPv6
 *   unix:PATH        made with mode 0660 whatever the umask; who may connect is a matter of its
 *                    group and directory
 *   systemd          the n-th socket passed, whatever it is
 */
#ifndef GATEWAY_SOCKET_H
#define GATEWAY_SOCKET_H

#include <sys/types.h>

#include "conf/conf.h"

enum { SOCKET_TEXT = 256 };

struct listening {
	int fd;
	bool local;              /* reached from this machine only */
	bool passed;             /* the service manager's; stays open */
	char text[SOCKET_TEXT];  /* its address, with the port found where it was 0 */
	char path[CONF_UNIX_PATH + 1]; /* unix: what to remove, unless another took its place */
	dev_t device;
	ino_t inode;
};

/*
 * Binds and listens. A unix socket on which nobody answers any more is replaced; a file of another
 * kind is not. nth counts the "systemd" listeners from 0. -1 with a sentence in why.
 */
int socket_listen(struct listening *, const struct conf_listener *, size_t nth, char why[256])
    MUST NONNULL;
void socket_close(struct listening *) NONNULL;

#endif
