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
    /* Breaks the promise in the lists of a run, which is then to be rendered anew; false where
     * there is nothing in the run on which it could be broken. */
    bool (*mutate)(struct simulation *simulation, struct random *random);
};

extern const struct mutant mutants[];
extern const int mutant_count;

#endif
