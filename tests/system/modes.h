/* SPDX-License-Identifier: ISC */
/*
 * modes.h - the two modes of delivery, and the main() of a test program that holds in both.
 *
 * The program's suite runs twice, with CHATROOMD_TEST_MODE in the environment. daemon_start() reads
 * it to choose the number of couriers: none, or several with few clients each, so that even a few
 * clients have more than one courier. If the variable is already set, the suite runs in that mode
 * only.
 */
#ifndef CHATROOMD_TESTS_SYSTEM_MODES_H
#define CHATROOMD_TESTS_SYSTEM_MODES_H

#include "tests/check_main.h"

#include <stdbool.h>
#include <string.h>

#define MODE_VARIABLE "CHATROOMD_TEST_MODE"
#define MODE_WORKERS  "workers"
#define MODE_COURIERS "couriers"

/* Returns whether workers deliver in this run. */
static inline bool mode_is_workers(void)
{
    const char *mode = getenv(MODE_VARIABLE);

    return mode != NULL && strcmp(mode, MODE_WORKERS) == 0;
}

static inline int mode_run_both(Suite *(*make_suite)(void))
{
    int failed;

    if (getenv(MODE_VARIABLE) != NULL)
        return check_run(make_suite());
    setenv(MODE_VARIABLE, MODE_WORKERS, 1);
    failed = check_run(make_suite());
    setenv(MODE_VARIABLE, MODE_COURIERS, 1);
    return check_run(make_suite()) | failed;
}

#define CHECK_MAIN_IN_BOTH_MODES(make_suite)                                                       \
    int main(void)                                                                                 \
    {                                                                                              \
        return mode_run_both(make_suite);                                                          \
    }

#endif
