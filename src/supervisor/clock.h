/* SPDX-License-Identifier: ISC */
/*
 * clock.h - what time it is for the supervisor.
 */
#ifndef CHATROOMD_SUPERVISOR_CLOCK_H
#define CHATROOMD_SUPERVISOR_CLOCK_H

#include "supervisor/state.h"

/* Milliseconds that only grow, and nanoseconds since 1970. */
uint64_t clock_ms(struct supervisor *supervisor);
uint64_t clock_ns(struct supervisor *supervisor);

/* What was read is old: the next question looks again. Due before and after every wait. */
void clock_forget(struct supervisor *supervisor);

#endif
