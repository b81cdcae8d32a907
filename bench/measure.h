/*
 * One measurement of one running server: a crowd, its senders, a warm-up, the measured time, and a
 * drain in which every receiver must be given every message that was sent.
 */
#ifndef CHATROOMD_BENCH_MEASURE_H
#define CHATROOMD_BENCH_MEASURE_H

#include "crowd.h"

#include <sys/types.h>

struct measure_plan {
    struct crowd_plan crowd;
    /* Messages in flight; or 0, and PACE messages a second, whose latency is taken. Both: first a
     * flood of so many in flight until the server, which must have a process for each client, has
     * ended those that are stalled, and then the pace. */
    unsigned in_flight, pace;
    double warm_up, seconds;
    pid_t server; /* the root of the process tree whose CPU time counts; 0: unknown */
};

struct measure_result {
    double seconds;             /* the measured time, to the turn */
    uint64_t messages;          /* composed in it */
    uint64_t deliveries, bytes; /* given to receivers in it */
    double server_cpu;          /* ns used in it, or -1 */
    double other_cpu;           /* ns used by the rest of the machine, or -1 */
    double generator_cpu;       /* ns */
    double p50, p99, p999;      /* ns from writing a message to its being read; 0 without a pace */
    double memory_growth;       /* with a flood: of the server's own memory, after through before */
    unsigned stalled_ended;     /* stalled clients the server has ended */
};

/* Whatever is lost, doubled, changed or stuck ends the benchmark. */
void measure_run(const struct measure_plan *plan, struct measure_result *result);

#endif
