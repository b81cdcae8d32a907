/* SPDX-License-Identifier: ISC */
/*
 * A campaign: all trials that the wanted figures need, so many times over. Within a run the arms of
 * a group of figures come one after the other, and then the next group, and then the next run (A B
 * C A B C), so that whatever else the machine does meets all.
 */
#ifndef CHATROOMD_BENCH_CAMPAIGN_H
#define CHATROOMD_BENCH_CAMPAIGN_H

#include "trial.h"

struct campaign_settings {
    struct trial_settings trial;
    const char *only; /* a figure, a kind of figures or a goal; NULL: all */
    unsigned arms;    /* the set of those that may be measured */
    unsigned runs;
    double minutes;      /* no trial is begun after them */
    const char *json;    /* where to write the results, or NULL */
    const char *picture; /* where to write what the picture is drawn from, or NULL */
};

/* Measure, and show it. Returns whether all trials of chatroomd could be done. */
bool campaign_run(const struct campaign_settings *settings);

#endif
