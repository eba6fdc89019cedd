/*
 * A client of TLS 1.3 that does nothing but change its keys: key_updates PORT N sends N key updates
 * to 127.0.0.1, as fast as it can, and says how many the other side took.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int
dial(int port)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
	    .sin_port = htons((unsigned short)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return connect(fd, (struct sockaddr *)&name, sizeof name) == 0 ? fd : -1;
}

int
main(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = ctx == NULL ? NULL : SSL_new(ctx);
	int fd = argc == 3 ? dial(atoi(argv[1])) : -1, n = 0;

	signal(SIGPIPE, SIG_IGN);
	if (fd < 0 || ssl == NULL || SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
		return 1;
	while (n < atoi(argv[2]) && SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
	       SSL_do_handshake(ssl) == 1)
		n++;
	printf("%d\n", n);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	return 0;
}
