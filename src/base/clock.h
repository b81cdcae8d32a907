/* SPDX-License-Identifier: ISC */
/*
 * clock.h - the monotonic clock, as every process reads it.
 */
#ifndef CHATROOMD_BASE_CLOCK_H
#define CHATROOMD_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Returns the nanoseconds of CLOCK_MONOTONIC. They never decrease, and a change of the system's
 * date does not affect them. */
static inline uint64_t clock_monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
