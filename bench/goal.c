/* SPDX-License-Identifier: ISC */
/* The table of goals, and their judgement; see goal.h. */
#include "config.h"

#include "goal.h"

#include "fail.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Deliveries a second beside the best peer. */
#define RATE(FIGURE, BOUND)                                                                        \
    {                                                                                              \
        .name = FIGURE, .figure = FIGURE, .others = ARMS_PEERS, .relation = GOAL_TIMES,            \
        .at_least = true, .bound = (BOUND)                                                         \
    }
/* At most BOUND times what ARM needs; and at most so much above it. */
#define AT_MOST_TIMES(NAME, FIGURE, ARM, BOUND)                                                    \
    {                                                                                              \
        .name = NAME, .figure = FIGURE, .others = ARM_BIT(ARM), .relation = GOAL_TIMES,            \
        .bound = (BOUND)                                                                           \
    }
#define AT_MOST_ABOVE(NAME, FIGURE, ARM, BOUND)                                                    \
    {                                                                                              \
        .name = NAME, .figure = FIGURE, .others = ARM_BIT(ARM), .relation = GOAL_ABOVE,            \
        .bound = (BOUND)                                                                           \
    }
/* With the jail at least, or at most, this much of what is without. */
#define JAIL(NAME, FIGURE, ARM, WITHOUT, AT_LEAST, BOUND)                                          \
    {                                                                                              \
        .name = NAME, .figure = FIGURE, .ours = (ARM), .others = ARM_BIT(WITHOUT),                 \
        .relation = GOAL_TIMES, .at_least = (AT_LEAST), .bound = (BOUND)                           \
    }
#define JAIL_RATE(NAME, FIGURE) JAIL(NAME, FIGURE, ARM_CHATROOMD, ARM_JAIL_OFF, true, 0.95)
#define JAIL_COST(NAME, FIGURE) JAIL(NAME, FIGURE, ARM_CHATROOMD, ARM_JAIL_OFF, false, 1.05)

const struct goal goals[] = {
    RATE("rate-10-256", 1.5),
    RATE("rate-10-4096", 2),
    RATE("rate-100-256", 2),
    RATE("rate-100-4096", 2),
    RATE("rate-1000-256", 2),
    RATE("rate-1000-4096", 2),
    {.name = "rate-mean",
        .figure = "rate-10-256,rate-10-4096,rate-100-256,rate-100-4096,rate-1000-256,"
                  "rate-1000-4096",
        .others = ARMS_PEERS,
        .relation = GOAL_MEAN,
        .at_least = true,
        .bound = 8},
    AT_MOST_TIMES("cpu-100-redis", "cpu-100", ARM_REDIS, 1.3),
    AT_MOST_TIMES("cpu-100-loop", "cpu-100", ARM_LOOP, 2),
    AT_MOST_TIMES("cpu-1000-redis", "cpu-1000", ARM_REDIS, 1.1),
    AT_MOST_TIMES("cpu-1000-loop", "cpu-1000", ARM_LOOP, 2),
    AT_MOST_ABOVE("p50-100", "p50-100", ARM_REDIS, 200),
    AT_MOST_ABOVE("p99-100", "p99-100", ARM_REDIS, 200),
    AT_MOST_ABOVE("p50-1000", "p50-1000", ARM_REDIS, 0),
    AT_MOST_ABOVE("p99-1000", "p99-1000", ARM_REDIS, 0),
    {.name = "memory-1000", .figure = "memory-1000", .bound = 200},
    {.name = "memory-10000",
        .figure = "memory-10000",
        .than = "memory-1000",
        .relation = GOAL_TIMES,
        .bound = 1.1},
    {.name = "supervisor",
        .figure = "supervisor-10000",
        .than = "supervisor-10",
        .relation = GOAL_TIMES,
        .bound = 1.5},
    {.name = "joins",
        .figure = "joins-100",
        .others = ARM_BIT(ARM_PROCESSES),
        .relation = GOAL_TIMES,
        .at_least = true,
        .bound = 0.8},
    {.name = "welcome", .figure = "welcome-p50", .bound = 1000},

    JAIL_RATE("jail-rate-10-256", "rate-10-256"),
    JAIL_RATE("jail-rate-10-4096", "rate-10-4096"),
    JAIL_RATE("jail-rate-100-256", "rate-100-256"),
    JAIL_RATE("jail-rate", "rate-100-4096"),
    JAIL_RATE("jail-rate-1000-256", "rate-1000-256"),
    JAIL_RATE("jail-rate-1000-4096", "rate-1000-4096"),
    JAIL_COST("jail-cpu-100", "cpu-100"),
    JAIL_COST("jail-cpu-1000", "cpu-1000"),
    JAIL_COST("jail-memory", "memory-1000"),
    JAIL_RATE("jail-joins", "joins-100"),

    /* Of the shape in which each worker delivers to its own client. */
    JAIL("jail-workers-256", "rate-100-256", ARM_WORKERS, ARM_WORKERS_JAIL_OFF, true, 0.95),
    JAIL("jail-workers-4096", "rate-100-4096", ARM_WORKERS, ARM_WORKERS_JAIL_OFF, true, 0.95),
    {.name = "rate-4096",
        .figure = "rate-100-4096",
        .ours = ARM_WORKERS,
        .others = ARM_BIT(ARM_REDIS),
        .relation = GOAL_TIMES,
        .at_least = true,
        .bound = 3},
    {.name = "rate-256",
        .figure = "rate-100-256",
        .ours = ARM_WORKERS,
        .others = ARM_BIT(ARM_REDIS),
        .relation = GOAL_TIMES,
        .at_least = true,
        .bound = 0.6},
    {.name = "cpu-slow",
        .figure = "cpu-100",
        .ours = ARM_WORKERS,
        .others = ARM_BIT(ARM_PROCESSES),
        .relation = GOAL_TIMES,
        .bound = 2},
    {.name = "memory", .figure = "memory-1000", .ours = ARM_WORKERS, .bound = 256},
    {.name = "storm", .figure = "storm", .at_least = true, .bound = 2000},
    {.name = "storm-workers",
        .figure = "storm",
        .ours = ARM_WORKERS,
        .at_least = true,
        .bound = 2000},
    {.name = "stalled",
        .figure = "stalled",
        .ours = ARM_STALLED,
        .others = ARM_BIT(ARM_NONE_STALLED),
        .relation = GOAL_TIMES,
        .bound = 1.1},
    {.name = "stalled-memory", .figure = "stalled-memory", .ours = ARM_STALLED, .bound = 105},
};

const unsigned goal_count = sizeof(goals) / sizeof(goals[0]);

/* The number of the figure whose name begins NAMES, and ends there or at a comma. */
static unsigned goal_figure(const char *names)
{
    char name[FIGURE_NAME_SIZE];

    snprintf(name, sizeof(name), "%.*s", (int)strcspn(names, ","), names);
    unsigned figure = figure_find(name);
    if (figure == figure_count)
        fail("a goal is of a figure %s, which there is not", name);
    return figure;
}

/* What FIGURE is compared with, by VERDICT. */
static bool goal_compare(
    const struct goal *goal, const struct result *result, unsigned figure, struct verdict *verdict)
{
    verdict->whose = goal->ours;
    if (!result_median(result, figure, goal->ours, &verdict->ours))
        return false;
    if (goal->relation == GOAL_ALONE)
        return true;
    if (goal->than != NULL)
        return result_median(result, goal_figure(goal->than), goal->ours, &verdict->others);
    return result_best(result, figure, goal->others, &verdict->others, &verdict->whose);
}

struct verdict goal_judge(const struct goal *goal, const struct result *result)
{
    struct verdict verdict = {.judged = true};
    double logarithms = 0, scale = figure_kinds[figures[goal_figure(goal->figure)].kind].scale;
    unsigned count = 0;

    for (const char *names = goal->figure; names != NULL; names = strchr(names, ',')) {
        names += *names == ',';
        if (!goal_compare(goal, result, goal_figure(names), &verdict))
            verdict.judged = false;
        logarithms += log(verdict.ours / verdict.others);
        count++;
    }
    switch (goal->relation) {
    case GOAL_ALONE:
        verdict.reached = verdict.ours / scale;
        break;
    case GOAL_TIMES:
        verdict.reached = verdict.ours / verdict.others;
        break;
    case GOAL_ABOVE:
        verdict.reached = (verdict.ours - verdict.others) / scale;
        break;
    case GOAL_MEAN:
        verdict.reached = exp(logarithms / count);
        break;
    }
    verdict.met = verdict.judged && (goal->at_least ? verdict.reached >= goal->bound
                                                    : verdict.reached <= goal->bound);
    return verdict;
}

void goal_want(const struct goal *goal, struct result *result)
{
    for (const char *names = goal->figure; names != NULL; names = strchr(names, ',')) {
        names += *names == ',';
        for (enum arm_number arm = 0; arm < ARM_COUNT; arm++)
            if ((goal->others | ARM_BIT(goal->ours)) & ARM_BIT(arm))
                result->series[goal_figure(names)][arm].wanted = true;
    }
    if (goal->than != NULL)
        result->series[goal_figure(goal->than)][goal->ours].wanted = true;
}
