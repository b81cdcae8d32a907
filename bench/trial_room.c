/* SPDX-License-Identifier: ISC */
/*
 * Figures of a room: a crowd is let in step by step, and each step is measured before the next.
 * First the receivers, for their memory; then one sender, for what goes at a pace; then the other
 * senders, for what is in flight. Figures of the same pace, or the same window and size, are of one
 * measurement.
 */
#include "config.h"

#include "clock.h"
#include "fail.h"
#include "measure.h"
#include "trial.h"
#include "usage.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    /* With so many receivers a server may give what it has only several times a second. */
    ROOM_LARGE = 1000,
    ROOM_SETTLE_ROUNDS = 50, /* of a tenth of a second, */
    ROOM_SETTLE_STILL = 4,   /* and so many without a change end it */
    ROOM_SETTLE_STEP = 512 * 1024,
};

struct room {
    const struct trial *trial;
    struct sample *samples;
    struct server server;
    struct measure *measure;
    unsigned receivers;
};

/* What is in use: memory (bytes) but for the generator's own, and CPU time (ns) of all but these
 * two. */
struct state {
    double memory, other_cpu;
    uint64_t time;
};

/* Read STATE once the memory has stopped changing. */
static void room_settle(struct state *state, const struct server *server)
{
    const struct timespec tenth = {.tv_nsec = 100000000};
    double now = usage_available_memory(), before;
    int still = 0;

    for (int round = 0; round < ROOM_SETTLE_ROUNDS && still < ROOM_SETTLE_STILL; round++) {
        nanosleep(&tenth, NULL);
        before = now;
        now = usage_available_memory();
        still = fabs(now - before) < ROOM_SETTLE_STEP ? still + 1 : 0;
    }
    state->memory = -now - usage_own_memory();
    state->other_cpu = usage_machine_cpu() - usage_tree_cpu(server->pid) - usage_own_cpu();
    state->time = clock_now();
}

static void room_memory(struct room *room, struct sample *sample)
{
    struct state before, after;

    room_settle(&before, &room->server);
    measure_admit(room->measure, room->receivers);
    room_settle(&after, &room->server);
    sample->value = (after.memory - before.memory) / room->receivers;
    sample->others =
        fmax(0, (after.other_cpu - before.other_cpu) / (double)(after.time - before.time));
    snprintf(sample->note, SAMPLE_NOTE_SIZE, "%.1f MiB for %u clients; others %.2f processors",
        (after.memory - before.memory) / (1 << 20), room->receivers, sample->others);
    sample->there = true;
}

/* Take the sample of FIGURE from RESULT. */
static void room_sample(
    const struct figure *figure, const struct measure_result *result, struct sample *sample)
{
    switch (figure->kind) {
    case FIGURE_CPU:
        sample->value = result->server_cpu / (double)result->deliveries;
        break;
    case FIGURE_P50:
        sample->value = result->p50;
        break;
    case FIGURE_P99:
        sample->value = result->p99;
        break;
    case FIGURE_P999:
        sample->value = result->p999;
        break;
    case FIGURE_SUPERVISOR:
        sample->value = result->first_cpu / (double)result->messages;
        break;
    default:
        sample->value = (double)result->deliveries / result->seconds;
    }
    if (result->server_cpu >= 0) {
        sample->others = result->other_cpu / 1e9 / result->seconds;
        snprintf(sample->note, SAMPLE_NOTE_SIZE,
            "processors in use: server %.2f, generator %.2f, others %.2f",
            result->server_cpu / 1e9 / result->seconds,
            result->generator_cpu / 1e9 / result->seconds, sample->others);
    }
    sample->there = true;
}

static bool room_same_step(const struct figure *one, const struct figure *other)
{
    return one->kind != FIGURE_MEMORY && other->kind != FIGURE_MEMORY && one->pace == other->pace &&
           one->in_flight == other->in_flight && one->size == other->size;
}

static bool room_wanted(const struct trial *trial, unsigned figure, unsigned other)
{
    return trial->wanted[other] && room_same_step(&figures[figure], &figures[other]);
}

/* Measure the step of FIGURE, for all wanted figures that are made by it. */
static void room_step(struct room *room, unsigned figure, bool last)
{
    const struct trial *trial = room->trial;
    const struct figure *step = &figures[figure];
    bool twice = step->pace > 0 || room->receivers >= ROOM_LARGE;
    double seconds = trial->settings->seconds * (twice ? 2 : 1);
    const struct measure_plan plan = {
        .in_flight = step->in_flight,
        .pace = step->pace,
        .size = step->size > 0 ? step->size : FIGURE_SIZE,
        .warm_up = seconds / 4,
        .seconds = seconds,
        .last = last && step->in_flight > 0 && !arms[trial->arm].peer->strict,
    };
    struct measure_result result;

    measure_admit(room->measure, room->receivers + (step->pace > 0 ? 1 : FIGURE_SENDERS));
    measure_take(room->measure, &plan, &result);
    for (unsigned other = figure; other < trial->end; other++)
        if (room_wanted(trial, figure, other))
            room_sample(&figures[other], &result, &room->samples[other]);
}

/* Whether this arm's protocol can carry FIGURE's texts. */
static bool room_can(const struct trial *trial, unsigned figure)
{
    size_t max = arms[trial->arm].peer->protocol->size_max;

    return trial->wanted[figure] && (max == 0 || figures[figure].size <= max);
}

static void room_steps(struct room *room)
{
    const struct trial *trial = room->trial;
    unsigned last = trial->first;

    for (unsigned figure = trial->first; figure < trial->end; figure++)
        if (room_can(trial, figure))
            last = figure;
    for (unsigned figure = trial->first; figure <= last; figure++) {
        if (!room_can(trial, figure) || room->samples[figure].there)
            continue;
        if (figures[figure].kind == FIGURE_MEMORY)
            room_memory(room, &room->samples[figure]);
        else
            room_step(room, figure, figure == last);
    }
}

/* The longest text that is wanted. */
static size_t room_size(const struct trial *trial)
{
    size_t size = FIGURE_SIZE;

    for (unsigned figure = trial->first; figure < trial->end; figure++)
        if (room_can(trial, figure) && figures[figure].size > size)
            size = figures[figure].size;
    return size;
}

void trial_room(const struct trial *trial, struct sample *samples)
{
    struct room room = {.trial = trial, .samples = samples, .receivers = trial->receivers};
    char address[PEER_ADDRESS_SIZE];

    trial_start(trial, room.receivers + FIGURE_SENDERS, &room.server, address);
    const struct crowd_plan plan = {
        .protocol = arms[trial->arm].peer->protocol,
        .address = address,
        .receivers = room.receivers,
        .senders = FIGURE_SENDERS,
        .size = room_size(trial),
    };
    room.measure = measure_new(&plan, room.server.pid);
    room_steps(&room);
    measure_free(room.measure);
    trial_stop(trial, &room.server);
}
