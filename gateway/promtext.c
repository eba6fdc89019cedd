/*
 *   # HELP tocsin_deliveries_total Deliveries that came to an end.
 *   # TYPE tocsin_deliveries_total counter
 *   tocsin_deliveries_total{webhook="ops",event_type="triggered",result="dead"} 3
 *   ────── ──────────────── ────────────────────── labels ───────────────────
 */
#include "gateway/promtext.h"

static const char prefix[] = "tocsin_";

void
promtext_family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_puts(b, "# HELP ");
	buf_puts(b, prefix);
	buf_puts(b, name);
	buf_putc(b, ' ');
	buf_puts(b, help);
	buf_puts(b, "\n# TYPE ");
	buf_puts(b, prefix);
	buf_puts(b, name);
	buf_putc(b, ' ');
	buf_puts(b, type);
	buf_putc(b, '\n');
}

static void
put_escaped(struct buf *b, char c)
{
	if (c == '\n') {
		buf_puts(b, "\\n");
		return;
	}
	if (c == '"' || c == '\\')
		buf_putc(b, '\\');
	buf_putc(b, c);
}

void
promtext_label(struct buf *labels, const char *name, struct slice value)
{
	if (labels->n > 0)
		buf_putc(labels, ',');
	buf_puts(labels, name);
	buf_puts(labels, "=\"");
	for (size_t i = 0; i < value.n; i++)
		put_escaped(labels, value.p[i]);
	buf_putc(labels, '"');
}

static void
put_labels(struct buf *b, struct slice labels, const char *le)
{
	if (labels.n == 0 && le == NULL)
		return;
	buf_putc(b, '{');
	buf_put_slice(b, labels);
	if (le != NULL) {
		buf_puts(b, labels.n > 0 ? ",le=\"" : "le=\"");
		buf_puts(b, le);
		buf_putc(b, '"');
	}
	buf_putc(b, '}');
}

static void
put_name(struct buf *b, const char *name, const char *suffix, struct slice labels, const char *le)
{
	buf_puts(b, prefix);
	buf_puts(b, name);
	buf_puts(b, suffix);
	put_labels(b, labels, le);
	buf_putc(b, ' ');
}

static void
put_number(struct buf *b, uint64_t value)
{
	buf_put_number(b, value);
	buf_putc(b, '\n');
}

static void
put_seconds(struct buf *b, uint64_t us)
{
	char fraction[] = ".000000\n";

	buf_put_number(b, us / 1000000);
	us %= 1000000;
	for (int i = 6; i >= 1; i--, us /= 10)
		fraction[i] = (char)('0' + us % 10);
	buf_puts(b, fraction);
}

void
promtext_value(struct buf *b, const char *name, struct slice labels, uint64_t value)
{
	put_name(b, name, "", labels, NULL);
	put_number(b, value);
}

void
promtext_seconds(struct buf *b, const char *name, struct slice labels, uint64_t us)
{
	put_name(b, name, "", labels, NULL);
	put_seconds(b, us);
}

void
promtext_histogram(struct buf *b, const char *name, struct slice labels, const struct histogram *h)
{
	uint64_t total = 0;

	for (size_t i = 0; i <= h->scale->count; i++) {
		total += h->counts[i];
		put_name(b, name, "_bucket", labels,
		    i < h->scale->count ? h->scale->bounds[i].le : "+Inf");
		put_number(b, total);
	}
	put_name(b, name, "_sum", labels, NULL);
	if (h->scale->seconds)
		put_seconds(b, h->sum);
	else
		put_number(b, h->sum);
	put_name(b, name, "_count", labels, NULL);
	put_number(b, total);
}
