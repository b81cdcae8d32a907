/* SPDX-License-Identifier: ISC */
/*
 * hold_off.c - see rest.h.
 *
 * Model: that somebody has joined or left is told to all, with a write for each of them, and each
 * client has to read it; where many come at once to a large room, as after a restart, that would
 * take the processors from those who come. So a courier that has just given something to all lets
 * such news wait for HOLD_OFF_TIMES as long as the giving took, at most HOLD_OFF_MAX_NS, and gives what
 * comes meanwhile in one write. In a room of some tens that is less than a timer can tell, and
 * nothing waits.
 */
#include "config.h"

#include "courier/hold_off.h"

#define HOLD_OFF_TIMES  5u
#define HOLD_OFF_MAX_NS UINT64_C(500000000)

/* Timers go by milliseconds. */
#define HOLD_OFF_LEAST_NS UINT64_C(1000000)

void hold_off_begin(struct hold_off *rest, uint64_t began, uint64_t ended)
{
    uint64_t length = HOLD_OFF_TIMES * (ended - began);

    rest->until = ended + (length < HOLD_OFF_MAX_NS ? length : HOLD_OFF_MAX_NS);
}

uint64_t hold_off_left(const struct hold_off *rest, uint64_t now)
{
    if (rest->until < now + HOLD_OFF_LEAST_NS)
        return 0;
    return (rest->until - now) / 1000;
}
