/*
 * Rows as they might lie in a damaged or foreign store: the first byte chooses the type, the rest
 * is the value. Decoding must not read outside it, and whatever decodes must encode to the same
 * bytes.
 */
#include "store/record.h"
#include "test/fuzz/check.h"

#define CHECK_ROW(noun, type)                                                                      \
	static void check_##noun(struct slice value, struct buf *again)                            \
	{                                                                                          \
		static type row;                                                                   \
                                                                                                   \
		if (!record_get_##noun(value, &row))                                               \
			return;                                                                    \
		record_put_##noun(again, &row);                                                    \
		CHECK(!again->failed && slice_is(buf_slice(again), value));                        \
	}

RECORD_ROWS(CHECK_ROW)

#define CHECK_ENTRY(noun, type) check_##noun,

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(struct slice, struct buf *) = {RECORD_ROWS(CHECK_ENTRY)};
	struct buf again;

	if (size == 0)
		return 0;
	struct slice value = {(const char *)data + 1, size - 1};
	buf_init(&again, size);
	checks[data[0] % COUNT_OF(checks)](value, &again);
	buf_free(&again);
	return 0;
}
