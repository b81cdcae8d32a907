/* SPDX-License-Identifier: ISC */
/* How results are shown to people, on stdout. */
#ifndef CHATROOMD_BENCH_REPORT_H
#define CHATROOMD_BENCH_REPORT_H

#include "measure.h"
#include "result.h"

/* The figures, a column for each arm, and then the goals; those that could not be judged are told
 * where the WHOLE was to be measured. */
void report_result(const struct result *result, bool whole);

/* A single measurement. */
void report_measure(const struct crowd_plan *crowd, const struct measure_plan *plan,
    const struct measure_result *result);

#endif
