/* What the process lets others do to it, and does not do to them. */
#ifndef GATEWAY_PROCESS_H
#define GATEWAY_PROCESS_H

/* Before a file is opened or a secret read: no file will get the number of standard input, output
 * or error; no core file will hold a secret, no other process of the same user reads it out of
 * memory, and no program that is started gains rights. */
void process_guard(void);

/* The store is memory that a file is mapped to: where the file is cut off, or its disk cannot be
 * read, there is no error but a signal. From here on it ends the process with a word and 1. */
void process_name_bus_errors(void);

/* For the gateway: a reader that is gone is an error and not the end, nor is a SIGHUP that comes
 * before anything can be read again; files that it makes are its user's. */
void process_prepare(void);

#endif
