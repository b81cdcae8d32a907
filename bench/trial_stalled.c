/* SPDX-License-Identifier: ISC */
/*
 * Figures of a room of which clients have stalled: a flood until the server has ended them, and
 * then what is left, at a pace; see README.
 */
#include "config.h"

#include "measure.h"
#include "trial.h"
#include "usage.h"

#include <stdio.h>

static void stalled_fill(const struct trial *trial, struct sample *samples,
    const struct measure_result *result, double growth, unsigned ended)
{
    for (unsigned figure = trial->first; figure < trial->end; figure++) {
        struct sample *sample = &samples[figure];

        sample->value = figures[figure].kind == FIGURE_STALLED ? result->p99 : growth;
        sample->others = result->other_cpu / 1e9 / result->seconds;
        snprintf(sample->note, SAMPLE_NOTE_SIZE,
            "p50 %.2f ms, p99 %.2f ms; %u of %u stalled ended; memory %.1f %%; others %.2f",
            result->p50 / 1e6, result->p99 / 1e6, ended, arms[trial->arm].stalled, growth * 100,
            sample->others);
        sample->there = true;
    }
}

void trial_stalled(const struct trial *trial, struct sample *samples)
{
    const struct figure *figure = &figures[trial->first];
    const struct arm *arm = &arms[trial->arm];
    const struct measure_plan plan = {
        .pace = figure->pace,
        .size = figure->size,
        .warm_up = trial->settings->seconds / 4,
        .seconds = trial->settings->seconds * 4, /* what is compared is one message in 50 */
    };
    char address[PEER_ADDRESS_SIZE];
    struct measure_result result;
    struct server server;

    trial_start(trial, figure->receivers + 1 + arm->stalled, &server, address);
    const struct crowd_plan crowd = {
        .protocol = arm->peer->protocol,
        .address = address,
        .receivers = figure->receivers,
        .senders = 1,
        .stalled = arm->stalled,
        .size = figure->size,
    };
    struct measure *measure = measure_new(&crowd, server.pid);
    measure_admit(measure, figure->receivers + 1 + arm->stalled);
    double memory = usage_anonymous_memory(server.pid);
    measure_flood(measure, figure->in_flight, figure->size, arm->peer, &server);
    measure_take(measure, &plan, &result);
    double growth = usage_anonymous_memory(server.pid) / memory;
    stalled_fill(trial, samples, &result, growth, measure_stalled_ended(measure));
    measure_free(measure);
    trial_stop(trial, &server);
}
