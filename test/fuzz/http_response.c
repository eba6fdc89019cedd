/* Response heads: what is accepted is within the input; a fault is a bad gateway, or a head that
 * is too large. */
#include "test/fuzz/http_head.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_head head;
	struct slice in = {(const char *)data, size};
	size_t scanned = 0;
	int got = http_read_response(in, HEAD_LIMIT, &scanned, &head);

	CHECK(got >= 0 || got == -502 || got == -431);
	CHECK(got <= 0 || ((size_t)got <= size && got <= HEAD_LIMIT && scanned == 0));
	if (got > 0) {
		check_common((struct slice){in.p, (size_t)got}, &head);
		CHECK(head.status >= 100 && head.status <= 599);
		CHECK(head.method.n == 0 && head.target.n == 0);
	}
	check_trickle(http_read_response, in, got);
	check_prefixes(http_read_response, in, got);
	return 0;
}
