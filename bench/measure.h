/* SPDX-License-Identifier: ISC */
/*
 * Measuring a running server: a crowd that is let in, and then one measurement after the other.
 * Each has senders of its own, a warm-up, the measured time, and a drain in which every receiver
 * must be given every message that was sent.
 */
#ifndef CHATROOMD_BENCH_MEASURE_H
#define CHATROOMD_BENCH_MEASURE_H

#include "crowd.h"
#include "peer.h"

#include <sys/types.h>

struct measure;

struct measure_plan {
    /* Exactly one of them: messages in flight; or messages a second, whose latency is taken. */
    unsigned in_flight, pace;
    size_t size; /* bytes of a message's text */
    double warm_up, seconds;
    bool last; /* nothing is measured behind it, and what is in flight at its end need not come */
};

struct measure_result {
    double seconds;             /* the measured time, to the turn */
    uint64_t messages;          /* composed in it */
    uint64_t deliveries, bytes; /* given to receivers in it */
    double server_cpu;          /* ns used in it, or -1 */
    double first_cpu;           /* ns of it that the server's first process has used */
    double other_cpu;           /* ns used by the rest of the machine, or -1 */
    double generator_cpu;       /* ns */
    double p50, p99, p999;      /* ns from writing a message to its being read; 0 without a pace */
};

/* A measure of SERVER, the root of the process tree whose CPU time counts (0: unknown), with a
 * crowd that is not let in yet. */
struct measure *measure_new(const struct crowd_plan *plan, pid_t server);
void measure_free(struct measure *measure);

/* Have the first COUNT clients let in, and all that they are told by that read. */
void measure_admit(struct measure *measure, unsigned count);

/* Whatever is lost, doubled, changed or stuck ends the benchmark. */
void measure_take(
    struct measure *measure, const struct measure_plan *plan, struct measure_result *result);

/* Flood with IN_FLIGHT messages of SIZE until SERVER, a PEER that counts its clients, has none but
 * those that read. */
void measure_flood(struct measure *measure, unsigned in_flight, size_t size,
    const struct peer *peer, struct server *server);

/* How many stalled clients the server has ended. */
unsigned measure_stalled_ended(struct measure *measure);

#endif
