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
    MEASURE_GATHER_S = 60, /* to let all clients in */
    MEASURE_STUCK_S = 15, /* without any progress; longer than a server may bear a stalled client */
    MEASURE_QUIET_MS = 200,
    MEASURE_FLOOD_S = 2, /* at least, so that it is the same with and without stalled clients */
    MEASURE_FLOOD_MAX_S = 60,
};

struct measure {
    struct crowd *crowd;
    struct senders *senders;
    uint64_t slowest;  /* as of the last progress, */
    uint64_t progress; /* and when that was */
};

/* The counters at one moment. */
struct reading {
    uint64_t time, sent, deliveries, bytes;
    double server_cpu, generator_cpu, machine_cpu;
};

static void measure_read(
    const struct measure *measure, const struct measure_plan *plan, struct reading *reading)
{
    reading->server_cpu = plan->server > 0 ? usage_tree_cpu(plan->server) : 0;
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

static void measure_gather(struct crowd *crowd)
{
    if (!crowd_gather(crowd, MEASURE_GATHER_S))
        fail("%u of %u clients are in; %u were refused, %u cut off; the server said \"%s\"",
            crowd->ready, crowd->count, crowd->refused, crowd->lost, crowd->words);
    crowd_hold(crowd);
    crowd_quiet(crowd, MEASURE_QUIET_MS);
}

/* CHILDREN: those the server had before it had clients. */
static void measure_flood(
    struct measure *measure, const struct measure_plan *plan, unsigned children)
{
    unsigned wanted = children + plan->crowd.receivers + plan->crowd.senders;
    uint64_t began = clock_now(), spent;

    do {
        measure_span(measure, 0.1);
        spent = clock_now() - began;
        if (spent > MEASURE_FLOOD_MAX_S * CLOCK_SECOND)
            fail("the server still has %u processes for %u clients that read",
                usage_children(plan->server) - children, wanted - children);
    } while (spent < MEASURE_FLOOD_S * CLOCK_SECOND || usage_children(plan->server) > wanted);
    measure_drain(measure);
    crowd_quiet(measure->crowd, MEASURE_QUIET_MS);
    senders_set_pace(measure->senders, plan->pace);
}

static void measure_result_fill(struct measure_result *result, const struct measure_plan *plan,
    const struct reading *before, const struct reading *after)
{
    result->seconds = (double)(after->time - before->time) / (double)CLOCK_SECOND;
    result->messages = after->sent - before->sent;
    result->deliveries = after->deliveries - before->deliveries;
    result->bytes = after->bytes - before->bytes;
    result->generator_cpu = after->generator_cpu - before->generator_cpu;
    result->server_cpu = result->other_cpu = -1;
    if (plan->server > 0) {
        result->server_cpu = after->server_cpu - before->server_cpu;
        result->other_cpu = fmax(0,
            after->machine_cpu - before->machine_cpu - result->server_cpu - result->generator_cpu);
    }
    if (result->deliveries == 0)
        fail("nothing was delivered in %g s", result->seconds);
}

void measure_run(const struct measure_plan *plan, struct measure_result *result)
{
    struct measure measure = {.crowd = crowd_new(&plan->crowd)};
    struct latency *latency = alloc_zeroed(1, sizeof(*latency));
    struct reading before, after;
    bool flood = plan->in_flight > 0 && plan->pace > 0;
    unsigned children = flood ? usage_children(plan->server) : 0;
    double memory = 0;

    measure_gather(measure.crowd);
    measure.senders = senders_new(measure.crowd, plan->in_flight, flood ? 0 : plan->pace);
    if (flood) {
        memory = usage_anonymous_memory(plan->server);
        measure_flood(&measure, plan, children);
    }
    if (plan->pace > 0)
        measure.crowd->latency = latency;
    measure_span(&measure, plan->warm_up);
    memset(latency, 0, sizeof(*latency));
    measure_read(&measure, plan, &before);
    measure_span(&measure, plan->seconds);
    measure_read(&measure, plan, &after);
    measure_drain(&measure);

    measure_result_fill(result, plan, &before, &after);
    result->memory_growth = flood ? usage_anonymous_memory(plan->server) / memory : 0;
    result->p50 = latency_percentile(latency, 0.5);
    result->p99 = latency_percentile(latency, 0.99);
    result->p999 = latency_percentile(latency, 0.999);
    senders_free(measure.senders); /* takes the timer away */
    crowd_wake_stalled(measure.crowd);
    crowd_quiet(measure.crowd, MEASURE_QUIET_MS);
    result->stalled_ended = measure.crowd->stalled_ended;
    crowd_free(measure.crowd);
    free(latency);
}
