/* Prometheus' text format (CONTRACT §13), byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/promtext.h"

static const struct histogram_scale seconds = {true, 3, {{500, "0.0005"}, {3000000, "3"}, {5000000, "5"}}};
static const struct histogram_scale plain = {false, 2, {{0, "0"}, {8, "8"}}};

static struct buf text = {.ceiling = 4096}, labels = {.ceiling = 4096};

static void
expect(const char *want)
{
	buf_putc(&text, '\0');
	assert_false(text.failed);
	assert_string_equal(text.p, want);
	buf_clear(&text);
	buf_clear(&labels);
}

static void
test_promtext_family(void **state)
{
	(void)state;
	promtext_family(&text, "ready", "gauge", "1 is ready.");
	promtext_value(&text, "ready", buf_slice(&labels), 1);
	expect("# HELP tocsin_ready 1 is ready.\n# TYPE tocsin_ready gauge\ntocsin_ready 1\n");
}

static void
test_promtext_values(void **state)
{
	(void)state;
	promtext_value(&text, "a", buf_slice(&labels), UINT64_MAX);
	promtext_seconds(&text, "b", buf_slice(&labels), 0);
	promtext_seconds(&text, "b", buf_slice(&labels), 1795692779000042);
	expect("tocsin_a 18446744073709551615\ntocsin_b 0.000000\ntocsin_b 1795692779.000042\n");
}

/* What would end a value or a line is escaped; the rest is left as it is. */
static void
test_promtext_labels(void **state)
{
	(void)state;
	promtext_label(&labels, "webhook", SLICE("a\"b\\c\nd{},=é"));
	promtext_label(&labels, "result", SLICE(""));
	promtext_value(&text, "n", buf_slice(&labels), 7);
	expect("tocsin_n{webhook=\"a\\\"b\\\\c\\nd{},=é\",result=\"\"} 7\n");
}

/* Each bound takes what is at most as large; buckets add up. */
static void
test_promtext_histogram(void **state)
{
	static const uint64_t values[] = {0, 500, 501, 3000000, 3000001, 5000001, 90000000};
	struct histogram h = {.scale = &seconds};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(values); i++)
		histogram_add(&h, values[i]);
	assert_int_equal(histogram_total(&h), COUNT_OF(values));
	promtext_label(&labels, "webhook", SLICE("ops"));
	promtext_histogram(&text, "t", buf_slice(&labels), &h);
	expect("tocsin_t_bucket{webhook=\"ops\",le=\"0.0005\"} 2\n"
	       "tocsin_t_bucket{webhook=\"ops\",le=\"3\"} 4\n"
	       "tocsin_t_bucket{webhook=\"ops\",le=\"5\"} 5\n"
	       "tocsin_t_bucket{webhook=\"ops\",le=\"+Inf\"} 7\n"
	       "tocsin_t_sum{webhook=\"ops\"} 101.001003\n"
	       "tocsin_t_count{webhook=\"ops\"} 7\n");
}

static void
test_promtext_histogram_plain(void **state)
{
	struct histogram h = {.scale = &plain};

	(void)state;
	histogram_add(&h, 0);
	histogram_add(&h, 512);
	promtext_histogram(&text, "n", buf_slice(&labels), &h);
	expect("tocsin_n_bucket{le=\"0\"} 1\ntocsin_n_bucket{le=\"8\"} 1\n"
	       "tocsin_n_bucket{le=\"+Inf\"} 2\ntocsin_n_sum 512\ntocsin_n_count 2\n");
}

static int
free_all(void **state)
{
	(void)state;
	buf_free(&text);
	buf_free(&labels);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_promtext_family),
						  cmocka_unit_test(test_promtext_values),
						  cmocka_unit_test(test_promtext_labels),
						  cmocka_unit_test(test_promtext_histogram),
						  cmocka_unit_test(test_promtext_histogram_plain)};

	return cmocka_run_group_tests(tests, NULL, free_all);
}
