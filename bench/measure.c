/* SPDX-License-Identifier: ISC */
/* A measurement from the first connect to the drain; see measure.h. */
#include "config.h"

#include "measure.h"

#include "base/alloc.h"
#include "clock.h"
#include "fail.h"
#include "sender.h"
#include "usage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MEASURE_GATHER_S = 100, /* to let all clients in */
    MEASURE_STUCK_S = 15, /* without any progress; longer than a server may bear a stalled client */
    MEASURE_QUIET_MS = 100,
    MEASURE_FLOOD_S = 2, /* at least, so that it is the same with and without stalled clients */
    MEASURE_FLOOD_MAX_S = 60,
};

struct measure {
    struct crowd *crowd;
    struct senders *senders;
    struct latency *latency;
    pid_t server;
    uint64_t slowest;  /* as of the last progress, */
    uint64_t progress; /* and when that was */
};

/* The counters at one moment. */
struct reading {
    uint64_t time, sent, deliveries, bytes;
    double server_cpu, first_cpu, generator_cpu, machine_cpu;
};

struct measure *measure_new(const struct crowd_plan *plan, pid_t server)
{
    struct measure *measure = alloc_zeroed(1, sizeof(*measure));

    measure->crowd = crowd_new(plan);
    measure->latency = alloc_zeroed(1, sizeof(*measure->latency));
    memset(measure->latency, 1, sizeof(*measure->latency)); /* so that all of it is resident */
    measure->server = server;
    return measure;
}

void measure_free(struct measure *measure)
{
    crowd_free(measure->crowd);
    free(measure->latency);
    free(measure);
}

void measure_admit(struct measure *measure, unsigned count)
{
    struct crowd *crowd = measure->crowd;

    if (!crowd_gather(crowd, count, MEASURE_GATHER_S))
        fail("%u of %u clients are in; %u were refused, %u cut off; the server said \"%s\"",
            crowd->ready, count, crowd->refused, crowd->lost, crowd->words);
    crowd_hold(crowd);
    crowd_quiet(crowd, MEASURE_QUIET_MS);
}

static void measure_read(const struct measure *measure, struct reading *reading)
{
    if (measure->server > 0) {
        reading->server_cpu = usage_tree_cpu(measure->server);
        reading->first_cpu = usage_process_cpu(measure->server);
    }
    reading->generator_cpu = usage_own_cpu();
    reading->machine_cpu = usage_machine_cpu();
    reading->time = clock_now();
    reading->sent = senders_sent(measure->senders);
    reading->deliveries = crowd_deliveries(measure->crowd);
    reading->bytes = crowd_bytes(measure->crowd);
}

static void measure_watch(struct measure *measure, uint64_t now)
{
    uint64_t slowest = crowd_slowest(measure->crowd);
    uint64_t sent = senders_sent(measure->senders);

    if (slowest != measure->slowest || slowest == sent) {
        measure->slowest = slowest;
        measure->progress = now;
    } else if (now - measure->progress > MEASURE_STUCK_S * CLOCK_SECOND) {
        fail("nothing has moved for %d s: %llu messages sent, the slowest receiver has %llu, all "
             "together %llu",
            MEASURE_STUCK_S, (unsigned long long)sent, (unsigned long long)slowest,
            (unsigned long long)crowd_deliveries(measure->crowd));
    }
}

static void measure_span(struct measure *measure, double seconds)
{
    uint64_t now = clock_now();
    uint64_t end = now + (uint64_t)(seconds * (double)CLOCK_SECOND);

    measure->progress = now;
    for (; now < end; now = clock_now()) {
        uint64_t left_ms = (end - now) / (CLOCK_SECOND / 1000) + 1;

        senders_send(measure->senders);
        crowd_turn(measure->crowd, left_ms < 100 ? (int)left_ms : 100);
        measure_watch(measure, now);
    }
}

/* Every message sent must come; then nothing more may. */
static void measure_drain(struct measure *measure)
{
    while (crowd_slowest(measure->crowd) < senders_sent(measure->senders)) {
        crowd_turn(measure->crowd, 100);
        measure_watch(measure, clock_now());
    }
}

void measure_flood(struct measure *measure, unsigned in_flight, size_t size,
    const struct peer *peer, struct server *server)
{
    struct crowd *crowd = measure->crowd;
    unsigned wanted = crowd->plan.receivers + crowd->plan.senders, clients;
    uint64_t began = clock_now(), spent;

    crowd_set_size(crowd, size);
    measure->senders = senders_new(crowd, in_flight, 0);
    do {
        measure_span(measure, 0.1);
        spent = clock_now() - began;
        clients = peer->clients(server);
        if (spent > MEASURE_FLOOD_MAX_S * CLOCK_SECOND)
            fail("the server still has %u clients, of which %u read", clients, wanted);
    } while (spent < MEASURE_FLOOD_S * CLOCK_SECOND || clients > wanted);
    measure_drain(measure);
    senders_free(measure->senders);
    crowd_quiet(crowd, MEASURE_QUIET_MS);
}

static void measure_result_fill(struct measure_result *result, const struct measure *measure,
    const struct reading *before, const struct reading *after)
{
    const struct latency *latency = measure->latency;

    result->seconds = (double)(after->time - before->time) / (double)CLOCK_SECOND;
    result->messages = after->sent - before->sent;
    result->deliveries = after->deliveries - before->deliveries;
    result->bytes = after->bytes - before->bytes;
    result->generator_cpu = after->generator_cpu - before->generator_cpu;
    result->server_cpu = result->first_cpu = result->other_cpu = -1;
    if (measure->server > 0) {
        result->server_cpu = after->server_cpu - before->server_cpu;
        result->first_cpu = after->first_cpu - before->first_cpu;
        result->other_cpu = fmax(0,
            after->machine_cpu - before->machine_cpu - result->server_cpu - result->generator_cpu);
    }
    result->p50 = latency_percentile(latency, 0.5);
    result->p99 = latency_percentile(latency, 0.99);
    result->p999 = latency_percentile(latency, 0.999);
}

void measure_take(
    struct measure *measure, const struct measure_plan *plan, struct measure_result *result)
{
    struct crowd *crowd = measure->crowd;
    struct reading before, after;

    crowd_set_size(crowd, plan->size);
    measure->senders = senders_new(crowd, plan->in_flight, plan->pace);
    crowd->latency = plan->pace > 0 ? measure->latency : NULL;
    measure_span(measure, plan->warm_up);
    if (plan->pace > 0)
        measure_drain(measure); /* reading CPU times takes long, and nobody may wait for it */
    measure_read(measure, &before);
    if (plan->pace > 0)
        senders_rest(measure->senders);
    memset(measure->latency, 0, sizeof(*measure->latency));
    do /* a server may give what it has in one go, now and then */
        measure_span(measure, plan->seconds);
    while (crowd_deliveries(crowd) == before.deliveries);
    if (plan->pace > 0)
        measure_drain(measure);
    measure_read(measure, &after);
    if (!plan->last)
        measure_drain(measure);
    measure_result_fill(result, measure, &before, &after);
    senders_free(measure->senders); /* takes the timer away */
    if (!plan->last)
        crowd_quiet(crowd, MEASURE_QUIET_MS);
}

unsigned measure_stalled_ended(struct measure *measure)
{
    crowd_wake_stalled(measure->crowd);
    crowd_quiet(measure->crowd, MEASURE_QUIET_MS);
    return measure->crowd->stalled_ended;
}
