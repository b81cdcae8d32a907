/* SPDX-License-Identifier: ISC */
/*
 * clock.c - the clock is read once after each wait for events, when it is first asked for, and that
 * reading stands until the end of the turn: all that happens in a turn happens at one time. A
 * reading from before a wait is never used after it; a deadline counted from one would be over at
 * once.
 */
#include "config.h"

#include "supervisor/clock.h"

#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void look(struct supervisor *supervisor)
{
    if (!supervisor->clock_is_old)
        return;
    supervisor->now_ms = read_clock(CLOCK_MONOTONIC) / 1000000u;
    supervisor->now_ns = read_clock(CLOCK_REALTIME);
    supervisor->clock_is_old = false;
}

uint64_t clock_ms(struct supervisor *supervisor)
{
    look(supervisor);
    return supervisor->now_ms;
}

uint64_t clock_ns(struct supervisor *supervisor)
{
    look(supervisor);
    return supervisor->now_ns;
}

void clock_forget(struct supervisor *supervisor)
{
    supervisor->clock_is_old = true;
}
