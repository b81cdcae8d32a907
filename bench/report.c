/* SPDX-License-Identifier: ISC */
/* Tables; see report.h. */
#include "config.h"

#include "report.h"

#include "goal.h"

#include <stdio.h>

enum { CELL_SIZE = 64 };

/* Processors busy with something else, from which on a table comes with a warning. */
#define REPORT_DISTURBED 0.1

/* The arms that have a column; the others are beside chatroomd in the goals only. */
static const enum arm_number columns[] = {ARM_CHATROOMD, ARM_WORKERS, ARM_REDIS, ARM_NATS,
    ARM_MOSQUITTO, ARM_NGIRCD, ARM_LOOP, ARM_PROCESSES, ARM_JAIL_OFF};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static bool report_any(const struct result *result, unsigned figure)
{
    double median;

    for (unsigned column = 0; column < COLUMNS; column++)
        if (result_median(result, figure, columns[column], &median))
            return true;
    return false;
}

static void report_row(const struct result *result, unsigned number)
{
    const struct figure_kind_words *kind = &figure_kinds[figures[number].kind];
    char name[FIGURE_NAME_SIZE];
    double median;

    printf("  %-18s %-4s", figure_name(&figures[number], name), kind->unit);
    for (unsigned column = 0; column < COLUMNS; column++)
        if (result_median(result, number, columns[column], &median))
            printf(" %10.*f", kind->decimals, median / kind->scale);
        else
            printf(" %10s", "-");
    puts("");
}

static void report_figures(const struct result *result)
{
    printf("\n%-25s", "medians");
    for (unsigned column = 0; column < COLUMNS; column++)
        printf(" %10s", arms[columns[column]].name);
    puts("");
    for (enum figure_kind kind = 0; kind < FIGURE_KINDS; kind++) {
        bool headed = false;

        for (unsigned figure = 0; figure < figure_count; figure++) {
            if (figures[figure].kind != kind || !report_any(result, figure))
                continue;
            if (!headed)
                puts(figure_kinds[kind].heading);
            headed = true;
            report_row(result, figure);
        }
    }
}

/* What GOAL compares with. */
static void report_beside(const struct goal *goal, const struct verdict *verdict,
    const struct figure_kind_words *kind, char *cell)
{
    if (goal->relation == GOAL_ALONE)
        snprintf(cell, CELL_SIZE, "-");
    else if (goal->relation == GOAL_MEAN)
        snprintf(cell, CELL_SIZE, "the best peers");
    else
        snprintf(cell, CELL_SIZE, "%s %.*f",
            goal->than != NULL ? goal->than : arms[verdict->whose].name, kind->decimals,
            verdict->others / kind->scale);
}

static void report_bound(const struct goal *goal, const struct figure_kind_words *kind, char *cell)
{
    const char *unit =
        goal->relation == GOAL_ALONE || goal->relation == GOAL_ABOVE ? kind->unit : "times";

    snprintf(cell, CELL_SIZE, "%s %g %s%s", goal->at_least ? "at least" : "at most", goal->bound,
        unit, goal->relation == GOAL_ABOVE ? " more" : "");
}

static void report_goal(const struct result *result, unsigned number)
{
    const struct goal *goal = &goals[number];
    const char *first = goal->relation == GOAL_MEAN ? "rate-10-256" : goal->figure;
    const struct figure_kind_words *kind = &figure_kinds[figures[figure_find(first)].kind];
    struct verdict verdict = goal_judge(goal, result);
    char ours[CELL_SIZE] = "-", beside[CELL_SIZE], bound[CELL_SIZE];

    if (!verdict.judged)
        return;
    if (goal->relation != GOAL_MEAN)
        snprintf(
            ours, sizeof(ours), "%.*f %s", kind->decimals, verdict.ours / kind->scale, kind->unit);
    report_beside(goal, &verdict, kind, beside);
    report_bound(goal, kind, bound);
    printf("%2u %-20s %-11s %12s  %-24s %9.2f  %-20s %s\n", number + 1, goal->name,
        arms[goal->ours].name, ours, beside, verdict.reached, bound,
        verdict.met ? "met" : "NOT MET");
}

static void report_goals(const struct result *result, bool whole)
{
    unsigned unjudged = 0;

    printf("\n%-23s %-11s %12s  %-24s %9s  %s\n", "   goal", "", "measured", "beside", "reached",
        "bound");
    for (unsigned goal = 0; goal < goal_count; goal++) {
        report_goal(result, goal);
        unjudged += !goal_judge(&goals[goal], result).judged;
    }
    if (whole && unjudged > 0) {
        printf("not judged, since not all they need was measured:");
        for (unsigned goal = 0; goal < goal_count; goal++)
            if (!goal_judge(&goals[goal], result).judged)
                printf(" %s", goals[goal].name);
        puts("");
    }
}

static void report_left_out(const struct result *result)
{
    for (enum arm_number arm = 0; arm < ARM_COUNT; arm++)
        if (result->left_out[arm][0] != '\0')
            printf("left out: %s: %s\n", arms[arm].name, result->left_out[arm]);
}

static void report_disturbance(const struct result *result)
{
    double most = 0;

    for (unsigned figure = 0; figure < figure_count; figure++)
        for (enum arm_number arm = 0; arm < ARM_COUNT; arm++)
            if (result->series[figure][arm].others > most)
                most = result->series[figure][arm].others;
    if (most > REPORT_DISTURBED)
        printf("The machine was busy with something else (up to %.2f processors): measure again "
               "when it is quiet.\n",
            most);
}

void report_result(const struct result *result, bool whole)
{
    report_figures(result);
    report_goals(result, whole);
    puts("");
    report_left_out(result);
    report_disturbance(result);
}

void report_measure(const struct crowd_plan *crowd, const struct measure_plan *plan,
    const struct measure_result *result)
{
    double deliveries = (double)result->deliveries;

    printf("%s at %s: %u receivers, %u senders, %u stalled, texts of %zu bytes, ",
        crowd->protocol->name, crowd->address, crowd->receivers, crowd->senders, crowd->stalled,
        plan->size);
    if (plan->pace > 0)
        printf("%u messages a second\n", plan->pace);
    else
        printf("%u in flight\n", plan->in_flight);
    printf("messages     %llu in %.3f s, %.0f a second\n", (unsigned long long)result->messages,
        result->seconds, (double)result->messages / result->seconds);
    printf("deliveries   %.0f, %.3f million a second, %.1f MB a second read\n", deliveries,
        deliveries / result->seconds / 1e6, (double)result->bytes / result->seconds / 1e6);
    if (result->server_cpu >= 0)
        printf("server       %.3f processors, %.3f us a delivery; others %.3f processors\n",
            result->server_cpu / 1e9 / result->seconds, result->server_cpu / 1e3 / deliveries,
            result->other_cpu / 1e9 / result->seconds);
    printf("generator    %.3f processors, %.3f us a delivery\n",
        result->generator_cpu / 1e9 / result->seconds, result->generator_cpu / 1e3 / deliveries);
    if (plan->pace > 0)
        printf("latency      p50 %.1f us, p99 %.1f us, p99.9 %.1f us\n", result->p50 / 1e3,
            result->p99 / 1e3, result->p999 / 1e3);
}
