/* SPDX-License-Identifier: ISC */
/*
 * clock.h - reads the monotonic clock.
 */
#ifndef CHATROOMD_BASE_CLOCK_H
#define CHATROOMD_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Returns CLOCK_MONOTONIC in nanoseconds. It never decreases, and is independent of the date. */
static inline uint64_t clock_monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
