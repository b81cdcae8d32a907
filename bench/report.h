/* How results are shown: a table for people, JSON for programs. */
#ifndef CHATROOMD_BENCH_REPORT_H
#define CHATROOMD_BENCH_REPORT_H

#include "figure.h"
#include "measure.h"

/* To stdout. */
void report_table(const struct figure_result *results, unsigned count);

/* To settings->json, in base units: deliveries a second, nanoseconds, bytes, clients. */
void report_json(
    const struct figure_settings *settings, const struct figure_result *results, unsigned count);

/* A single measurement, to stdout. */
void report_measure(const struct measure_plan *plan, const struct measure_result *result);

#endif
