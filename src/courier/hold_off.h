/* SPDX-License-Identifier: ISC */
/*
 * hold_off.h - how long a courier lets wait what nobody waits for.
 */
#ifndef CHATROOMD_COURIER_HOLD_OFF_H
#define CHATROOMD_COURIER_HOLD_OFF_H

#include <stdint.h>

/* All zeroes: nothing was given yet, and nothing rests. */
struct hold_off {
    uint64_t until; /* ns of CLOCK_MONOTONIC */
};

/* Something was given to all, from `began` to `ended` (ns). */
void hold_off_begin(struct hold_off *rest, uint64_t began, uint64_t ended);

/* Microseconds from `now` (ns) on that are left; 0 where it is over, or not worth a timer. */
uint64_t hold_off_left(const struct hold_off *rest, uint64_t now);

#endif
