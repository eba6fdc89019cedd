/*
 * The cache is a short list: its names are the hosts of configured webhooks.
 *
 *           asked             A has addresses, or both are answered         TTL over
 *   (none) ────────▶ PENDING ──────────────────────────────────────▶ READY ────────▶ asked again
 *
 * A positive A answer is not held back for an AAAA that may never come; one that comes later still
 * joins the entry.
 */
#include "gateway/lookup.h"

#include <arpa/inet.h>
#include <event2/dns.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/clock.h"

enum { TTL_LEAST_S = 5, TTL_MOST_S = 300, HOSTS_TTL_S = 5, ENTRIES_MAX = 4096 };

struct lookup_entry {
	LIST_ENTRY(lookup_entry) next;
	LIST_HEAD(lookup_waits, lookup_wait) waiters;
	struct evdns_request *v4, *v6; /* in flight */
	struct lookup_answer answer;
	int64_t expires;               /* mono */
	bool pending;                  /* somebody may wait */
	bool silent;                   /* a query ended without any answer */
	uint32_t ttl;
	char name[LOOKUP_NAME_MAX + 1];
};

static struct {
	struct evdns_base *dns;
	LIST_HEAD(lookup_entries, lookup_entry) entries;
	size_t count;
	char hosts_file[256];
	int servers;
} state;

static const char *const dns_options[][2] = {{"timeout:", "0.7"}, {"attempts:", "5"},
    {"max-inflight:", "4096"}, {"randomize-case:", "0"}, {"max-timeouts:", "255"}};

int
lookup_start(struct event_base *base, const char *resolv_conf, const char *hosts_file)
{
	LIST_INIT(&state.entries);
	snprintf(state.hosts_file, sizeof state.hosts_file, "%s", hosts_file);
	state.dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (state.dns == NULL)
		return -1;
	/* Without a name server in the file evdns would ask this machine. */
	if (evdns_base_resolv_conf_parse(state.dns, DNS_OPTION_NAMESERVERS | DNS_OPTION_SEARCH,
		resolv_conf) != 0)
		evdns_base_clear_nameservers_and_suspend(state.dns);
	for (size_t i = 0; i < COUNT_OF(dns_options); i++)
		evdns_base_set_option(state.dns, dns_options[i][0], dns_options[i][1]);
	state.servers = evdns_base_count_nameservers(state.dns);
	return 0;
}

static void
forget(struct lookup_entry *entry)
{
	if (entry->v4 != NULL)
		evdns_cancel_request(state.dns, entry->v4);
	if (entry->v6 != NULL)
		evdns_cancel_request(state.dns, entry->v6);
	LIST_REMOVE(entry, next);
	state.count--;
	free(entry);
}

void
lookup_stop(void)
{
	struct lookup_entry *entry;

	while ((entry = LIST_FIRST(&state.entries)) != NULL)
		forget(entry); /* NOLINT(clang-analyzer-unix.Malloc): it leaves the list */
	evdns_base_free(state.dns, 0);
	state.dns = NULL;
}

/* ---- /etc/hosts -------------------------------------------------------------------------- */

static void
add_address(struct lookup_answer *answer, const struct address *address, bool first)
{
	if (answer->count == LOOKUP_ADDRESSES)
		return;
	if (first) {
		memmove(answer->addresses + 1, answer->addresses,
		    answer->count * sizeof *answer->addresses);
		answer->addresses[0] = *address;
	} else {
		answer->addresses[answer->count] = *address;
	}
	answer->count++;
}

static void
read_hosts_line(char *line, const char *name, struct lookup_answer *answer)
{
	static const char blanks[] = " \t\r\n";
	struct address address;
	char *rest, *word;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, blanks, &rest);
	if (word == NULL || !address_parse(slice_of(word), &address))
		return;
	while ((word = strtok_r(NULL, blanks, &rest)) != NULL)
		if (slice_is_nocase(slice_of(word), slice_of(name))) {
			add_address(answer, &address, address_is_ipv4(&address));
			return;
		}
}

static bool
ask_hosts(const char *name, struct lookup_answer *answer)
{
	char line[1024];
	FILE *file = fopen(state.hosts_file, "re");

	answer->count = 0;
	if (file == NULL)
		return false;
	while (fgets(line, sizeof line, file) != NULL)
		read_hosts_line(line, name, answer);
	fclose(file);
	return answer->count > 0;
}

/* ---- DNS --------------------------------------------------------------------------------- */

static void
answer_waiters(struct lookup_entry *entry)
{
	struct lookup_answer answer = entry->answer;
	struct lookup_wait *wait;

	while ((wait = LIST_FIRST(&entry->waiters)) != NULL) {
		LIST_REMOVE(wait, next);
		wait->entry = NULL;
		wait->done(wait, answer.count > 0 ? &answer : NULL);
	}
}

static void
settle(struct lookup_entry *entry)
{
	bool over = entry->v4 == NULL && entry->v6 == NULL;
	int64_t ttl = TTL_LEAST_S;

	if (!over && (entry->answer.count == 0 || entry->v4 != NULL))
		return;
	if (entry->answer.count > 0 && entry->ttl > TTL_LEAST_S)
		ttl = entry->ttl < TTL_MOST_S ? entry->ttl : TTL_MOST_S;
	if (entry->answer.count == 0 && entry->silent)
		ttl = 0;
	entry->expires = clock_mono() + ttl * CLOCK_S;
	entry->pending = false;
	answer_waiters(entry);
}

static void
take(struct lookup_entry *entry, int result, int count, int ttl, const void *addresses, bool v4)
{
	if (result == DNS_ERR_TIMEOUT || result == DNS_ERR_SERVERFAILED)
		entry->silent = true;
	if (result != DNS_ERR_NONE)
		return;
	if (ttl >= 0 && (entry->ttl == 0 || (uint32_t)ttl < entry->ttl))
		entry->ttl = ttl == 0 ? 1 : (uint32_t)ttl;
	for (int i = 0; i < count; i++) {
		struct address address;

		if (v4)
			address = address_ipv4((const uint8_t *)addresses + 4 * i);
		else
			memcpy(address.b, (const uint8_t *)addresses + 16 * i, 16);
		add_address(&entry->answer, &address, v4 && entry->v6 == NULL);
	}
}

static void
on_v4(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	struct lookup_entry *entry = arg;
	(void)type;

	if (result == DNS_ERR_CANCEL)
		return;
	entry->v4 = NULL;
	take(entry, result, count, ttl, addresses, true);
	settle(entry);
}

static void
on_v6(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	struct lookup_entry *entry = arg;
	(void)type;

	if (result == DNS_ERR_CANCEL)
		return;
	entry->v6 = NULL;
	take(entry, result, count, ttl, addresses, false);
	settle(entry);
}

static void
ask_dns(struct lookup_entry *entry)
{
	entry->answer.count = 0;
	entry->ttl = 0;
	entry->silent = false;
	if (state.servers == 0)
		return;
	entry->v4 = evdns_base_resolve_ipv4(state.dns, entry->name, 0, on_v4, entry);
	entry->v6 = evdns_base_resolve_ipv6(state.dns, entry->name, 0, on_v6, entry);
}

/* ---- cache ------------------------------------------------------------------------------- */

/* Room for a new entry: the first that is old and asked by nobody makes it. */
static bool
make_room(void)
{
	struct lookup_entry *entry;

	if (state.count < ENTRIES_MAX)
		return true;
	LIST_FOREACH (entry, &state.entries, next)
		if (!entry->pending && entry->v6 == NULL && entry->expires <= clock_mono()) {
			forget(entry);
			return true;
		}
	return false;
}

static struct lookup_entry *
find_entry(struct slice name)
{
	struct lookup_entry *entry;

	LIST_FOREACH (entry, &state.entries, next)
		if (slice_is_nocase(slice_of(entry->name), name))
			return entry;
	entry = name.n > LOOKUP_NAME_MAX || !make_room() ? NULL : calloc(1, sizeof *entry);
	if (entry == NULL)
		return NULL;
	memcpy(entry->name, name.p, name.n);
	LIST_INIT(&entry->waiters);
	LIST_INSERT_HEAD(&state.entries, entry, next);
	state.count++;
	return entry;
}

static void
ask(struct lookup_entry *entry)
{
	if (ask_hosts(entry->name, &entry->answer)) {
		entry->expires = clock_mono() + (int64_t)HOSTS_TTL_S * CLOCK_S;
		return;
	}
	ask_dns(entry);
	entry->pending = entry->v4 != NULL || entry->v6 != NULL;
	if (!entry->pending)
		entry->expires = clock_mono() + (int64_t)TTL_LEAST_S * CLOCK_S;
}

enum lookup_result
lookup_find(struct slice name, struct lookup_answer *answer, struct lookup_wait *wait)
{
	struct lookup_entry *entry;

	wait->entry = NULL;
	if (address_parse(name, &answer->addresses[0])) {
		answer->count = 1;
		return LOOKUP_FOUND;
	}
	entry = find_entry(name);
	if (entry == NULL)
		return LOOKUP_NONE;
	/* A late AAAA may still be in flight behind an entry that is old: wait for that one. */
	if (!entry->pending && entry->expires <= clock_mono() && entry->v6 == NULL)
		ask(entry);
	if (!entry->pending) {
		*answer = entry->answer;
		return answer->count > 0 ? LOOKUP_FOUND : LOOKUP_NONE;
	}
	wait->entry = entry;
	LIST_INSERT_HEAD(&entry->waiters, wait, next);
	return LOOKUP_WAIT;
}

void
lookup_cancel(struct lookup_wait *wait)
{
	if (wait->entry == NULL)
		return;
	LIST_REMOVE(wait, next);
	wait->entry = NULL;
}
