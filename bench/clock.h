/* SPDX-License-Identifier: ISC */
/* The one clock of the benchmark: CLOCK_MONOTONIC, in nanoseconds. */
#ifndef CHATROOMD_BENCH_CLOCK_H
#define CHATROOMD_BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND UINT64_C(1000000000)

static inline uint64_t clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * CLOCK_SECOND + (uint64_t)now.tv_nsec;
}

#endif
