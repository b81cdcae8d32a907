/* Making one value of a figure with a fresh server; see sample.h. */
#include "config.h"

#include "sample.h"

#include "clock.h"
#include "crowd.h"
#include "fail.h"
#include "measure.h"
#include "usage.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

enum {
    SAMPLE_SIZE = 64, /* bytes of a message's text, unless the figure says */
    SAMPLE_STORM_S = 60,
    SAMPLE_QUIET_MS = 300,
    SAMPLE_JOINS_MIN = 500,
    SAMPLE_SETTLE_ROUNDS = 50, /* of a tenth of a second */
};

static void sample_start(struct server *server, const struct figure *figure,
    const struct figure_arm *arm, const struct figure_settings *settings, char *address)
{
    const struct peer_settings wanted = {
        .chatroomd = settings->chatroomd,
        .options = settings->options,
        .more = arm->options,
        .clients = figure->receivers + figure->senders + arm->stalled,
    };

    if (!arm->peer->start(server, &wanted, address))
        fail("%s was here a moment ago, and is gone", arm->name);
}

static void sample_measure(const struct figure *figure, const struct figure_arm *arm,
    const struct figure_settings *settings, struct measure_result *result)
{
    char address[PEER_ADDRESS_SIZE];
    struct server server;

    sample_start(&server, figure, arm, settings, address);
    const struct measure_plan plan = {
        .crowd = {.protocol = arm->peer->protocol,
            .address = address,
            .receivers = figure->receivers,
            .senders = figure->senders,
            .stalled = arm->stalled,
            .size = figure->size > 0 ? figure->size : SAMPLE_SIZE},
        .in_flight = figure->in_flight,
        .pace = figure->pace,
        .warm_up = settings->seconds / 4,
        .seconds = settings->seconds,
        .server = server.pid,
    };
    measure_run(&plan, result);
    server_stop(&server, arm->peer->strict);
}

void sample_rate(const struct figure *figure, const struct figure_arm *arm,
    const struct figure_settings *settings, struct sample *sample)
{
    struct measure_result result;

    sample_measure(figure, arm, settings, &result);
    sample->others = result.other_cpu / 1e9 / result.seconds;
    snprintf(sample->note, FIGURE_NOTE_SIZE,
        "processors in use: server %.2f, generator %.2f, others %.2f",
        result.server_cpu / 1e9 / result.seconds, result.generator_cpu / 1e9 / result.seconds,
        sample->others);
    sample->value = (double)result.deliveries / result.seconds;
}

void sample_cpu(const struct figure *figure, const struct figure_arm *arm,
    const struct figure_settings *settings, struct sample *sample)
{
    struct measure_result result;

    sample_measure(figure, arm, settings, &result);
    sample->others = result.other_cpu / 1e9 / result.seconds;
    snprintf(sample->note, FIGURE_NOTE_SIZE, "latency p50 %.0f us, p99 %.0f us, p99.9 %.0f us",
        result.p50 / 1e3, result.p99 / 1e3, result.p999 / 1e3);
    sample->value = result.server_cpu / (double)result.deliveries;
}

void sample_latency(const struct figure *figure, const struct figure_arm *arm,
    const struct figure_settings *settings, struct sample *sample)
{
    struct measure_result result;

    sample_measure(figure, arm, settings, &result);
    sample->others = result.other_cpu / 1e9 / result.seconds;
    snprintf(sample->note, FIGURE_NOTE_SIZE,
        "p50 %.2f ms, p99 %.2f ms; %u of %u stalled ended; memory %.1f %%; others %.2f",
        result.p50 / 1e6, result.p99 / 1e6, result.stalled_ended, arm->stalled,
        result.memory_growth * 100, sample->others);
    sample->value = result.p99;
    sample->also = result.memory_growth;
}

/* What is in use: memory (bytes) but for the generator's own, and CPU time (ns) of all but these
 * two. */
struct sample_state {
    double memory, other_cpu;
    uint64_t time;
};

/* Read STATE once the memory has stopped changing. */
static void sample_settle(struct sample_state *state, const struct server *server)
{
    const struct timespec tenth = {.tv_nsec = 100000000};
    double now = usage_available_memory(), before;
    int still = 0;

    for (int round = 0; round < SAMPLE_SETTLE_ROUNDS && still < 5; round++) {
        nanosleep(&tenth, NULL);
        before = now;
        now = usage_available_memory();
        still = fabs(now - before) < 512 * 1024 ? still + 1 : 0;
    }
    state->memory = -now - usage_own_memory();
    state->other_cpu = usage_machine_cpu() - usage_tree_cpu(server->pid) - usage_own_cpu();
    state->time = clock_now();
}

static struct crowd *sample_crowd(
    const struct figure *figure, const struct figure_arm *arm, const char *address)
{
    const struct crowd_plan plan = {
        .protocol = arm->peer->protocol,
        .address = address,
        .receivers = figure->receivers,
        .size = SAMPLE_SIZE,
    };

    return crowd_new(&plan);
}

void sample_memory(const struct figure *figure, const struct figure_arm *arm,
    const struct figure_settings *settings, struct sample *sample)
{
    char address[PEER_ADDRESS_SIZE];
    struct sample_state before, after;
    struct server server;

    sample_start(&server, figure, arm, settings, address);
    struct crowd *crowd = sample_crowd(figure, arm, address);
    sample_settle(&before, &server);
    if (!crowd_gather(crowd, SAMPLE_STORM_S))
        fail("%u of %u clients are in; the server said \"%s\"", crowd->ready, crowd->count,
            crowd->words);
    crowd_hold(crowd);
    crowd_quiet(crowd, SAMPLE_QUIET_MS);
    sample_settle(&after, &server);
    sample->value = (after.memory - before.memory) / crowd->count;
    sample->others =
        fmax(0, (after.other_cpu - before.other_cpu) / (double)(after.time - before.time));
    snprintf(sample->note, FIGURE_NOTE_SIZE, "%.1f MiB for %u clients; others %.2f processors",
        (after.memory - before.memory) / (1 << 20), crowd->count, sample->others);
    crowd_free(crowd);
    server_stop(&server, arm->peer->strict);
}

/* Let a crowd in and out again. Returns the time (ns) from its first connect to its last welcome;
 * what goes on until all workers are gone is not in it. */
static uint64_t sample_visit(const struct figure *figure, const struct figure_arm *arm,
    const char *address, const struct server *server)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    unsigned children = usage_children(server->pid);
    struct crowd *crowd = sample_crowd(figure, arm, address);

    if (!crowd_gather(crowd, SAMPLE_STORM_S))
        fail("%u of %u clients are in; the server said \"%s\"", crowd->ready, crowd->count,
            crowd->words);
    uint64_t spent = crowd->last_ready - crowd->began;
    crowd_free(crowd);
    uint64_t closed = clock_now();
    while (usage_children(server->pid) > children) {
        nanosleep(&moment, NULL);
        if (clock_now() - closed > SAMPLE_STORM_S * CLOCK_SECOND)
            fail("workers are still there %d s after their clients have gone", SAMPLE_STORM_S);
    }
    return spent;
}

void sample_joins(const struct figure *figure, const struct figure_arm *arm,
    const struct figure_settings *settings, struct sample *sample)
{
    char address[PEER_ADDRESS_SIZE];
    struct server server;
    unsigned visits = 0;
    uint64_t spent = 0;

    sample_start(&server, figure, arm, settings, address);
    sample_visit(figure, arm, address, &server);
    do
        spent += sample_visit(figure, arm, address, &server);
    while (++visits * figure->receivers < SAMPLE_JOINS_MIN ||
           (double)spent < settings->seconds * (double)CLOCK_SECOND / 2);
    server_stop(&server, arm->peer->strict);
    sample->value = (double)visits * figure->receivers * (double)CLOCK_SECOND / (double)spent;
    snprintf(sample->note, FIGURE_NOTE_SIZE, "%u times %u clients in %.2f s", visits,
        figure->receivers, (double)spent / (double)CLOCK_SECOND);
}

void sample_storm(const struct figure *figure, const struct figure_arm *arm,
    const struct figure_settings *settings, struct sample *sample)
{
    char address[PEER_ADDRESS_SIZE];
    struct server server;

    sample_start(&server, figure, arm, settings, address);
    struct crowd *crowd = sample_crowd(figure, arm, address);
    crowd_gather(crowd, SAMPLE_STORM_S);
    crowd_quiet(crowd, SAMPLE_QUIET_MS);
    unsigned served = crowd->ready;
    snprintf(sample->note, FIGURE_NOTE_SIZE, "all in after %.2f s; refused %u, lost %u",
        (double)(crowd->last_ready - crowd->began) / (double)CLOCK_SECOND, crowd->refused,
        crowd->count - crowd->ready - crowd->refused);
    crowd_free(crowd);
    server_stop(&server, arm->peer->strict);
    sample->value = served;
}
