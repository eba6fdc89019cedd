/*
 * Three clocks, each read in one place (microseconds throughout):
 *
 *   wall    CLOCK_REALTIME. Dates that people read. May be stepped at any time.
 *   steady  what lasts is timed by it: ids, due times, horizons. CLOCK_BOOTTIME plus an offset that
 *           is kept in the store, so that it goes on across restarts, and a step of the wall clock
 *           neither expires a live trace nor delays a retry. It starts as the wall time. After a
 *           reboot, when nothing else tells how long the machine was off, it takes over a wall time
 *           that is ahead of it. It never goes back.
 *   mono    CLOCK_MONOTONIC. Durations within one process: phases of an attempt, length of a turn.
 *
 * Deadlines of up to 3 s are libevent's own.
 */
#ifndef GATEWAY_CLOCK_H
#define GATEWAY_CLOCK_H

#include "store/store.h"

enum { CLOCK_MS = 1000, CLOCK_S = 1000000 };

int64_t clock_wall(void);
int64_t clock_steady(void);
int64_t clock_mono(void);

/* Takes the steady clock up where meta left it; before this it is the wall clock. */
void clock_start(const struct meta *) NONNULL;
/* Writes into meta where the steady clock is, for the next start. */
void clock_save(struct meta *) NONNULL;

/* Tests push: all clocks but mono by `us` (>= 0); the wall clock alone, either way. And hold: all
 * but mono stand still from now on, except when they are pushed. */
void clock_advance(int64_t us);
void clock_step(int64_t us);
void clock_hold(void);

#endif
