/*
 * Host names to addresses, without ever blocking: /etc/hosts first, then DNS, A and AAAA at once.
 *
 * Answers are cached for their TTL (5 to 300 s), "there is no such name" for 5 s, a server that
 * said nothing not at all. One look-up is in flight per name, however many wait for it; a dead name
 * server delays only those who ask it.
 */
#ifndef GATEWAY_LOOKUP_H
#define GATEWAY_LOOKUP_H

#include <event2/event.h>
#include <sys/queue.h>

#include "proto/cidr.h"

enum { LOOKUP_ADDRESSES = 16, LOOKUP_NAME_MAX = 253 };

struct lookup_answer {
	size_t count; /* IPv4 first */
	struct address addresses[LOOKUP_ADDRESSES];
};

enum lookup_result { LOOKUP_FOUND, LOOKUP_NONE, LOOKUP_WAIT };

/* Embedded in whoever waits. */
struct lookup_wait {
	/* found is NULL when the name has no address. May start another look-up. */
	void (*done)(struct lookup_wait *, const struct lookup_answer *found);
	struct lookup_entry *entry; /* NULL: does not wait */
	LIST_ENTRY(lookup_wait) next;
};

/* Reads resolv_conf; without a name server in it only hosts_file is asked. -1 without memory. */
int lookup_start(struct event_base *, const char *resolv_conf, const char *hosts_file) MUST NONNULL;
void lookup_stop(void); /* nobody may wait any more */

/* Fills *answer for LOOKUP_FOUND; for LOOKUP_WAIT calls wait->done later, from the loop. An address
 * as text is its own answer. */
enum lookup_result lookup_find(struct slice name, struct lookup_answer *, struct lookup_wait *)
    MUST NONNULL;
void lookup_cancel(struct lookup_wait *) NONNULL; /* harmless if it does not wait */

#endif
