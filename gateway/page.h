/*
 * Lists in pages (CONTRACT §2, §9): {"results": [...], "next": url, "previous": url, "count": n}.
 *
 * A page may mean a walk over every row there is, so a list is a task. Whose list it is says how
 * one row is looked at and written; what is here walks, makes pages and links.
 *
 * Query: limit= (or page_size=, as the vendor has it), 50 unless told, at most 500; page=, a key
 * out of a link, or a number, 1 being the first page. A key is a place among the rows, so that what
 * comes meanwhile neither repeats a row nor hides one. A page ends early at 1 MiB; page N is where
 * N - 1 links "next" lead.
 */
#ifndef GATEWAY_PAGE_H
#define GATEWAY_PAGE_H

#include "gateway/task.h"
#include "proto/json_write.h"
#include "store/store.h"

enum page_step {
	PAGE_MATCH, /* a row of the list */
	PAGE_SKIP,  /* a row was looked at */
	PAGE_END,   /* there are no more */
};

enum { PAGE_COUNT_MOST = 10000 }; /* what has to be counted one by one is not counted further */

struct page;

struct page_source {
	const char *const *query; /* parameters that links repeat as they came; ends with NULL */
	bool numbers;             /* keys are numbers: "k42"; else ids */
	bool upwards;             /* keys grow from row to row */

	/* Where the walk from the list's beginning starts. */
	struct uuid (*start)(struct page *);
	/* Looks at one row, the first at *at or behind it, up or down by key; moves *at behind it.
	 * On a match *key is the row's. */
	enum page_step (*look)(struct page *, struct txn *, bool up, struct uuid *at,
	    struct uuid *key);
	/* Writes the row that was looked at last, one value. */
	void (*write)(struct page *, struct txn *, const struct uuid *key);
	/* How many rows the list has; false: that has to be walked for. */
	bool (*count)(struct page *, struct txn *, uint64_t *);
	/* Frees the owner's struct. */
	void (*free)(struct page *);
};

enum page_phase { PAGE_ROWS, PAGE_BACK, PAGE_COUNT, PAGE_OVER };

/* First member of its owner's own struct; all of it private. */
struct page {
	struct task task; /* first: they are cast to each other */
	const struct page_source *source;
	const char *path; /* of links, behind public_url, with "?" */
	enum page_phase phase;
	uint64_t limit;
	uint64_t pages;   /* still to be turned before the one that is meant */
	bool first;       /* the page that starts at the beginning */
	struct uuid key;  /* where the page starts */
	struct uuid at;   /* where the walk is */
	struct uuid back; /* PAGE_BACK: the furthest match so far */
	uint64_t n;       /* matches of this walk, or page */
	size_t opened;    /* bytes of the body before the first row */
	size_t written;   /* bytes of this step */
	struct buf query; /* of links: each parameter with its '&' */
	struct buf body;
	struct json_writer w;
};

/* In a handler: takes the owner's struct over, zeroed but for what is the owner's; answers what is
 * wrong with the query, or begins the task. path: of links, with its "?"; lives as long as the
 * struct. */
void page_begin(struct page *, const struct page_source *, const char *path,
    struct route_request *) NONNULL;

/* A number as a key, and back. */
struct uuid page_key(uint64_t number);
uint64_t page_number(const struct uuid *) NONNULL;

#endif
