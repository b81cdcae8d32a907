/* SPDX-License-Identifier: ISC */
/*
 * clock.c - the clock of a turn.
 *
 * The supervisor reads the clock at most once after each wait for events, when it first needs the
 * time, and uses that reading until the end of the turn: everything in a turn happens at one time.
 * A reading from before a wait is never used after it; a deadline computed from such a reading
 * would already have passed.
 */
#include "config.h"

#include "supervisor/clock.h"

#include "base/clock.h"

uint64_t clock_ms(struct supervisor *supervisor)
{
    if (supervisor->clock_is_old)
        supervisor->now_ms = clock_monotonic_ns() / 1000000u;
    supervisor->clock_is_old = false;
    return supervisor->now_ms;
}

void clock_forget(struct supervisor *supervisor)
{
    supervisor->clock_is_old = true;
}
