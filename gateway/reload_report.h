/*
 * What came of a reload, as it is told: the errors, or what is different, as the body of an answer
 * and as a line of the log (CONTRACT §10, §12). Names only, never a value; of a webhook that is
 * removed also how many deliveries that costs.
 */
#ifndef GATEWAY_RELOAD_REPORT_H
#define GATEWAY_RELOAD_REPORT_H

#include "conf/conf.h"
#include "proto/json_write.h"

enum { REPORT_TEXT = 240 }; /* what a line of the log shows of many */

/* Some of many, with commas between. */
struct report_list {
	size_t count;
	size_t n;
	bool full;
	char text[REPORT_TEXT];
};

struct reload_report {
	const char *file;
	struct report_list errors;
	struct report_list changes[CONF_CHANGED + 1];
	struct buf items; /* elements of the answer's list */
	size_t left_out;  /* of them */
	/* Set by the caller: */
	const struct conf *before; /* in report_change() */
	bool unavailable; /* the file is good, but what it needs could not be had */
	bool partial;     /* there was no memory to tell all changes */
};

void report_start(struct reload_report *, const char *file) NONNULL;
void report_end(struct reload_report *) NONNULL;

/* conf_report and conf_visit, with the report as their arg. A warning is logged, and that is all.
 */
void report_error(void *report, const char *line) NONNULL;
void report_change(void *report, const struct conf_difference *) NONNULL;

/* The answer: 200 with "changes", or with "errors" 400, or 503 if it is not the file's fault. */
int report_answer(const struct reload_report *, struct buf *body) NONNULL;
/* config.reloaded or config.rejected; us: how long it took. */
void report_log(const struct reload_report *, int64_t us) NONNULL;

#endif
