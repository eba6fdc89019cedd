/* struct address to and from struct sockaddr. */
#include "gateway/net.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

socklen_t
net_sockaddr(const struct address *address, int port, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof *out);
	if (address_is_ipv4(address)) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		memcpy(&v4->sin_addr, address->b + 12, sizeof v4->sin_addr);
		return sizeof *v4;
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	memcpy(&v6->sin6_addr, address->b, sizeof v6->sin6_addr);
	return sizeof *v6;
}

struct address
net_address(const struct sockaddr_storage *name)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)name;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)name;
	struct address address = {{0}};
	uint8_t b[4];

	if (name->ss_family == AF_INET) {
		memcpy(b, &v4->sin_addr, sizeof b);
		return address_ipv4(b);
	}
	if (name->ss_family == AF_INET6)
		memcpy(address.b, &v6->sin6_addr, sizeof address.b);
	return address;
}

int
net_port(const struct sockaddr_storage *name)
{
	if (name->ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)name)->sin_port);
	if (name->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)name)->sin6_port);
	return 0;
}

void
net_text(const struct sockaddr_storage *name, char out[NET_TEXT])
{
	const struct sockaddr_un *local = (const struct sockaddr_un *)name;
	struct address address = net_address(name);
	bool v6 = name->ss_family == AF_INET6;
	char text[46];

	if (name->ss_family == AF_UNIX) {
		snprintf(out, NET_TEXT, "unix:%.*s", (int)sizeof local->sun_path, local->sun_path);
		return;
	}
	address_text(&address, text);
	snprintf(out, NET_TEXT, "%s%s%s:%d", v6 ? "[" : "", text, v6 ? "]" : "", net_port(name));
}

void
net_local(int fd, struct sockaddr_storage *name)
{
	socklen_t n = sizeof *name;

	memset(name, 0, sizeof *name);
	if (getsockname(fd, (struct sockaddr *)name, &n) != 0)
		memset(name, 0, sizeof *name);
}

void
net_close(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
}
