/* SPDX-License-Identifier: ISC */
/* Writing JSON; see json.h. */
#include "config.h"

#include "json.h"

#include "fail.h"
#include "goal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void json_string(FILE *file, const char *string)
{
    fputc('"', file);
    for (; *string != '\0'; string++)
        if (*string == '"' || *string == '\\')
            fprintf(file, "\\%c", *string);
        else if ((unsigned char)*string < ' ')
            fprintf(file, "\\u%04x", (unsigned)(unsigned char)*string);
        else
            fputc(*string, file);
    fputc('"', file);
}

static void json_machine(FILE *file, const struct campaign_settings *settings)
{
    time_t now = time(NULL);
    struct utsname system;
    char date[32];

    uname(&system);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    fprintf(file,
        "{\n  \"date\": \"%s\",\n  \"system\": \"%s %s %s\",\n  \"processors\": %ld,\n"
        "  \"runs\": %u,\n  \"seconds\": %g,\n",
        date, system.sysname, system.release, system.machine, sysconf(_SC_NPROCESSORS_ONLN),
        settings->runs, settings->trial.seconds);
}

static void json_series(FILE *file, const char *arm, const struct series *series)
{
    fprintf(file, "        \"%s\": {\"median\": %.9g, \"runs\": [", arm, series->median);
    for (unsigned run = 0; run < series->count; run++)
        fprintf(file, "%s%.9g", run > 0 ? ", " : "", series->runs[run]);
    fprintf(file, "], \"others\": %.3g, \"note\": ", series->others);
    json_string(file, series->note);
    fputs("}", file);
}

static void json_figure(FILE *file, const struct result *result, unsigned number)
{
    const struct figure *figure = &figures[number];
    char name[FIGURE_NAME_SIZE];
    const char *between = "\n";

    fprintf(file,
        "    {\n      \"name\": \"%s\",\n      \"what\": \"%s\",\n      \"receivers\": %u,\n"
        "      \"in_flight\": %u,\n      \"pace\": %u,\n      \"size\": %zu,\n      \"arms\": {",
        figure_name(figure, name), figure_kinds[figure->kind].heading, figure->receivers,
        figure->in_flight, figure->pace, figure->size > 0 ? figure->size : (size_t)FIGURE_SIZE);
    for (enum arm_number arm = 0; arm < ARM_COUNT; arm++)
        if (result->series[number][arm].count > 0) {
            fputs(between, file);
            json_series(file, arms[arm].name, &result->series[number][arm]);
            between = ",\n";
        }
    fputs("\n      }\n    }", file);
}

static void json_goal(FILE *file, const struct result *result, unsigned number)
{
    const struct goal *goal = &goals[number];
    struct verdict verdict = goal_judge(goal, result);

    fprintf(file,
        "    {\"name\": \"%s\", \"arm\": \"%s\", \"figure\": \"%s\", \"at_least\": %s, "
        "\"bound\": %g, ",
        goal->name, arms[goal->ours].name, goal->figure, goal->at_least ? "true" : "false",
        goal->bound);
    if (verdict.judged)
        fprintf(file, "\"reached\": %.4g, \"met\": %s}", verdict.reached,
            verdict.met ? "true" : "false");
    else
        fputs("\"reached\": null, \"met\": null}", file);
}

static void json_left_out(FILE *file, const struct result *result)
{
    const char *between = "\n";

    fputs("  \"left_out\": {", file);
    for (enum arm_number arm = 0; arm < ARM_COUNT; arm++)
        if (result->left_out[arm][0] != '\0') {
            fprintf(file, "%s    \"%s\": ", between, arms[arm].name);
            json_string(file, result->left_out[arm]);
            between = ",\n";
        }
    fputs("\n  }\n}\n", file);
}

void json_write(const struct campaign_settings *settings, const struct result *result)
{
    FILE *file = fopen(settings->json, "we");
    const char *between = "";

    if (file == NULL)
        fail("%s cannot be written: %s", settings->json, strerror(errno));
    json_machine(file, settings);
    fputs("  \"figures\": [\n", file);
    for (unsigned figure = 0; figure < figure_count; figure++) {
        bool any = false;

        for (enum arm_number arm = 0; arm < ARM_COUNT; arm++)
            any = any || result->series[figure][arm].count > 0;
        if (!any)
            continue;
        fputs(between, file);
        json_figure(file, result, figure);
        between = ",\n";
    }
    fputs("\n  ],\n  \"goals\": [\n", file);
    for (unsigned goal = 0; goal < goal_count; goal++) {
        json_goal(file, result, goal);
        fputs(goal + 1 < goal_count ? ",\n" : "\n  ],\n", file);
    }
    json_left_out(file, result);
    if (fclose(file) != 0)
        fail("%s cannot be written: %s", settings->json, strerror(errno));
}
