/* Request heads: what is accepted is within the input and means one thing only. */
#include "test/fuzz/http_head.h"

static void
check_accepted(struct slice in, const struct http_head *head)
{
	check_common(in, head);
	CHECK(head->method.n > 0 && head->target.n > 0);
	CHECK(lies_in(head->method, in) && lies_in(head->target, in));
	CHECK(lies_in(head->path, head->target) && lies_in(head->query, head->target));
	for (size_t i = 0; i < head->target.n; i++)
		CHECK(head->target.p[i] > ' ' && head->target.p[i] < 0x7f);
	CHECK(head->minor == 0 || http_header(head, "Host").p != NULL);
	CHECK(head->status == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_head head;
	struct slice in = {(const char *)data, size};
	size_t scanned = 0;
	int got = http_read_request(in, HEAD_LIMIT, &scanned, &head);

	CHECK(got > 0 || got == 0 || got == -400 || got == -417 || got == -431);
	CHECK(got <= 0 || ((size_t)got <= size && got <= HEAD_LIMIT && scanned == 0));
	if (got > 0)
		check_accepted((struct slice){in.p, (size_t)got}, &head);
	check_trickle(http_read_request, in, got);
	check_prefixes(http_read_request, in, got);
	return 0;
}
