/*
 * The table of figures, and their runs: ours and the other's in turn, so that whatever else the
 * machine does meets both; the median of each counts.
 */
#include "config.h"

#include "figure.h"

#include "fail.h"
#include "report.h"
#include "sample.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* chatroomd as it comes, and both arms of its figures beside itself. */
#define OURS                                                                                       \
    {                                                                                              \
        .peer = &peer_chatroomd, .name = "chatroomd"                                               \
    }
#define STALLED(COUNT, NAME)                                                                       \
    {                                                                                              \
        .peer = &peer_chatroomd, .name = NAME,                                                     \
        .options = {"ring-size=1MiB", "stall-grace=1s", "outbox-size=128KiB"}, .stalled = COUNT    \
    }
#define JAIL(VALUE)                                                                                \
    {                                                                                              \
        .peer = &peer_chatroomd, .name = "jail " VALUE, .options = { "jail=" VALUE }               \
    }

static const struct figure figures[] = {
    {
        .name = "rate-4096",
        .what = "deliveries a second, 100 receivers, 4,096 in flight",
        .unit = "M/s",
        .scale = 1e6,
        .decimals = 2,
        .sample = sample_rate,
        .ours = OURS,
        .beside = {.peer = &peer_redis, .name = "redis"},
        .goal = GOAL_RATIO_AT_LEAST,
        .bound = 3,
        .receivers = 100,
        .senders = 4,
        .in_flight = 4096,
    },
    {
        .name = "rate-256",
        .what = "deliveries a second, 100 receivers, 256 in flight",
        .unit = "M/s",
        .scale = 1e6,
        .decimals = 2,
        .sample = sample_rate,
        .ours = OURS,
        .beside = {.peer = &peer_redis, .name = "redis"},
        .goal = GOAL_RATIO_AT_LEAST,
        .bound = 0.6,
        .receivers = 100,
        .senders = 4,
        .in_flight = 256,
    },
    {
        .name = "cpu-slow",
        .what = "CPU per delivery, 100 receivers, 100 messages a second",
        .unit = "us",
        .scale = 1e3,
        .decimals = 1,
        .sample = sample_cpu,
        .ours = OURS,
        .beside = {.peer = &peer_processes, .name = "processes"},
        .goal = GOAL_RATIO_AT_MOST,
        .bound = 2,
        .receivers = 100,
        .senders = 1,
        .pace = 100,
    },
    {
        .name = "memory",
        .what = "memory of the machine per idle client, 1,000 clients",
        .unit = "KiB",
        .scale = 1024,
        .decimals = 0,
        .sample = sample_memory,
        .ours = OURS,
        .goal = GOAL_AT_MOST,
        .bound = 256,
        .receivers = 1000,
    },
    {
        .name = "storm",
        .what = "clients served of 2,000 that connect at once",
        .unit = "",
        .scale = 1,
        .decimals = 0,
        .sample = sample_storm,
        .ours = OURS,
        .worst = true,
        .goal = GOAL_AT_LEAST,
        .bound = 2000,
        .receivers = 2000,
    },
    {
        .name = "stalled",
        .what = "latency p99 of 900, 4 KiB texts, after 100 stalled ones",
        .unit = "ms",
        .scale = 1e6,
        .decimals = 2,
        .sample = sample_latency,
        .ours = STALLED(100, "100 stalled"),
        .beside = STALLED(0, "none stalled"),
        .goal = GOAL_RATIO_AT_MOST,
        .bound = 1.1,
        .receivers = 899,
        .senders = 1,
        .in_flight = 4096,
        .pace = 20,
        .size = 4096,
    },
    {
        .name = "stalled-memory",
        .what = "the supervisor's memory then, of what it was before",
        .unit = "%",
        .scale = 0.01,
        .decimals = 1,
        .goal = GOAL_AT_MOST,
        .bound = 105,
    },
#ifdef HAVE_SECCOMP
    {
        .name = "jail-joins",
        .what = "clients let in a second, 100 at once",
        .unit = "/s",
        .scale = 1,
        .decimals = 0,
        .sample = sample_joins,
        .ours = JAIL("required"),
        .beside = JAIL("off"),
        .goal = GOAL_RATIO_AT_LEAST,
        .bound = 0.9,
        .receivers = 100,
    },
    {
        .name = "jail-memory",
        .what = "memory of the machine per worker, 500 clients",
        .unit = "KiB",
        .scale = 1024,
        .decimals = 0,
        .sample = sample_memory,
        .ours = JAIL("required"),
        .beside = JAIL("off"),
        .goal = GOAL_RATIO_AT_MOST,
        .bound = 1.1,
        .receivers = 500,
    },
    {
        .name = "jail-rate",
        .what = "deliveries a second, 100 receivers, 4,096 in flight",
        .unit = "M/s",
        .scale = 1e6,
        .decimals = 2,
        .sample = sample_rate,
        .ours = JAIL("required"),
        .beside = JAIL("off"),
        .goal = GOAL_RATIO_AT_LEAST,
        .bound = 0.9,
        .receivers = 100,
        .senders = 4,
        .in_flight = 4096,
    },
#endif
};

enum { FIGURE_COUNT = sizeof(figures) / sizeof(figures[0]) };

static bool figure_named(const struct figure_settings *settings, unsigned number)
{
    char digits[16];

    snprintf(digits, sizeof(digits), "%u", number);
    return settings->only == NULL || strcmp(settings->only, digits) == 0 ||
           strcmp(settings->only, figures[number - 1].name) == 0;
}

/* Figures of the same runs come together. */
static bool figure_wanted(const struct figure_settings *settings, unsigned number)
{
    if (figures[number - 1].sample == NULL && figure_named(settings, number - 1))
        return true;
    if (number < FIGURE_COUNT && figures[number].sample == NULL &&
        figure_named(settings, number + 1))
        return true;
    return figure_named(settings, number);
}

/* Only a try tells whether a server is installed. */
static bool figure_peer_installed(const struct peer *peer, const struct figure_settings *settings)
{
    const struct peer_settings wanted = {
        .chatroomd = settings->chatroomd, .options = settings->options, .clients = 1};
    char address[PEER_ADDRESS_SIZE];
    struct server server;

    if (!peer->start(&server, &wanted, address)) {
        fprintf(stderr, "%s is not installed: its figures, and the ratios to them, are left out\n",
            peer->name);
        return false;
    }
    server_stop(&server, peer->strict);
    return true;
}

static double figure_once(struct figure_result *result, const struct figure_arm *arm,
    const struct figure_settings *settings, unsigned run)
{
    const struct figure *figure = result->figure;
    struct sample sample = {0};

    fprintf(stderr, "figure %u (%s), run %u of %u, %s: ", result->number, figure->name, run + 1,
        settings->runs, arm->name);
    figure->sample(figure, arm, settings, &sample);
    fprintf(stderr, "%.*f %s (%s)\n", figure->decimals, sample.value / figure->scale, figure->unit,
        sample.note);
    if (sample.others > result->others)
        result->others = sample.others;
    if (arm == &figure->ours) {
        result->also_runs[run] = sample.also;
        memcpy(result->note, sample.note, sizeof(result->note));
    }
    return sample.value;
}

static int figure_compare(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;

    return (a > b) - (a < b);
}

/* The run that counts: the least, or the median (the lower one of two in the middle). */
static double figure_choose(const struct figure *figure, const double *runs, unsigned count)
{
    double sorted[FIGURE_RUNS_MAX];

    memcpy(sorted, runs, count * sizeof(*runs));
    qsort(sorted, count, sizeof(*sorted), figure_compare);
    return sorted[figure->worst ? 0 : (count - 1) / 2];
}

static void figure_judge(struct figure_result *result, unsigned runs)
{
    enum figure_goal goal = result->figure->goal;
    bool of_ratio = goal == GOAL_RATIO_AT_LEAST || goal == GOAL_RATIO_AT_MOST;

    result->ours = figure_choose(result->figure, result->our_runs, runs);
    if (result->beside) {
        result->peers = figure_choose(result->figure, result->peer_runs, runs);
        result->ratio = result->ours / result->peers;
    }
    double judged = of_ratio ? result->ratio : result->ours / result->figure->scale;
    result->judged = !of_ratio || result->beside;
    result->met = result->judged && (goal == GOAL_RATIO_AT_LEAST || goal == GOAL_AT_LEAST
                                            ? judged >= result->figure->bound
                                            : judged <= result->figure->bound);
}

static void figure_run(struct figure_result *result, const struct figure_settings *settings)
{
    const struct figure *figure = result->figure;

    result->beside =
        figure->beside.peer != NULL && figure_peer_installed(figure->beside.peer, settings);
    for (unsigned run = 0; run < settings->runs; run++) {
        result->our_runs[run] = figure_once(result, &figure->ours, settings, run);
        if (result->beside)
            result->peer_runs[run] = figure_once(result, &figure->beside, settings, run);
    }
    figure_judge(result, settings->runs);
}

/* What the runs of the figure before, BEFORE, tell of this one too. */
static void figure_derive(
    struct figure_result *result, const struct figure_result *before, unsigned runs)
{
    memcpy(result->our_runs, before->also_runs, sizeof(result->our_runs));
    memcpy(result->note, before->note, sizeof(result->note));
    result->others = before->others;
    figure_judge(result, runs);
}

void figures_run(const struct figure_settings *settings)
{
    static struct figure_result results[FIGURE_COUNT];
    unsigned count = 0;

    assert(settings->runs > 0 && settings->runs <= FIGURE_RUNS_MAX);
    for (unsigned number = 1; number <= FIGURE_COUNT; number++) {
        if (!figure_wanted(settings, number))
            continue;
        results[count].figure = &figures[number - 1];
        results[count].number = number;
        if (figures[number - 1].sample != NULL)
            figure_run(&results[count], settings);
        else
            figure_derive(&results[count], &results[count - 1], settings->runs);
        count++;
    }
    if (count == 0)
        fail("there is no figure %s", settings->only);
    report_table(results, count);
    if (settings->json != NULL)
        report_json(settings, results, count);
}
