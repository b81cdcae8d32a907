/* SPDX-License-Identifier: ISC */
/* Medians of what has been measured; see result.h. */
#include "config.h"

#include "result.h"

#include <stdlib.h>
#include <string.h>

void series_add(struct series *series, const struct sample *sample)
{
    if (!sample->there || series->count == RUNS_MAX)
        return;
    series->runs[series->count++] = sample->value;
    if (sample->others > series->others)
        series->others = sample->others;
    memcpy(series->note, sample->note, sizeof(series->note));
}

static int compare(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;

    return (a > b) - (a < b);
}

void result_close(struct result *result)
{
    for (unsigned figure = 0; figure < figure_count; figure++)
        for (enum arm_number arm = 0; arm < ARM_COUNT; arm++) {
            struct series *series = &result->series[figure][arm];
            double sorted[RUNS_MAX];
            unsigned chosen = figures[figure].kind == FIGURE_STORM ? 0 : (series->count - 1) / 2;

            if (series->count == 0)
                continue;
            memcpy(sorted, series->runs, series->count * sizeof(sorted[0]));
            qsort(sorted, series->count, sizeof(sorted[0]), compare);
            series->median = sorted[chosen];
        }
}

bool result_median(
    const struct result *result, unsigned figure, enum arm_number arm, double *median)
{
    const struct series *series = &result->series[figure][arm];

    *median = series->median;
    return series->count > 0;
}

bool result_best(const struct result *result, unsigned figure, unsigned set, double *best,
    enum arm_number *whose)
{
    bool more = figure_kinds[figures[figure].kind].more, found = false;
    double median;

    for (enum arm_number arm = 0; arm < ARM_COUNT; arm++)
        if ((set & ARM_BIT(arm)) && result_median(result, figure, arm, &median) &&
            (!found || (more ? median > *best : median < *best))) {
            *best = median;
            *whose = arm;
            found = true;
        }
    return found;
}
