/* SPDX-License-Identifier: ISC */
/*
 * The goals: what a figure of ours must be, by itself, of another arm's, or of one of its own.
 */
#ifndef CHATROOMD_BENCH_GOAL_H
#define CHATROOMD_BENCH_GOAL_H

#include "result.h"

enum goal_relation {
    GOAL_ALONE, /* the figure, in its unit */
    GOAL_TIMES, /* the figure through that of the best of the others, or through another figure */
    GOAL_ABOVE, /* the figure less that of the best of the others, in its unit */
    GOAL_MEAN,  /* the geometric mean of GOAL_TIMES over the figures FIGURE names, by commas */
};

struct goal {
    const char *name;
    const char *figure;
    enum arm_number ours;
    unsigned others;  /* the best of this set counts */
    const char *than; /* or another figure of ours; NULL: none */
    enum goal_relation relation;
    bool at_least; /* or at most */
    double bound;
};

/* A goal beside what was measured. */
struct verdict {
    bool judged; /* all the goal needs was measured */
    bool met;
    double ours, others; /* medians, in base units; 0 where there is none */
    double reached;      /* what is compared with the bound */
    enum arm_number whose;
};

extern const struct goal goals[];
extern const unsigned goal_count;

struct verdict goal_judge(const struct goal *goal, const struct result *result);

/* Mark the figures and arms that GOAL needs as wanted. */
void goal_want(const struct goal *goal, struct result *result);

#endif
