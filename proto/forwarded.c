/*
 * Elements are cut off at the right, so that nothing a client wrote at the left, such as a quote
 * without its partner, changes what a proxy wrote behind it.
 */
#include "proto/forwarded.h"

static const char plain_name[] = "X-Forwarded-For", standard_name[] = "Forwarded";

/* What is left of all headers of one name: a list, and the headers in front of it. */
struct walk {
	const struct http_head *head;
	const char *name;
	size_t index;      /* of the header that list is of */
	struct slice list; /* elements not looked at yet */
};

/* ---- lists ------------------------------------------------------------------------------- */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

static struct slice
trim(struct slice s)
{
	while (s.n > 0 && is_space(s.p[0]))
		s = (struct slice){s.p + 1, s.n - 1};
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* A quote that an odd number of backslashes stands before is no quote. */
static bool
is_quote(struct slice s, size_t at)
{
	size_t backslashes = 0;

	if (s.p[at] != '"')
		return false;
	while (backslashes < at && s.p[at - backslashes - 1] == '\\')
		backslashes++;
	return backslashes % 2 == 0;
}

/* Cuts the last element off *list, at a comma outside of quotes. */
static struct slice
cut_last(struct slice *list)
{
	size_t n = list->n;
	bool quoted = false;
	struct slice element;

	for (; n > 0 && (quoted || list->p[n - 1] != ','); n--)
		quoted ^= is_quote(*list, n - 1);
	element = (struct slice){list->p + n, list->n - n};
	list->n = n > 0 ? n - 1 : 0;
	return trim(element);
}

/* The last element that is not empty, of the last header first; {NULL, 0} behind the first. */
static struct slice
next_element(struct walk *walk)
{
	struct slice element = {NULL, 0};

	while (element.n == 0) {
		if (walk->list.n > 0) {
			element = cut_last(&walk->list);
			continue;
		}
		if (walk->index == 0)
			return (struct slice){NULL, 0};
		walk->index--;
		if (slice_is_nocase(walk->head->headers[walk->index].name, slice_of(walk->name)))
			walk->list = walk->head->headers[walk->index].value;
	}
	return element;
}

/* ---- addresses --------------------------------------------------------------------------- */

static bool
is_port_byte(char c)
{
	return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') ||
	       c == '_' || c == '.' || c == '-';
}

/* Nothing, or ":" and a port, which may be a name that hides it. */
static bool
is_port(struct slice s)
{
	for (size_t i = 1; i < s.n; i++)
		if (!is_port_byte(s.p[i]))
			return false;
	return s.n == 0 || (s.n > 1 && s.p[0] == ':');
}

/* "[2001:db8::1]", with a port or without. */
static bool
parse_bracketed(struct slice text, struct address *address)
{
	const char *end = memchr(text.p, ']', text.n);
	size_t n = end == NULL ? 0 : (size_t)(end - text.p);

	return end != NULL && memchr(text.p, ':', n) != NULL &&
	       address_parse((struct slice){text.p + 1, n - 1}, address) &&
	       is_port((struct slice){end + 1, text.n - n - 1});
}

/* IPv4 with a port or without, IPv6 as it is or in brackets. */
static bool
parse_node(struct slice text, struct address *address)
{
	const char *colon = text.n == 0 ? NULL : memchr(text.p, ':', text.n);
	size_t n = colon == NULL ? text.n : (size_t)(colon - text.p);

	if (text.n > 0 && text.p[0] == '[')
		return parse_bracketed(text, address);
	if (colon != NULL && memchr(colon + 1, ':', text.n - n - 1) == NULL)
		return address_parse((struct slice){text.p, n}, address) &&
		       is_port((struct slice){colon, text.n - n});
	return address_parse(text, address);
}

/* Cuts the first pair off *element, at a semicolon outside of quotes. */
static struct slice
cut_pair(struct slice *element)
{
	bool quoted = false;
	size_t n = 0;
	struct slice pair;

	for (; n < element->n && (quoted || element->p[n] != ';'); n++)
		quoted ^= is_quote(*element, n);
	pair = (struct slice){element->p, n};
	n += n < element->n;
	*element = (struct slice){element->p + n, element->n - n};
	return trim(pair);
}

/* An address needs no backslash, so a quoted one is just what stands between its quotes. */
static struct slice
unquote(struct slice s)
{
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return (struct slice){s.p + 1, s.n - 2};
	return s;
}

/* for=192.0.2.1;proto=https;by=... in any order; two of them are none. */
static bool
parse_element(struct slice element, struct address *address)
{
	const struct slice name = SLICE("for=");
	struct slice value = {NULL, 0};

	while (element.n > 0) {
		struct slice pair = cut_pair(&element);

		if (pair.n < name.n || !slice_is_nocase((struct slice){pair.p, name.n}, name))
			continue;
		if (value.p != NULL)
			return false;
		value = unquote((struct slice){pair.p + name.n, pair.n - name.n});
	}
	return parse_node(value, address);
}

/* ---- the walk ---------------------------------------------------------------------------- */

static bool
is_trusted(const struct address *a, const struct cidr *trusted, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (cidr_has(&trusted[i], a))
			return true;
	return false;
}

static bool
speaks_for_others(const struct address *peer, const struct cidr *trusted, size_t count)
{
	return count > 0 && (address_is_none(peer) || is_trusted(peer, trusted, count));
}

bool
forwarded_is(const struct http_head *head, const struct address *peer, const struct cidr *trusted,
    size_t count)
{
	return speaks_for_others(peer, trusted, count) &&
	       (http_header(head, plain_name).p != NULL ||
		   http_header(head, standard_name).p != NULL);
}

struct address
forwarded_client(const struct http_head *head, struct address peer, const struct cidr *trusted,
    size_t count)
{
	struct walk walk = {head, plain_name, head->count, {NULL, 0}};
	bool goes_on = speaks_for_others(&peer, trusted, count), plain;
	struct address next;

	if (!goes_on)
		return peer;
	plain = http_header(head, walk.name).p != NULL;
	if (!plain)
		walk.name = standard_name;
	for (int hops = 0; goes_on && hops < FORWARDED_HOPS; hops++) {
		struct slice element = next_element(&walk);

		if (!(plain ? parse_node(element, &next) : parse_element(element, &next)) ||
		    address_is_none(&next))
			break;
		peer = next;
		goes_on = is_trusted(&peer, trusted, count);
	}
	return peer;
}
