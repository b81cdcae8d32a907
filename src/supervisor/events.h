/* SPDX-License-Identifier: ISC */
/*
 * events.h - the supervisor's signals and timers.
 */
#ifndef CHATROOMD_SUPERVISOR_EVENTS_H
#define CHATROOMD_SUPERVISOR_EVENTS_H

#include "supervisor/run.h"

/* Registers the signal handlers and creates the timers. Returns false and sets errno on failure. */
bool watch_signals(struct run *run);

/* Starts the tick, if it is `needed` and not running. */
void run_clock(struct run *run, bool needed);

/* Wakes the loop when the first of the two is due (milliseconds; 0: it is not due at all). */
void rest_until(struct run *run, unsigned one, unsigned other);

#endif
