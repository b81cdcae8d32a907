/* SPDX-License-Identifier: ISC */
/*
 * hold_off.h - how long a courier may defer records that are not urgent.
 */
#ifndef CHATROOMD_COURIER_HOLD_OFF_H
#define CHATROOMD_COURIER_HOLD_OFF_H

#include <stdint.h>

/* All zeroes: no pass has run, and nothing is deferred. */
struct hold_off {
    uint64_t until; /* ns of CLOCK_MONOTONIC */
};

/* A pass over all clients ran from `began` to `ended` (ns). */
void hold_off_begin(struct hold_off *hold_off, uint64_t began, uint64_t ended);

/* Returns for how many microseconds from `now` (ns) on records may be deferred; 0 if not at all, or
 * for less than a timer can measure. */
uint64_t hold_off_left(const struct hold_off *hold_off, uint64_t now);

#endif
