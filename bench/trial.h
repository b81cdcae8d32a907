/* SPDX-License-Identifier: ISC */
/*
 * A trial: one arm's server is started, gives all the figures that it and its clients can give
 * together, and is stopped. It runs in a process of its own, so that each begins with the same
 * memory, and what goes wrong in one, or takes too long, ends that one: its reason is kept, and the
 * benchmark goes on.
 */
#ifndef CHATROOMD_BENCH_TRIAL_H
#define CHATROOMD_BENCH_TRIAL_H

#include "result.h"

enum { TRIAL_MAX_S = 115 };

/* What holds for all trials. */
struct trial_settings {
    const char *chatroomd;      /* path of the program to measure */
    const char *const *options; /* for its -o, NULL at the end */
    double seconds;             /* of each measurement; at a pace, or with many receivers, twice */
};

struct trial {
    const struct trial_settings *settings;
    enum arm_number arm;
    unsigned first, end;           /* the figures */
    unsigned receivers;            /* theirs, or as many as this machine lets us have */
    bool wanted[FIGURE_COUNT_MAX]; /* which of them */
};

/* Where the figures end that are of one trial with FIRST. */
unsigned trial_end(unsigned first);

/*
 * Run TRIAL, and fill in SAMPLES (by figure). False: it could not be measured, because of REASON
 * (ARM_REASON_SIZE).
 */
bool trial_run(const struct trial *trial, struct sample *samples, char *reason);

/* A way of making figures: fills in the samples of those wanted. */
typedef void trial_function(const struct trial *trial, struct sample *samples);

trial_function trial_room;    /* see trial_room.c */
trial_function trial_joins;   /* see trial_joins.c */
trial_function trial_welcome; /* the same */
trial_function trial_storm;   /* the same */
trial_function trial_stalled; /* see trial_stalled.c */

/* For these: start the server for CLIENTS clients, and stop it. */
void trial_start(const struct trial *trial, unsigned clients, struct server *server, char *address);
void trial_stop(const struct trial *trial, struct server *server);

#endif
