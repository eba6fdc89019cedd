/*
 * Names to addresses: /etc/hosts, DNS from a name server of our own on the same loop, the
 * cache. The clock that the cache reads is this file's, so that minutes pass at once; evdns
 * keeps its own.
 */
#include "name_server.h"

static int64_t now = (int64_t)1000 * CLOCK_S;

int64_t
clock_mono(void)
{
	return now;
}

int64_t
clock_wall(void)
{
	return now;
}

/* ---- waiting -------------------------------------------------------------------------------- */

struct waiter {
	struct lookup_wait wait; /* first: on_done() casts */
	struct lookup_answer answer;
	bool done, found;
	const char *next; /* a name to look up from on_done() */
	struct waiter *next_waiter;
};

static enum lookup_result
find(const char *name, struct waiter *waiter)
{
	waiter->done = waiter->found = false;
	return lookup_find(slice_of(name), &waiter->answer, &waiter->wait);
}

static void
on_done(struct lookup_wait *wait, const struct lookup_answer *answer)
{
	struct waiter *waiter = (struct waiter *)wait;

	assert_false(waiter->done);
	waiter->done = true;
	waiter->found = answer != NULL;
	if (answer != NULL)
		waiter->answer = *answer;
	if (waiter->next != NULL)
		assert_int_equal(find(waiter->next, waiter->next_waiter), LOOKUP_WAIT);
}

static struct waiter
new_waiter(void)
{
	return (struct waiter){.wait.done = on_done};
}

/* The loop, for that long or, looked at now and then, until *until. */
static void
run(int ms, const bool *until)
{
	struct timeval step = {0, 5000};

	for (int passed = 0; passed < ms && (until == NULL || !*until); passed += 5) {
		event_base_loopexit(w.base, &step);
		event_base_loop(w.base, 0);
	}
}

/* Asks and waits for what comes; true if there is an address. */
static bool
resolve(const char *name, struct waiter *waiter)
{
	*waiter = new_waiter();
	assert_int_equal(find(name, waiter), LOOKUP_WAIT);
	run(3000, &waiter->done);
	assert_true(waiter->done);
	run(40, NULL); /* the other type's answer */
	return waiter->found;
}

/* The same where the answer may be there already. */
static bool
known(const char *name, struct waiter *waiter)
{
	enum lookup_result result;

	*waiter = new_waiter();
	result = find(name, waiter);
	if (result != LOOKUP_WAIT)
		return result == LOOKUP_FOUND;
	run(3000, &waiter->done);
	return waiter->found;
}

static void
assert_address(const struct lookup_answer *answer, size_t i, const char *want)
{
	char text[46];

	assert_in_range(i, 0, answer->count - 1);
	address_text(&answer->addresses[i], text);
	assert_string_equal(text, want);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int
setup(const char *directive)
{
	struct sockaddr_storage name;
	struct address local = address_ipv4((const uint8_t[]){127, 0, 0, 1});
	socklen_t n = net_sockaddr(&local, 0, &name);
	char text[64];

	memset(&w, 0, sizeof w);
	for (size_t i = 0; i < COUNT_OF(zones); i++)
		zones[i].asked4 = zones[i].asked6 = 0;
	strcpy(w.dir, "/tmp/tocsin-lookup-XXXXXX");
	w.base = event_base_new();
	w.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (mkdtemp(w.dir) == NULL || bind(w.fd, (struct sockaddr *)&name, n) != 0)
		return -1;
	w.event = event_new(w.base, w.fd, EV_READ | EV_PERSIST, on_query, NULL);
	event_add(w.event, NULL);
	snprintf(w.resolv, sizeof w.resolv, "%s/resolv.conf", w.dir);
	snprintf(w.hosts, sizeof w.hosts, "%s/hosts", w.dir);
	net_local(w.fd, &name);
	snprintf(text, sizeof text, "%s 127.0.0.1:%d\n", directive, net_port(&name));
	write_file(w.resolv, text);
	write_file(w.hosts, "");
	return lookup_start(w.base, w.resolv, w.hosts);
}

static int
setup_dns(void **state)
{
	(void)state;
	return setup("nameserver");
}

static int
setup_alone(void **state)
{
	(void)state;
	return setup("# none");
}

static int
teardown(void **state)
{
	(void)state;
	lookup_stop();
	event_free(w.event);
	event_base_loop(w.base, EVLOOP_NONBLOCK); /* cancelled look-ups say so once more */
	event_base_free(w.base);
	close(w.fd);
	unlink(w.resolv);
	unlink(w.hosts);
	return rmdir(w.dir);
}

/* ---- without DNS ---------------------------------------------------------------------------- */

static void
test_lookup_literal(void **state)
{
	static const char *const addresses[] = {"192.0.2.7", "::1", "2001:db8::7"};
	struct waiter waiter = new_waiter();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		assert_int_equal(find(addresses[i], &waiter), LOOKUP_FOUND);
		assert_int_equal(waiter.answer.count, 1);
		assert_address(&waiter.answer, 0, addresses[i]);
		lookup_cancel(&waiter.wait); /* harmless */
	}
}

static void
test_lookup_hosts(void **state)
{
	static const char text[] = "# 192.0.2.9 comment\n"
				   "192.0.2.1 one alias\n"
				   "\t192.0.2.2\ttabbed\ttoo \r\n"
				   "2001:db8::3 six dual\n"
				   "192.0.2.3 dual # hidden\n"
				   "192.0.2.300 wrong\n"
				   "nonsense\n"
				   "\n"
				   "192.0.2.4 twice twice\n"
				   "192.0.2.5 last";
	static const struct {
		const char *name, *first;
		size_t count;
	} cases[] = {{"one", "192.0.2.1", 1},	{"alias", "192.0.2.1", 1},
		     {"ALIAS", "192.0.2.1", 1}, {"tabbed", "192.0.2.2", 1},
		     {"too", "192.0.2.2", 1},	{"six", "2001:db8::3", 1},
		     {"dual", "192.0.2.3", 2},	{"twice", "192.0.2.4", 1},
		     {"last", "192.0.2.5", 1},	{"comment", NULL, 0},
		     {"hidden", NULL, 0},	{"wrong", NULL, 0},
		     {"nonsense", NULL, 0},	{"on", NULL, 0},
		     {"onee", NULL, 0},		{"#", NULL, 0}};

	(void)state;
	write_file(w.hosts, text);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct waiter waiter;

		assert_int_equal(known(cases[i].name, &waiter), cases[i].count > 0);
		if (cases[i].count == 0)
			continue;
		assert_int_equal(waiter.answer.count, cases[i].count);
		assert_address(&waiter.answer, 0, cases[i].first);
	}
}

/* The file is read again after a while, whether the name was there or not. */
static void
test_lookup_hosts_changed(void **state)
{
	struct waiter waiter;

	(void)state;
	write_file(w.hosts, "192.0.2.1 a\n");
	assert_true(known("a", &waiter));
	assert_false(known("b", &waiter));
	write_file(w.hosts, "192.0.2.2 b\n");
	now += 5 * CLOCK_S - 1;
	assert_true(known("a", &waiter));
	assert_false(known("b", &waiter));
	now++;
	assert_false(known("a", &waiter));
	assert_true(known("b", &waiter));
	unlink(w.hosts);
	now += 5 * CLOCK_S;
	assert_false(known("b", &waiter));
	write_file(w.hosts, "");
}

static void
test_lookup_hosts_many(void **state)
{
	char text[2048] = "";
	struct waiter waiter = new_waiter();
	size_t n = 0;

	(void)state;
	for (int i = 1; i <= LOOKUP_ADDRESSES + 4; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "192.0.2.%d many\n", i);
	write_file(w.hosts, text);
	assert_int_equal(find("many", &waiter), LOOKUP_FOUND);
	assert_int_equal(waiter.answer.count, LOOKUP_ADDRESSES);
}

static void
test_lookup_name_length(void **state)
{
	char name[LOOKUP_NAME_MAX + 2], text[LOOKUP_NAME_MAX + 32];
	struct waiter waiter = new_waiter();

	(void)state;
	memset(name, 'n', sizeof name);
	name[LOOKUP_NAME_MAX] = '\0';
	snprintf(text, sizeof text, "192.0.2.1 %s\n", name);
	write_file(w.hosts, text);
	assert_int_equal(find(name, &waiter), LOOKUP_FOUND);
	name[LOOKUP_NAME_MAX] = 'n';
	name[LOOKUP_NAME_MAX + 1] = '\0';
	assert_int_equal(find(name, &waiter), LOOKUP_NONE);
}

/* Without a name server only the file is asked, and what it does not know is known at once. */
static void
test_lookup_no_server(void **state)
{
	struct waiter waiter = new_waiter();

	(void)state;
	write_file(w.hosts, "192.0.2.1 a\n");
	assert_int_equal(find("a", &waiter), LOOKUP_FOUND);
	assert_int_equal(find("b.example", &waiter), LOOKUP_NONE);
	assert_null(waiter.wait.entry);
}

/* ---- DNS ------------------------------------------------------------------------------------ */

static void
test_lookup_dns(void **state)
{
	struct waiter waiter;

	(void)state;
	assert_true(resolve("both.example", &waiter));
	assert_address(&waiter.answer, 0, "192.0.2.1");
	assert_int_equal(find("both.example", &waiter), LOOKUP_FOUND); /* by now with AAAA */
	assert_int_equal(waiter.answer.count, 3);
	assert_true(address_is_ipv4(&waiter.answer.addresses[1])); /* IPv4 first */
	assert_address(&waiter.answer, 2, "2001:db8::1");
	assert_true(resolve("six.example", &waiter));
	assert_int_equal(waiter.answer.count, 2);
	assert_address(&waiter.answer, 0, "2001:db8::1");
	assert_true(resolve("many.example", &waiter));
	assert_int_equal(waiter.answer.count, LOOKUP_ADDRESSES);
}

/* /etc/hosts goes before DNS. */
static void
test_lookup_dns_hosts(void **state)
{
	struct waiter waiter = new_waiter();

	(void)state;
	write_file(w.hosts, "198.51.100.1 four.example\n");
	assert_int_equal(find("four.example", &waiter), LOOKUP_FOUND);
	assert_address(&waiter.answer, 0, "198.51.100.1");
	run(40, NULL);
	assert_int_equal(zone_of("four.example")->asked4, 0);
}

/* How long an answer counts: its TTL, but 5 s at least and 300 s at most; no such name: 5 s. */
static void
test_lookup_ttl(void **state)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} cases[] = {{"four.example", 60}, {"middle.example", 100},  {"short.example", 5},
		     {"zero.example", 5},  {"six-short.example", 5}, {"long.example", 300},
		     {"none.example", 5},  {"empty.example", 5}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct zone *zone = zone_of(cases[i].name);
		enum lookup_result kept;
		struct waiter waiter;

		kept = resolve(cases[i].name, &waiter) ? LOOKUP_FOUND : LOOKUP_NONE;
		assert_int_equal(kept == LOOKUP_FOUND, zone->v4 + zone->v6 > 0);
		now += cases[i].seconds * CLOCK_S - 1;
		assert_int_equal(find(cases[i].name, &waiter), kept);
		assert_int_equal(zone->asked4, 1);
		assert_int_equal(zone->asked6, 1);
		now++;
		assert_int_equal(resolve(cases[i].name, &waiter), kept == LOOKUP_FOUND);
		assert_int_equal(zone->asked4, 2);
		assert_int_equal(zone->asked6, 2);
	}
}

/* A TTL with its top bit set counts as 0 (RFC 2181 §8): never as for ever. */
static void
test_lookup_ttl_huge(void **state)
{
	struct waiter waiter;

	(void)state;
	assert_true(resolve("huge.example", &waiter));
	now += 300 * CLOCK_S;
	assert_true(resolve("huge.example", &waiter));
	assert_int_equal(zone_of("huge.example")->asked4, 2);
}

/* However many wait, in whatever case they write the name, it is asked once. */
static void
test_lookup_one_in_flight(void **state)
{
	struct waiter waiters[5];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(waiters); i++) {
		waiters[i] = new_waiter();
		assert_int_equal(find(i % 2 == 0 ? "both.example" : "BOTH.example", &waiters[i]),
				 LOOKUP_WAIT);
	}
	lookup_cancel(&waiters[1].wait);
	lookup_cancel(&waiters[1].wait);
	run(3000, &waiters[0].done);
	run(40, NULL);
	for (size_t i = 0; i < COUNT_OF(waiters); i++)
		assert_int_equal(waiters[i].found, i != 1);
	assert_false(waiters[1].done);
	assert_int_equal(zone_of("both.example")->asked4, 1);
	assert_int_equal(zone_of("both.example")->asked6, 1);
}

static void
test_lookup_from_done(void **state)
{
	struct waiter second = new_waiter(), first = new_waiter();

	(void)state;
	first.next = "six.example";
	first.next_waiter = &second;
	assert_int_equal(find("four.example", &first), LOOKUP_WAIT);
	run(3000, &second.done);
	assert_true(first.found && second.found);
	assert_address(&second.answer, 0, "2001:db8::1");
}

/* An address is not held back for an AAAA that never comes. */
static void
test_lookup_half_mute(void **state)
{
	struct waiter waiter = new_waiter();

	(void)state;
	assert_int_equal(find("mute6.example", &waiter), LOOKUP_WAIT);
	run(500, &waiter.done);
	assert_true(waiter.found);
	now += 61 * CLOCK_S;
	assert_int_equal(find("mute6.example", &waiter), LOOKUP_FOUND); /* while it is still out */
	assert_int_equal(zone_of("mute6.example")->asked4, 1);
}

/* A server that cannot tell: no address, and nothing to remember. */
static void
test_lookup_server_failed(void **state)
{
	struct waiter waiter;
	unsigned asked;

	(void)state;
	assert_false(resolve("fail.example", &waiter));
	asked = zone_of("fail.example")->asked4;
	assert_int_equal(find("fail.example", &waiter), LOOKUP_WAIT); /* asked again at once */
	run(40, NULL);
	assert_true(zone_of("fail.example")->asked4 > asked);
	lookup_cancel(&waiter.wait);
}

/* Silence, or bytes that are no answer, about one name delay no other; who gives up is told
 * nothing. */
static void
test_lookup_silence(void **state)
{
	static const char *const names[] = {"silent.example", "garbage.example"};
	struct waiter waiters[2], other;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(waiters); i++) {
		waiters[i] = new_waiter();
		assert_int_equal(find(names[i], &waiters[i]), LOOKUP_WAIT);
	}
	assert_true(resolve("four.example", &other));
	run(100, NULL);
	for (size_t i = 0; i < COUNT_OF(waiters); i++) {
		assert_true(zone_of(names[i])->asked4 > 0);
		assert_false(waiters[i].done && waiters[i].found);
		lookup_cancel(&waiters[i].wait);
	}
	assert_false(waiters[0].done);
}

#define ALONE_TEST(f) cmocka_unit_test_setup_teardown(f, setup_alone, teardown)
#define DNS_TEST(f)   cmocka_unit_test_setup_teardown(f, setup_dns, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    DNS_TEST(test_lookup_literal),	 DNS_TEST(test_lookup_hosts),
	    DNS_TEST(test_lookup_hosts_changed), DNS_TEST(test_lookup_hosts_many),
	    DNS_TEST(test_lookup_name_length),	 ALONE_TEST(test_lookup_no_server),
	    DNS_TEST(test_lookup_dns),		 DNS_TEST(test_lookup_dns_hosts),
	    DNS_TEST(test_lookup_ttl),		 DNS_TEST(test_lookup_ttl_huge),
	    DNS_TEST(test_lookup_one_in_flight), DNS_TEST(test_lookup_from_done),
	    DNS_TEST(test_lookup_half_mute),	 DNS_TEST(test_lookup_server_failed),
	    DNS_TEST(test_lookup_silence)};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	libevent_global_shutdown();
	return failed;
}
