/* SPDX-License-Identifier: ISC */
/*
 * The latency histogram. Bucket B holds the values whose top seven bits are B - 64 * shift, shift
 * being how many bits lie below those; values under 128 have a bucket each.
 */
#include "config.h"

#include "latency.h"

enum { LATENCY_STEP_BITS = 6 };

static unsigned latency_bucket(uint64_t nanoseconds)
{
    unsigned top = 63 - (unsigned)__builtin_clzll(nanoseconds | 1);
    unsigned shift = top > LATENCY_STEP_BITS ? top - LATENCY_STEP_BITS : 0;

    return (shift << LATENCY_STEP_BITS) + (unsigned)(nanoseconds >> shift);
}

static double latency_value(unsigned bucket)
{
    unsigned shift = bucket >> LATENCY_STEP_BITS;

    if (shift > 0)
        shift--;
    return (double)((uint64_t)(bucket - (shift << LATENCY_STEP_BITS)) << shift);
}

void latency_add(struct latency *latency, uint64_t nanoseconds)
{
    latency->bucket[latency_bucket(nanoseconds)]++;
    latency->total++;
}

double latency_percentile(const struct latency *latency, double share)
{
    double wanted = share * (double)latency->total;
    uint64_t seen = 0;

    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        seen += latency->bucket[i];
        if (seen > 0 && (double)seen >= wanted)
            return latency_value(i);
    }
    return 0;
}
