/* PROXY headers: what is used is there, what is short is waited for, and the verdict is final. */
#include "proto/proxy_header.h"
#include "test/fuzz/check.h"

static int
read_copy(struct slice in, size_t n, struct proxy_header *header)
{
	char *copy = copy_exactly(in.p, n);
	int got = proxy_header_read((struct slice){copy, n}, header);

	free(copy);
	return got;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = {(const char *)data, size};
	struct proxy_header header, again;
	int got = read_copy(in, size, &header);

	CHECK(got >= -1 && got <= (int)size && got <= PROXY_HEADER_MAX);
	CHECK(got != 0 || size < PROXY_HEADER_MAX);
	CHECK(got > 0 || got == -1 || !header.known);
	for (size_t n = 0; n < size; n += 1 + n / 64) {
		int early = read_copy(in, n, &again);

		/* Nothing is said too early, and nothing behind the header matters. */
		CHECK(early == 0 || early == got);
		CHECK(early <= 0 || n >= (size_t)early);
		CHECK(got <= 0 || n >= (size_t)got || early == 0);
	}
	if (got > 0) {
		CHECK(read_copy(in, (size_t)got, &again) == got);
		CHECK(again.known == header.known);
		CHECK(memcmp(&again.client, &header.client, sizeof again.client) == 0);
		CHECK(got <= PROXY_LINE_MAX || data[0] == '\r');
	}
	return 0;
}
