/* SPDX-License-Identifier: ISC */
/*
 * The main() of every test program: run one suite, each case in a process of its own, and
 * print Check's summary line ("100%: Checks: 5, Failures: 0, Errors: 0"), which .ci/run adds
 * up. A test file defines `static Suite *NAME_suite(void)` and ends with CHECK_MAIN(NAME_suite).
 */
#ifndef CHATROOMD_TESTS_CHECK_MAIN_H
#define CHATROOMD_TESTS_CHECK_MAIN_H

#include <check.h>
#include <stdlib.h>

/* Runs SUITE and frees it; returns the exit status. */
static inline int check_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ck_assert() for loops of millions: that one tells Check at each call where it is, by a write. */
#define CHECK_QUICKLY(what)                                                                        \
    do                                                                                             \
        if (!(what))                                                                               \
            ck_abort_msg("Assertion '%s' failed", #what);                                          \
    while (0)

#define CHECK_MAIN(make_suite)                                                                     \
    int main(void)                                                                                 \
    {                                                                                              \
        return check_run(make_suite());                                                            \
    }

#endif
