/* Series and counting (CONTRACT §13): what a failed turn does, what a new configuration does, and
 * the walk in steps. */
#include "gateway/metrics.h"
#include "test/unit/conf/parse.h"

#define SERVICE(integrations, webhooks)                                                        \
	"{'services': [{'name': 'Pay', 'integrations': [" integrations "], 'webhooks': ["      \
	webhooks "]}]}"
#define INTEGRATION(name) "{'name': '" name "', 'key': 'key-" name "'}"
#define WEBHOOK(name)	  "{'name': '" name "', 'url': 'http://h'}"

static struct conf *conf;
static struct buf text = {.ceiling = 8 << 20};

/* Names have the numbers that a store would have given them: integrations 1, 2, ..., webhooks from
 * 100 on, by the last letter of their names. */
static void
configure(const char *source)
{
	struct conf *next = parse_good(source);

	for (size_t i = 0; i < next->integration_count; i++) {
		struct slice name = next->integrations[i].name;
		next->integrations[i].id = (uint32_t)(name.p[name.n - 1] - 'a') + 1;
	}
	for (size_t i = 0; i < next->webhook_count; i++) {
		struct slice name = next->webhooks[i].name;
		next->webhooks[i].id = (uint32_t)(name.p[name.n - 1] - 'a') + 100;
	}
	assert_int_equal(metrics_configure(next), 0);
	conf_release(conf);
	conf = next;
}

static const char *
whole(size_t step)
{
	struct metrics_walk walk = {.conf = conf};

	buf_clear(&text);
	while (metrics_write(&walk, &text, step))
		continue;
	buf_putc(&text, '\0');
	assert_false(text.failed);
	return text.p;
}

static void
expect(const char *line)
{
	if (strstr(whole(1 << 20), line) == NULL)
		fail_msg("%s is not in\n%s", line, text.p);
}

static void
test_metrics_failed_turn(void **state)
{
	struct delivery_row dead = {.state = DELIVERY_DEAD, .event_type = EVENT_RESOLVED};
	struct delivery_row good = {.state = DELIVERY_DELIVERED, .event_type = EVENT_ACKNOWLEDGED};

	(void)state;
	configure(SERVICE(INTEGRATION("a"), WEBHOOK("a")));
	for (int i = 0; i < 3; i++) {
		metrics_received(1, ALERT_ERROR);
		metrics_applied(1, OUTCOME_JOINED);
		metrics_applied(1, OUTCOME_QUEUED); /* is none */
		metrics_settled(100, &dead, 0);
		metrics_settled(100, &good, 7000);
		metrics_traces_expired(5);
		if (i > 0)
			metrics_commit(100);
		metrics_settle(i > 0);
	}
	expect("received_total{service=\"Pay\",integration=\"a\",alert_type=\"error\"} 2\n");
	expect("applied_total{service=\"Pay\",integration=\"a\",outcome=\"joined\"} 2\n");
	expect("{webhook=\"a\",event_type=\"resolved\",result=\"dead\"} 2\n");
	expect("{webhook=\"a\",event_type=\"acknowledged\",result=\"delivered\"} 2\n");
	expect("end_to_end_seconds_bucket{webhook=\"a\",le=\"0.005\"} 0\n");
	expect("end_to_end_seconds_bucket{webhook=\"a\",le=\"0.01\"} 2\n");
	expect("end_to_end_seconds_sum{webhook=\"a\"} 0.014000\n");
	expect("traces_expired_total 10\n");
	expect("commit_alerts_bucket{le=\"0\"} 0\n");
	expect("commit_alerts_bucket{le=\"1\"} 2\n");
	expect("commit_alerts_sum 2\n");
}

/* Nothing is shown before the commit. */
static void
test_metrics_open_turn(void **state)
{
	(void)state;
	configure(SERVICE(INTEGRATION("a"), ""));
	metrics_received(1, ALERT_INFO);
	expect("alert_type=\"info\"} 0\n");
	metrics_settle(true);
	expect("alert_type=\"info\"} 1\n");
}

/* Series go on by their numbers; those not configured any more are not shown, and not lost. */
static void
test_metrics_configured_again(void **state)
{
	(void)state;
	configure(SERVICE(INTEGRATION("a"), WEBHOOK("a") "," WEBHOOK("b")));
	metrics_attempt(100, REASON_OK, 1000);
	metrics_attempt(101, REASON_TIMEOUT, 3000100);
	metrics_received(1, ALERT_CRITICAL);
	configure(SERVICE(INTEGRATION("z"), WEBHOOK("b") "," WEBHOOK("z"))); /* while the turn is open */
	metrics_settle(true);
	expect("attempts_total{webhook=\"b\",reason=\"timeout\"} 1\n");
	expect("attempts_total{webhook=\"z\",reason=\"timeout\"} 0\n");
	expect("attempt_duration_seconds_bucket{webhook=\"b\",le=\"3\"} 0\n");
	expect("attempt_duration_seconds_bucket{webhook=\"b\",le=\"5\"} 1\n");
	assert_null(strstr(whole(1), "\"a\""));
	metrics_attempt(100, REASON_OK, 1000); /* one that was still under way */
	metrics_attempt(4000000, REASON_OK, 1000);
	configure(SERVICE(INTEGRATION("a"), WEBHOOK("a")));
	expect("attempts_total{webhook=\"a\",reason=\"ok\"} 2\n");
	expect("integration=\"a\",alert_type=\"critical\"} 1\n");
	assert_null(strstr(text.p, "\"b\""));
}

/* However small the steps, the text is the same. */
static void
test_metrics_steps(void **state)
{
	char *once;

	(void)state;
	configure(SERVICE(INTEGRATION("a") "," INTEGRATION("b"), WEBHOOK("a") "," WEBHOOK("b")));
	metrics_answer(0, metrics_method(SLICE("BREW")), 404, 10);
	metrics_answer(1, metrics_method(SLICE("POST")), 200, 10);
	metrics_answer(1, metrics_method(SLICE("POST")), 503, 10);
	once = strdup(whole(SIZE_MAX / 2));
	for (size_t step = 1; step < 3000; step = 2 * step + 1)
		assert_string_equal(whole(step), once);
	free(once);
	expect("{route=\"none\",method=\"other\",code=\"404\"} 1\n");
}

/* A family without any series still has its head. */
static void
test_metrics_heads(void **state)
{
	(void)state;
	configure(SERVICE("", ""));
	expect("# TYPE tocsin_alerts_received_total counter\n# HELP");
	expect("# TYPE tocsin_breaker_open gauge\n# HELP");
}

static void
test_metrics_reload(void **state)
{
	(void)state;
	configure(SERVICE("", ""));
	expect("start_time_seconds 5.000000\n");
	expect("config_last_reload_successful 1\n");
	expect("config_last_reload_timestamp_seconds 5.000000\n");
	metrics_reload(false, 6000000);
	expect("config_last_reload_successful 0\n");
	expect("config_last_reload_timestamp_seconds 5.000000\n");
	metrics_reload(true, 7000001);
	expect("config_last_reload_successful 1\n");
	expect("config_last_reload_timestamp_seconds 7.000001\n");
}

static int
set_up(void **state)
{
	(void)state;
	metrics_start(5000000);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	metrics_stop();
	conf_release(conf);
	conf = NULL;
	buf_free(&text);
	return 0;
}

#define METRICS_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    METRICS_TEST(test_metrics_failed_turn),	 METRICS_TEST(test_metrics_open_turn),
	    METRICS_TEST(test_metrics_configured_again), METRICS_TEST(test_metrics_steps),
	    METRICS_TEST(test_metrics_heads),		 METRICS_TEST(test_metrics_reload)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
