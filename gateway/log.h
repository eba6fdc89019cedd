/*
 * The log: one JSON object a line on standard output (CONTRACT §12), readable text at a terminal.
 *
 * A line is made between log_begin() and log_end(), one at a time; fields are left out when the
 * level is not logged. Lines are staged and written once a turn by log_flush(), without ever
 * blocking: what a stalled reader does not take waits in a bounded buffer, then lines are dropped
 * and counted, and so are lines that cannot be written at all. Everything strangers wrote is
 * escaped and cut. Lines that come again and again within a second are folded into one with
 * `labels.repeated` (fold.h).
 */
#ifndef GATEWAY_LOG_H
#define GATEWAY_LOG_H

#include "conf/conf.h"

/* Opens standard output for writing without blocking. Before this lines go to standard error. */
void log_start(enum conf_log_level, enum conf_log_format);
void log_configure(enum conf_log_level, enum conf_log_format); /* from the next line on */
/* Writes what the reader takes within half a second; what is lost is told on standard error. */
void log_stop(void);

void log_begin(enum conf_log_level, const char *action, const char *message, ...) PRINTF(3, 4);
void log_text(const char *key, struct slice); /* anybody's bytes; an empty slice is left out */
void log_number(const char *key, int64_t);
void log_uuid(const char *key, const struct uuid *) NONNULL;
void log_address(const char *key, const struct address *) NONNULL; /* all zero is left out */
void log_duration(int64_t us); /* event.duration, in ns */
void log_outcome(bool ok);     /* event.outcome */
void log_end(void);
/* The line speaks of what this turn writes: it is written out if that lasts, else forgotten. */
void log_end_after_commit(void);
/* The turn is over. */
void log_settle(bool committed);

void log_flush(void);
void log_second(void); /* once a second: tells what was folded */
uint64_t log_dropped(void); /* lines dropped so far */

/* Logs, writes out, ends the process with status 1. */
_Noreturn void log_fatal(const char *message, ...) PRINTF(1, 2);

#endif
