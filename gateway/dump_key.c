/* The parts of keys in a dump's objects: what store/key.h put together, taken apart. */
#include "gateway/dump_parts.h"
#include "gateway/view.h"
#include "store/key.h"

void
dump_part_id(struct dump *d, const char *name, struct field_reader *key)
{
	struct uuid id = field_id(key);

	dump_id(d, name, &id);
}

void
dump_part_id22(struct dump *d, const char *name, struct field_reader *key)
{
	struct uuid id = field_id(key);

	dump_id22(d, name, &id);
}

void
dump_part_hash(struct dump *d, const char *name, struct field_reader *key)
{
	struct uuid id = field_id(key);
	char text[UUID_HEX];

	uuid_hex(&id, text);
	dump_put_text(d, name, slice_of(text));
}

/* A delivery's id ends in its webhook's number. */
void
dump_part_delivery(struct dump *d, const char *name, struct field_reader *key)
{
	struct uuid id = field_id(key);

	dump_id(d, name, &id);
	dump_put_name(d, "webhook", NAME_WEBHOOK, delivery_webhook(&id));
}

void
dump_part_u64(struct dump *d, const char *name, struct field_reader *key)
{
	dump_put_number(d, name, field_u64(key));
}

void
dump_part_u32(struct dump *d, const char *name, struct field_reader *key)
{
	dump_put_number(d, name, field_u32(key));
}

void
dump_part_webhook(struct dump *d, const char *name, struct field_reader *key)
{
	dump_put_name(d, name, NAME_WEBHOOK, field_u32(key));
}

void
dump_part_time(struct dump *d, const char *name, struct field_reader *key)
{
	view_date(&d->w, name, key_time(key));
}

void
dump_part_timer(struct dump *d, const char *name, struct field_reader *key)
{
	static const char *const words[] = {[TIMER_AUTO_RESOLVE] = "auto_resolve_timeout",
	    [TIMER_ACKNOWLEDGEMENT] = "acknowledgement_timeout"};

	dump_put_word(d, name, words, COUNT_OF(words), field_u8(key));
}

/* The rest of a key. */
void
dump_part_text(struct dump *d, const char *name, struct field_reader *key)
{
	dump_put_text(d, name, (struct slice){(const char *)key->p, key->left});
	key->left = 0;
}

/* A kind, then text that may hold a NUL. */
void
dump_part_name(struct dump *d, const char *name, struct field_reader *key)
{
	static const char *const words[] = {[NAME_SERVICE] = "service",
	    [NAME_INTEGRATION] = "integration",
	    [NAME_WEBHOOK] = "webhook"};

	dump_put_word(d, "kind", words, COUNT_OF(words), field_u8(key));
	dump_part_text(d, name, key);
}
