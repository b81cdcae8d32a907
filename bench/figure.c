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

static const struct figure figures[] = {
    {
        .name = "rate-4096",
        .what = "deliveries a second, 100 receivers, 4,096 in flight",
        .unit = "M/s",
        .scale = 1e6,
        .decimals = 2,
        .sample = sample_rate,
        .beside = &peer_redis,
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
        .beside = &peer_redis,
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
        .beside = &peer_bare,
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
        .worst = true,
        .goal = GOAL_AT_LEAST,
        .bound = 2000,
        .receivers = 2000,
    },
};

enum { FIGURE_COUNT = sizeof(figures) / sizeof(figures[0]) };

static bool figure_wanted(const struct figure_settings *settings, unsigned number)
{
    char digits[16];

    snprintf(digits, sizeof(digits), "%u", number);
    return settings->only == NULL || strcmp(settings->only, digits) == 0 ||
           strcmp(settings->only, figures[number - 1].name) == 0;
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
    server_stop(&server);
    return true;
}

static double figure_once(struct figure_result *result, const struct peer *peer,
    const struct figure_settings *settings, unsigned run)
{
    const struct figure *figure = result->figure;
    struct sample sample = {0};

    fprintf(stderr, "figure %u (%s), run %u of %u, %s: ", result->number, figure->name, run + 1,
        settings->runs, peer->name);
    figure->sample(figure, peer, settings, &sample);
    fprintf(stderr, "%.*f %s (%s)\n", figure->decimals, sample.value / figure->scale, figure->unit,
        sample.note);
    if (sample.others > result->others)
        result->others = sample.others;
    if (peer == &peer_chatroomd)
        memcpy(result->note, sample.note, sizeof(result->note));
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

    result->beside = figure->beside != NULL && figure_peer_installed(figure->beside, settings);
    for (unsigned run = 0; run < settings->runs; run++) {
        result->our_runs[run] = figure_once(result, &peer_chatroomd, settings, run);
        if (result->beside)
            result->peer_runs[run] = figure_once(result, figure->beside, settings, run);
    }
    figure_judge(result, settings->runs);
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
        figure_run(&results[count++], settings);
    }
    if (count == 0)
        fail("there is no figure %s", settings->only);
    report_table(results, count);
    if (settings->json != NULL)
        report_json(settings, results, count);
}
