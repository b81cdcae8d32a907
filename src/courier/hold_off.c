/* SPDX-License-Identifier: ISC */
/*
 * hold_off.c - how long a courier may defer records that are not urgent.
 *
 * Model: when a client joins or leaves, the courier writes that to every client, and each client
 * has to read it. If many clients join a large room at once, for example after a restart, these
 * writes would take the processors from those that are still joining. So after a pass over all
 * clients, the courier defers such records for HOLD_OFF_TIMES the duration of the pass, at most
 * HOLD_OFF_MAX_NS, and then delivers them with one write for each client. In a room of a few dozen
 * members this is less than a timer can measure, and nothing is deferred.
 */
#include "config.h"

#include "courier/hold_off.h"

#define HOLD_OFF_TIMES  5u
#define HOLD_OFF_MAX_NS UINT64_C(500000000)

/* Timers have a resolution of one millisecond. */
#define HOLD_OFF_LEAST_NS UINT64_C(1000000)

void hold_off_begin(struct hold_off *hold_off, uint64_t began, uint64_t ended)
{
    uint64_t length = HOLD_OFF_TIMES * (ended - began);

    hold_off->until = ended + (length < HOLD_OFF_MAX_NS ? length : HOLD_OFF_MAX_NS);
}

uint64_t hold_off_left(const struct hold_off *hold_off, uint64_t now)
{
    if (hold_off->until < now + HOLD_OFF_LEAST_NS)
        return 0;
    return (hold_off->until - now) / 1000;
}
