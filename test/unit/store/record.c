/*
 * Layouts of rows. The frozen bytes are what version 1 wrote: a test that fails here means that
 * stores in the field would be misread (procedure: store/record.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "test/unit/store/samples.h"

#define A "a102030405060708090a0b0c0d0e0f10"
#define B "b102030405060708090a0b0c0d0e0f10"
#define C "c102030405060708090a0b0c0d0e0f10"

/* hex of version 1, field by field */
static const char *const frozen_meta =
    "01" "0000000000001001" "0000000000001002" "0000000000001003" "00001004" A B "01"
    "d1d20000000000000000000000000000" "fffffffffffffffb" "0000000000001006" "0000000000001007";
static const char *const frozen_name = "01" "00002001" "0000000000002002" "01";
static const char *const frozen_trace =
    "01" "00000002" "01" "00" "00003001" A "0000000000003002" B C
    "00000021" "596f7572207365727669636520697320756e646572206d61696e74656e616e6365";
static const char *const frozen_alert =
    "01" "0000000000004001" A "00004002" "03" "01" "0000000000004003" "00000004" "64622d31"
    "00000006" "5b302c20325d" "00000013" "7b226d657373616765223a2022646f776e227d";
static const char *const frozen_incident =
    "01" A "00005001" "00005002" "02" "01" "0000000000005003" "0000000000005004"
    "0000000000005005" "0000000000005006" B C "00005007" "00000005" "7469746c65" "00000000"
    "00000003" "6b6579" "00000001" "70" "00000002" "736c" "00000002" "6570" "00000002" "5b5d"
    "00000003" "616e6e" "00000002" "7474";
static const char *const frozen_open =
    "01" "00006001" "01" "0000000000006002" "0000000000006003" "0000000000006004" A "00000002"
    "00006005" "00000004" "64622d31" "00006006" "00000004" "64622d32";
static const char *const frozen_event =
    "01" "0000000000007001" "00007002" "04" "0000000000007003" A
    "0000000f" "7b227061796c6f6164223a207b7d7d";
static const char *const frozen_delivery =
    "01" "0000000000008001" "00008002" "01" "00000002" "00008003" "00008004" "00008005" "09"
    "0000000000008006" "0000000000008007";
static const char *const frozen_lane = "01" A "0000000000009001";
static const char *const frozen_attempt =
    "01" "000000000000a001" "02" "01" "000001f7" "0000a002" "0000a003" "0000a004" "0000a005"
    "0000a006";
static const char *const frozen_note =
    "01" "000000000000b001" "00000003" "6f7073" "00000007" "6c6f6f6b696e67";

static void
assert_hex(const struct buf *b, const char *hex)
{
	static const char digits[] = "0123456789abcdef";

	assert_false(b->failed);
	assert_int_equal(2 * b->n, strlen(hex));
	for (size_t i = 0; i < b->n; i++) {
		uint8_t byte = (uint8_t)b->p[i];
		assert_int_equal(hex[2 * i], digits[byte >> 4]);
		assert_int_equal(hex[2 * i + 1], digits[byte & 15]);
	}
}

/* A copy of its own size, so that the sanitizer sees a read behind its end. */
static struct slice
exact(const struct buf *b, size_t n)
{
	char *copy = malloc(n == 0 ? 1 : n);

	assert_non_null(copy);
	memcpy(copy, b->p, n);
	return (struct slice){copy, n};
}

/* Encodes to the frozen bytes; decodes and encodes to them again; a row cut anywhere, one with a
 * byte too many, and one of another version do not decode. */
#define RECORD_TEST(noun, type)                                                                    \
	static void test_record_##noun(void **state)                                               \
	{                                                                                          \
		struct buf b, again;                                                               \
		type row;                                                                          \
                                                                                                   \
		(void)state;                                                                       \
		buf_init(&b, 4096);                                                                \
		buf_init(&again, 4096);                                                            \
		record_put_##noun(&b, &sample_##noun);                                             \
		assert_hex(&b, frozen_##noun);                                                     \
		assert_true(record_get_##noun(buf_slice(&b), &row));                               \
		record_put_##noun(&again, &row);                                                   \
		assert_hex(&again, frozen_##noun);                                                 \
		for (size_t n = 0; n < b.n; n++) {                                                 \
			struct slice cut = exact(&b, n);                                           \
			assert_false(record_get_##noun(cut, &row));                                \
			free((void *)cut.p);                                                       \
		}                                                                                  \
		buf_putc(&b, 0);                                                                   \
		assert_false(record_get_##noun(buf_slice(&b), &row));                              \
		b.n--;                                                                             \
		b.p[0]++;                                                                          \
		assert_false(record_get_##noun(buf_slice(&b), &row));                              \
		buf_free(&b);                                                                      \
		buf_free(&again);                                                                  \
	}

RECORD_ROWS(RECORD_TEST)

/* Numbers that no encoder writes: an enum past its end, a bool of 2, a list that is too long. */
static void
test_record_refuses_values(void **state)
{
	struct trace_row trace;
	struct delivery_row delivery;
	struct attempt_row attempt;
	static struct open_row open;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	record_put_trace(&b, &sample_trace);
	b.p[4] = TRACE_FAILED + 1;
	assert_false(record_get_trace(buf_slice(&b), &trace));
	b.p[4] = TRACE_FAILED;
	b.p[5] = 2;
	assert_false(record_get_trace(buf_slice(&b), &trace));
	buf_clear(&b);
	record_put_delivery(&b, &sample_delivery);
	b.p[17] = DELIVERY_DEAD + 1;
	assert_false(record_get_delivery(buf_slice(&b), &delivery));
	buf_clear(&b);
	record_put_attempt(&b, &sample_attempt);
	b.p[12] = 1; /* a status above 65535 */
	assert_false(record_get_attempt(buf_slice(&b), &attempt));
	buf_clear(&b);
	record_put_open(&b, &sample_open);
	put_u32((uint8_t *)b.p + 46, OPEN_KEYS_MAX + 1);
	buf_put(&b, (char[4096 - 200]){0}, 4096 - 200);
	assert_false(record_get_open(buf_slice(&b), &open));
	buf_free(&b);
}

static void
test_record_open_holds_all_keys(void **state)
{
	static struct open_row row, back;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	row = sample_open;
	row.key_count = OPEN_KEYS_MAX;
	for (uint32_t i = 0; i < OPEN_KEYS_MAX; i++)
		row.keys[i] = (struct open_key){i, SLICE("entity")};
	record_put_open(&b, &row);
	assert_true(record_get_open(buf_slice(&b), &back));
	assert_int_equal(back.key_count, OPEN_KEYS_MAX);
	assert_int_equal(back.keys[OPEN_KEYS_MAX - 1].integration, OPEN_KEYS_MAX - 1);
	assert_true(slice_is(back.keys[OPEN_KEYS_MAX - 1].entity_id, SLICE("entity")));
	buf_free(&b);
}

#define RECORD_ENTRY(noun, type) cmocka_unit_test(test_record_##noun),

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    RECORD_ROWS(RECORD_ENTRY)
	    cmocka_unit_test(test_record_refuses_values),
	    cmocka_unit_test(test_record_open_holds_all_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
