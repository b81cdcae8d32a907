/* SPDX-License-Identifier: ISC */
/*
 * mutants.h - runs in which one promise is broken in one place: the checker must find each.
 */
#ifndef CHATROOMD_TESTS_CHECKER_MUTANTS_H
#define CHATROOMD_TESTS_CHECKER_MUTANTS_H

#include "tests/checker/random.h"
#include "tests/checker/simulation.h"

#include <stdbool.h>

struct mutant {
    const char *name;
    /* Breaks the promise in the lists of a run, which must be rendered again after that. Returns
     * false if the run has nothing to break it with. */
    bool (*mutate)(struct simulation *simulation, struct random *random);
};

extern const struct mutant mutants[];
extern const int mutant_count;

#endif
