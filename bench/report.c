/* Table and JSON; see report.h. */
#include "config.h"

#include "report.h"

#include "fail.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { CELL_SIZE = 48 };

/* Processors busy with something else, from which on a table comes with a warning. */
#define REPORT_DISTURBED 0.1

static bool report_at_least(enum figure_goal goal)
{
    return goal == GOAL_RATIO_AT_LEAST || goal == GOAL_AT_LEAST;
}

static bool report_of_ratio(enum figure_goal goal)
{
    return goal == GOAL_RATIO_AT_LEAST || goal == GOAL_RATIO_AT_MOST;
}

static void report_value(char *cell, const struct figure *figure, double value)
{
    snprintf(cell, CELL_SIZE, "%.*f %s", figure->decimals, value / figure->scale, figure->unit);
}

static void report_row(const struct figure_result *result)
{
    const struct figure *figure = result->figure;
    char ours[CELL_SIZE], peers[CELL_SIZE] = "-", ratio[CELL_SIZE] = "-", goal[CELL_SIZE];

    report_value(ours, figure, result->ours);
    if (result->beside) {
        int used = snprintf(peers, sizeof(peers), "%s ", figure->beside.name);
        snprintf(peers + used, sizeof(peers) - (size_t)used, "%.*f %s", figure->decimals,
            result->peers / figure->scale, figure->unit);
        snprintf(ratio, sizeof(ratio), "%.2f", result->ratio);
    }
    snprintf(goal, sizeof(goal), "%s %g %s", report_at_least(figure->goal) ? "at least" : "at most",
        figure->bound, report_of_ratio(figure->goal) ? "times" : figure->unit);
    printf("%2u  %-56s %11s  %-22s %6s  %-18s %s\n", result->number, figure->what, ours, peers,
        ratio, goal,
        !result->judged ? "?"
        : result->met   ? "yes"
                        : "NO");
}

static void report_disturbance(const struct figure_result *results, unsigned count)
{
    double most = 0;

    for (unsigned i = 0; i < count; i++)
        if (results[i].others > most)
            most = results[i].others;
    if (most > REPORT_DISTURBED)
        printf("\nThe machine was busy with something else (up to %.2f processors): measure again "
               "when it is quiet.\n",
            most);
}

void report_table(const struct figure_result *results, unsigned count)
{
    printf("\n    %-56s %11s  %-22s %6s  %-18s %s\n", "figure (texts of 64 bytes; medians)",
        "chatroomd", "beside", "ratio", "goal", "met");
    for (unsigned i = 0; i < count; i++)
        report_row(&results[i]);
    puts("\nchatroomd's last runs:");
    for (unsigned i = 0; i < count; i++)
        printf("%2u  %s\n", results[i].number, results[i].note);
    report_disturbance(results, count);
}

static void report_json_runs(FILE *file, const char *name, const double *runs, unsigned count)
{
    fprintf(file, "      \"%s\": [", name);
    for (unsigned i = 0; i < count; i++)
        fprintf(file, "%s%.9g", i > 0 ? ", " : "", runs[i]);
    fputs("],\n", file);
}

/* Every string here is from our own tables, with nothing in it that JSON would have escaped. */
static void report_json_figure(FILE *file, const struct figure_result *result, unsigned runs)
{
    const struct figure *figure = result->figure;

    fprintf(file,
        "    {\n      \"number\": %u,\n      \"name\": \"%s\",\n      \"what\": \"%s\",\n",
        result->number, figure->name, figure->what);
    report_json_runs(file, "chatroomd_runs", result->our_runs, runs);
    fprintf(file, "      \"chatroomd\": %.9g,\n", result->ours);
    if (result->beside) {
        fprintf(file, "      \"beside\": \"%s\",\n", figure->beside.name);
        report_json_runs(file, "beside_runs", result->peer_runs, runs);
        fprintf(file, "      \"beside_median\": %.9g,\n      \"ratio\": %.4g,\n", result->peers,
            result->ratio);
    }
    fprintf(file, "      \"goal\": \"%s%s\",\n      \"bound\": %.9g,\n",
        report_of_ratio(figure->goal) ? "ratio " : "",
        report_at_least(figure->goal) ? "at least" : "at most",
        report_of_ratio(figure->goal) ? figure->bound : figure->bound * figure->scale);
    fprintf(file, "      \"others\": %.3g,\n      \"note\": \"%s\",\n      \"met\": %s\n    }",
        result->others, result->note,
        !result->judged ? "null"
        : result->met   ? "true"
                        : "false");
}

void report_json(
    const struct figure_settings *settings, const struct figure_result *results, unsigned count)
{
    FILE *file = fopen(settings->json, "we");
    time_t now = time(NULL);
    struct utsname system;
    char date[32];

    if (file == NULL)
        fail("%s cannot be written: %s", settings->json, strerror(errno));
    uname(&system);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    fprintf(file,
        "{\n  \"date\": \"%s\",\n  \"system\": \"%s %s %s\",\n  \"processors\": %ld,\n"
        "  \"runs\": %u,\n  \"seconds\": %g,\n  \"figures\": [\n",
        date, system.sysname, system.release, system.machine, sysconf(_SC_NPROCESSORS_ONLN),
        settings->runs, settings->seconds);
    for (unsigned i = 0; i < count; i++) {
        report_json_figure(file, &results[i], settings->runs);
        fputs(i + 1 < count ? ",\n" : "\n", file);
    }
    fputs("  ]\n}\n", file);
    if (fclose(file) != 0)
        fail("%s cannot be written: %s", settings->json, strerror(errno));
}

void report_measure(const struct measure_plan *plan, const struct measure_result *result)
{
    double deliveries = (double)result->deliveries;

    printf("%s at %s: %u receivers, %u senders, %u stalled, texts of %zu bytes, ",
        plan->crowd.protocol->name, plan->crowd.address, plan->crowd.receivers, plan->crowd.senders,
        plan->crowd.stalled, plan->crowd.size);
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
    if (plan->crowd.stalled > 0)
        printf("stalled      %u of %u ended by the server\n", result->stalled_ended,
            plan->crowd.stalled);
}
