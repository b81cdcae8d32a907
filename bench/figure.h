/*
 * The figures of `make bench`: a table of what is measured, beside whom, and what the goal is.
 */
#ifndef CHATROOMD_BENCH_FIGURE_H
#define CHATROOMD_BENCH_FIGURE_H

#include "peer.h"

#include <stdbool.h>

enum { FIGURE_RUNS_MAX = 99, FIGURE_NOTE_SIZE = 96, FIGURE_OPTIONS_MAX = 3 };

enum figure_goal {
    GOAL_RATIO_AT_LEAST, /* ours through the other's */
    GOAL_RATIO_AT_MOST,
    GOAL_AT_LEAST, /* ours alone */
    GOAL_AT_MOST,
};

struct figure;

struct figure_settings {
    const char *chatroomd;      /* path of the program to measure */
    const char *const *options; /* for its -o, NULL at the end */
    const char *only;           /* the number or name of one figure, or NULL */
    const char *json;           /* where to write the results, or NULL */
    unsigned runs;
    double seconds; /* of each measurement */
};

struct sample {
    double value;
    double also;   /* of the figure behind this one, where the same runs make both */
    double others; /* processors busy with something else meanwhile; 0 where not measured */
    char note[FIGURE_NOTE_SIZE]; /* more about it, in words */
};

/* One of the two that a figure compares: a server, and how it is started and met. */
struct figure_arm {
    const struct peer *peer; /* NULL: nobody */
    const char *name;
    const char *options[FIGURE_OPTIONS_MAX + 1]; /* for its -o, over those of the settings */
    unsigned stalled;                            /* clients that never read */
};

/* How a figure is made: start ARM's server, measure, stop it. */
typedef void figure_sample(const struct figure *figure, const struct figure_arm *arm,
    const struct figure_settings *settings, struct sample *sample);

struct figure {
    const char *name, *what;
    const char *unit; /* of a value through SCALE, as it is shown with so many DECIMALS */
    double scale;
    int decimals;
    figure_sample *sample; /* NULL: the runs of the figure before make this one too */
    struct figure_arm ours, beside;
    bool worst; /* not the median of the runs counts but the least */
    enum figure_goal goal;
    double bound;
    unsigned receivers, senders, in_flight, pace;
    size_t size; /* bytes of a message's text; 0: 64 */
};

struct figure_result {
    const struct figure *figure;
    unsigned number; /* from 1 */
    bool beside;     /* there is a peer, and it is installed */
    double our_runs[FIGURE_RUNS_MAX], peer_runs[FIGURE_RUNS_MAX];
    double also_runs[FIGURE_RUNS_MAX]; /* ours, of the figure behind this one */
    double ours, peers;                /* medians, or the least */
    double ratio;
    double others;    /* as in struct sample, the most of all runs */
    bool judged, met; /* judged: all the goal needs was measured */
    char note[FIGURE_NOTE_SIZE];
};

/* Measure, print the table and write the JSON. What goes wrong ends the benchmark. */
void figures_run(const struct figure_settings *settings);

#endif
