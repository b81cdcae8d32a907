/* SPDX-License-Identifier: ISC */
/*
 * events.h - the supervisor's signals and timers.
 */
#ifndef CHATROOMD_SUPERVISOR_EVENTS_H
#define CHATROOMD_SUPERVISOR_EVENTS_H

#include "supervisor/run.h"

/* Registers the signal handlers and creates the timers. Returns false and sets errno on failure. */
bool events_open(struct run *run);

/* Schedules one tick, unless one is scheduled. */
void events_start_tick(struct run *run);

/* Wakes the loop when the first of the two is due (milliseconds; 0: it is not due at all). */
void events_wake_in(struct run *run, unsigned one, unsigned other);

#endif
