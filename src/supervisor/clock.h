/* SPDX-License-Identifier: ISC */
/*
 * clock.h - the supervisor's time, which is the same throughout a turn.
 */
#ifndef CHATROOMD_SUPERVISOR_CLOCK_H
#define CHATROOMD_SUPERVISOR_CLOCK_H

#include "supervisor/state.h"

/* Returns the milliseconds of CLOCK_MONOTONIC, as of the first call after clock_forget(). */
uint64_t clock_ms(struct supervisor *supervisor);

/* Discards the reading. The caller does this before and after every wait. */
void clock_forget(struct supervisor *supervisor);

#endif
