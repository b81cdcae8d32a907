/* SPDX-License-Identifier: ISC */
/*
 * A histogram of times in nanoseconds, of fixed size: 64 steps to each power of two, so that a
 * percentile is right to 1.6 percent whatever the range.
 */
#ifndef CHATROOMD_BENCH_LATENCY_H
#define CHATROOMD_BENCH_LATENCY_H

#include <stdint.h>

#define LATENCY_BUCKETS (64 * 64)

struct latency {
    uint64_t total; /* samples */
    uint64_t bucket[LATENCY_BUCKETS];
};

void latency_add(struct latency *latency, uint64_t nanoseconds);

/* The time (ns) that SHARE (0 to 1) of the samples do not exceed; 0 where there are none. */
double latency_percentile(const struct latency *latency, double share);

#endif
