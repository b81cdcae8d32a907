/* SPDX-License-Identifier: ISC */
/*
 * What has been measured: a sample for each figure, arm and run, or none; and their medians.
 */
#ifndef CHATROOMD_BENCH_RESULT_H
#define CHATROOMD_BENCH_RESULT_H

#include "figure.h"

enum { RUNS_MAX = 99, SAMPLE_NOTE_SIZE = 96 };

struct sample {
    bool there;
    double value;                /* in base units: ns, bytes, deliveries a second, ... */
    double others;               /* processors busy with something else meanwhile */
    char note[SAMPLE_NOTE_SIZE]; /* more about it, in words */
};

/* Of one figure and arm. */
struct series {
    bool wanted;
    unsigned count;
    double runs[RUNS_MAX];
    double median;
    double others;               /* the most of all runs */
    char note[SAMPLE_NOTE_SIZE]; /* of the last run */
};

struct result {
    struct series series[FIGURE_COUNT_MAX][ARM_COUNT];
    char left_out[ARM_COUNT]
                 [ARM_REASON_SIZE]; /* why an arm is not measured, or not at some points */
};

/* Add SAMPLE, if it is there. */
void series_add(struct series *series, const struct sample *sample);

/* Choose the median (the lower one of two in the middle), or of kinds where each run must do, the
 * worst. */
void result_close(struct result *result);

/* The median of FIGURE for ARM; false: there is none. */
bool result_median(
    const struct result *result, unsigned figure, enum arm_number arm, double *median);

/* The best of the medians of FIGURE over the set ARMS, and WHOSE it is; false: there is none. */
bool result_best(const struct result *result, unsigned figure, unsigned set, double *best,
    enum arm_number *whose);

#endif
