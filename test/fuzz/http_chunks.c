/* Chunked bodies: wherever the network cuts the input, the same body and the same end come out. */
#include "proto/http_read.h"
#include "test/fuzz/check.h"

struct outcome {
	int fault;   /* 0 or what the reader returned */
	bool done;
	size_t used; /* of the input, as far as it was good */
	size_t n;    /* of the body */
	char *body;
};

/* Feeds the input in pieces of at most `step` bytes. */
static struct outcome
decode(const uint8_t *data, size_t size, size_t step)
{
	struct outcome o = {.body = malloc(size + 1)};
	struct http_chunks chunks = {0};

	CHECK(o.body != NULL);
	while (o.used < size && !o.done) {
		size_t n = size - o.used < step ? size - o.used : step, out;
		char *piece = copy_exactly(data + o.used, n);
		int used = http_chunks_read(&chunks, piece, n, &out, &o.done);

		CHECK(used <= (int)n && out <= n);
		CHECK(used < 0 || out <= (size_t)used);
		if (used >= 0) {
			memcpy(o.body + o.n, piece, out);
			o.n += out;
			o.used += (size_t)used;
		}
		free(piece);
		if (used < 0) {
			o.fault = used;
			break;
		}
		CHECK(o.done || (size_t)used == n);
	}
	return o;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole = decode(data, size, size);

	CHECK(whole.fault == 0 || whole.fault == -400);
	CHECK(!whole.done || whole.used >= 5);
	for (size_t step = 1; step < size; step = step * 3 + 1) {
		struct outcome cut = decode(data, size, step);

		CHECK(cut.fault == whole.fault && cut.done == whole.done);
		/* A fault takes with it the piece that it is in. */
		CHECK(whole.fault != 0 || (cut.used == whole.used && cut.n == whole.n));
		CHECK(whole.fault != 0 || memcmp(cut.body, whole.body, whole.n) == 0);
		free(cut.body);
	}
	free(whole.body);
	return 0;
}
