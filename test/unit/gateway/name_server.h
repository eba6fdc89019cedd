/* A name server on the loop of the test, with a zone that has one name for each way to answer. */
#ifndef TEST_UNIT_GATEWAY_NAME_SERVER_H
#define TEST_UNIT_GATEWAY_NAME_SERVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/clock.h"
#include "gateway/lookup.h"
#include "gateway/net.h"

enum { TYPE_A = 1, TYPE_AAAA = 28, SILENT = -1, GARBAGE = -2, SERVFAIL = 2, NXDOMAIN = 3 };

/* How it answers; a name that is not here does not exist. */
struct zone {
	const char *name;
	int code; /* 0, NXDOMAIN, SERVFAIL, SILENT, GARBAGE */
	int v4,
	    v6; /* addresses: 192.0.2.1, ..., 2001:db8::1, ...; SILENT: that type is not answered */
	uint32_t ttl;
	unsigned asked4, asked6;
};

static struct zone zones[] = {
    {"both.example", 0, 2, 1, 60, 0, 0},	 {"four.example", 0, 1, 0, 60, 0, 0},
    {"six.example", 0, 0, 2, 60, 0, 0},		 {"many.example", 0, 20, 3, 60, 0, 0},
    {"mute6.example", 0, 1, SILENT, 60, 0, 0},	 {"short.example", 0, 1, 0, 1, 0, 0},
    {"zero.example", 0, 1, 0, 0, 0, 0},		 {"six-short.example", 0, 0, 1, 2, 0, 0},
    {"middle.example", 0, 1, 0, 100, 0, 0},	 {"long.example", 0, 1, 1, 86400, 0, 0},
    {"huge.example", 0, 1, 0, 0xffffffff, 0, 0}, {"none.example", NXDOMAIN, 0, 0, 3600, 0, 0},
    {"empty.example", 0, 0, 0, 3600, 0, 0},	 {"fail.example", SERVFAIL, 0, 0, 0, 0, 0},
    {"silent.example", SILENT, 0, 0, 0, 0, 0},	 {"garbage.example", GARBAGE, 0, 0, 0, 0, 0}};

static struct {
	struct event_base *base;
	struct event *event;
	int fd;
	char dir[32], resolv[48], hosts[48];
} w;

static inline struct zone *
zone_of(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(zones); i++)
		if (strcasecmp(zones[i].name, name) == 0)
			return &zones[i];
	return NULL;
}

static inline size_t
put_u16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return 2;
}

/* Owner (the question's name), type, class, TTL, address. */
static inline size_t
put_answer(uint8_t *p, int type, uint32_t ttl, int nth)
{
	uint8_t v4[4] = {192, 0, 2, (uint8_t)nth}, v6[16] = {0x20, 0x01, 0x0d, 0xb8};
	size_t n = put_u16(p, 0xc00c);

	v6[15] = (uint8_t)nth;
	n += put_u16(p + n, (unsigned)type);
	n += put_u16(p + n, 1);
	put_u32(p + n, ttl);
	n += 4;
	n += put_u16(p + n, type == TYPE_A ? 4 : 16);
	memcpy(p + n, type == TYPE_A ? v4 : v6, type == TYPE_A ? 4 : 16);
	return n + (type == TYPE_A ? 4 : 16);
}

static inline size_t
make_reply(uint8_t *packet, size_t n, int type, const struct zone *zone)
{
	int code = zone == NULL ? NXDOMAIN : zone->code;
	int count = zone == NULL ? 0 : type == TYPE_A ? zone->v4 : zone->v6;

	if (code == SILENT || count == SILENT)
		return 0;
	put_u16(packet + 2, 0x8180 | (code > 0 ? (unsigned)code : 0));
	put_u16(packet + 6, (unsigned)count);
	if (code == GARBAGE) { /* the question's id, and then nothing that makes sense */
		put_u16(packet + 6, 9);
		memset(packet + n, 0xc0, 100);
		return n + 100;
	}
	for (int i = 1; i <= count; i++)
		n += put_answer(packet + n, type, zone->ttl, i);
	return n;
}

static inline void
on_query(evutil_socket_t fd, short what, void *arg)
{
	uint8_t packet[1024];
	char name[256];
	struct sockaddr_storage from;
	socklen_t from_n = sizeof from;
	ssize_t got = recvfrom(fd, packet, 512, 0, (struct sockaddr *)&from, &from_n);
	size_t at = 12, n = 0;
	struct zone *zone;
	int type;

	(void)what;
	(void)arg;
	while (at < (size_t)got && packet[at] != 0) {
		memcpy(name + n, packet + at + 1, packet[at]);
		n += packet[at];
		name[n++] = '.';
		at += packet[at] + 1u;
	}
	name[n > 0 ? n - 1 : 0] = '\0';
	type = packet[at + 1] << 8 | packet[at + 2];
	zone = zone_of(name);
	if (zone != NULL)
		(*(type == TYPE_A ? &zone->asked4 : &zone->asked6))++;
	put_u16(packet + 10, 0);
	n = make_reply(packet, at + 5, type, zone);
	if (n > 0)
		sendto(fd, packet, n, 0, (struct sockaddr *)&from, from_n);
}

#endif
