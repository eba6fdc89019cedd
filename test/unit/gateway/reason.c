/* Why an attempt ended: the words of CONTRACT §9 under the numbers that are stored, and the
 * reason each answer stands for (§8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/reason.h"

/* By number. These stand in stores: a row may be added at the end, none may move. */
static const char *const words[] = {
    "",		  "ok",	       "timeout",      "lookup_failed",	  "connect_failed",
    "tls_failed", "io_failed", "http_invalid", "blocked_address", "http_3xx",
    "http_4xx",	  "http_410",  "http_429",     "http_5xx",	  "response_too_large",
    "queue_full"};

static void
test_reason_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT_OF(words); i++) {
		assert_string_equal(reason_word(i), words[i]);
		assert_true(strlen(reason_text(i)) > 0);
	}
}

/* A store of a newer program, or a damaged one. */
static void
test_reason_unknown(void **state)
{
	static const unsigned unknown[] = {200, 255, 256, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(unknown); i++) {
		assert_string_equal(reason_word(unknown[i]), "");
		assert_string_equal(reason_text(unknown[i]), "");
	}
}

static void
test_reason_of_status(void **state)
{
	static const struct {
		int from, to;
		enum reason reason;
	} cases[] = {{200, 299, REASON_OK},	  {300, 399, REASON_HTTP_3XX},
		     {400, 409, REASON_HTTP_4XX}, {410, 410, REASON_HTTP_410},
		     {411, 428, REASON_HTTP_4XX}, {429, 429, REASON_HTTP_429},
		     {430, 499, REASON_HTTP_4XX}, {500, 599, REASON_HTTP_5XX}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (int status = cases[i].from; status <= cases[i].to; status++)
			assert_int_equal(reason_of_status(status), cases[i].reason);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_reason_words),
						  cmocka_unit_test(test_reason_unknown),
						  cmocka_unit_test(test_reason_of_status)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
