/* SPDX-License-Identifier: ISC */
/*
 * Figures of newcomers: how many are let in a second when many come at once, how long one waits who
 * comes alone, and whether a storm of them is served.
 */
#include "config.h"

#include "clock.h"
#include "crowd.h"
#include "fail.h"
#include "trial.h"

#include <stdio.h>
#include <time.h>

enum {
    JOINS_GATHER_S = 60,
    JOINS_QUIET_MS = 300,
    JOINS_MIN = 500,
    JOINS_VISITS_WELCOME = 100,
    JOINS_PAUSE_NS = 10000000, /* between two that come alone */
};

/* Let a crowd in; returns the time (ns) from its first connect to its last welcome. */
static uint64_t joins_gather(struct crowd *crowd)
{
    if (!crowd_gather(crowd, crowd->count, JOINS_GATHER_S))
        fail("%u of %u clients are in; the server said \"%s\"", crowd->ready, crowd->count,
            crowd->words);
    return crowd->last_ready - crowd->began;
}

static struct crowd *joins_crowd(const struct trial *trial, const char *address)
{
    const struct crowd_plan plan = {
        .protocol = arms[trial->arm].peer->protocol,
        .address = address,
        .receivers = trial->receivers,
        .size = FIGURE_SIZE,
    };

    return crowd_new(&plan);
}

/* Wait until the server has nothing of a crowd any more that has gone. */
static void joins_wait(const struct peer *peer, struct server *server)
{
    uint64_t closed = clock_now();

    while (peer->clients(server) > 0) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        if (clock_now() - closed > JOINS_GATHER_S * CLOCK_SECOND)
            fail("the server still has %u clients %d s after all have gone", peer->clients(server),
                JOINS_GATHER_S);
    }
}

/* Let a crowd in and out again. Returns the time (ns) it took to let it in. */
static uint64_t joins_visit(const struct trial *trial, const char *address, struct server *server)
{
    struct crowd *crowd = joins_crowd(trial, address);
    uint64_t spent = joins_gather(crowd);

    crowd_free(crowd);
    joins_wait(arms[trial->arm].peer, server);
    return spent;
}

void trial_joins(const struct trial *trial, struct sample *samples)
{
    unsigned receivers = trial->receivers, visits = 0;
    struct sample *sample = &samples[trial->first];
    char address[PEER_ADDRESS_SIZE];
    struct server server;
    uint64_t spent = 0;

    trial_start(trial, receivers, &server, address);
    joins_visit(trial, address, &server);
    do
        spent += joins_visit(trial, address, &server);
    while (++visits * receivers < JOINS_MIN ||
           (double)spent < trial->settings->seconds * (double)CLOCK_SECOND);
    trial_stop(trial, &server);
    sample->value = (double)visits * receivers * (double)CLOCK_SECOND / (double)spent;
    snprintf(sample->note, SAMPLE_NOTE_SIZE, "%u times %u clients in %.2f s", visits, receivers,
        (double)spent / (double)CLOCK_SECOND);
    sample->there = true;
}

void trial_welcome(const struct trial *trial, struct sample *samples)
{
    static struct latency latency;
    char address[PEER_ADDRESS_SIZE];
    struct server server;

    trial_start(trial, JOINS_VISITS_WELCOME, &server, address);
    for (unsigned visit = 0; visit < JOINS_VISITS_WELCOME; visit++) {
        struct crowd *crowd = joins_crowd(trial, address);

        nanosleep(&(struct timespec){.tv_nsec = JOINS_PAUSE_NS}, NULL);
        latency_add(&latency, joins_gather(crowd));
        crowd_free(crowd);
    }
    trial_stop(trial, &server);
    for (unsigned figure = trial->first; figure < trial->end; figure++) {
        samples[figure].value =
            latency_percentile(&latency, figures[figure].kind == FIGURE_WELCOME_P50 ? 0.5 : 0.99);
        snprintf(samples[figure].note, SAMPLE_NOTE_SIZE, "%d clients", JOINS_VISITS_WELCOME);
        samples[figure].there = true;
    }
}

void trial_storm(const struct trial *trial, struct sample *samples)
{
    struct sample *sample = &samples[trial->first];
    char address[PEER_ADDRESS_SIZE];
    struct server server;

    trial_start(trial, trial->receivers, &server, address);
    struct crowd *crowd = joins_crowd(trial, address);
    crowd_gather(crowd, crowd->count, JOINS_GATHER_S);
    crowd_quiet(crowd, JOINS_QUIET_MS);
    sample->value = crowd->ready;
    snprintf(sample->note, SAMPLE_NOTE_SIZE, "all in after %.2f s; refused %u, lost %u",
        (double)(crowd->last_ready - crowd->began) / (double)CLOCK_SECOND, crowd->refused,
        crowd->count - crowd->ready - crowd->refused);
    sample->there = true;
    crowd_free(crowd);
    trial_stop(trial, &server);
}
