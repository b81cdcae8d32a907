/* SPDX-License-Identifier: ISC */
/*
 * Runs of refusals: one line for each reason at the beginning, one at the end, and never close
 * together, in whatever order newcomers are refused and let in.
 */
#include "config.h"

#include "supervisor/accept/refusals.h"

#include "tests/check_main.h"

#define QUIET REFUSALS_QUIET_MS

START_TEST(each_reason_is_told_once_in_a_run)
{
    struct refusals run = {.running = false};

    ck_assert(refusals_note(&run, REFUSAL_FULL, 1));
    ck_assert(!refusals_note(&run, REFUSAL_FULL, 2));
    ck_assert(refusals_note(&run, REFUSAL_BUSY, 3));
    ck_assert(refusals_note(&run, REFUSAL_ACCEPT, 4));
    for (uint64_t now = 5; now < 1000; now++)
        for (enum refusal why = REFUSAL_FULL; why < REFUSAL_COUNT; why++)
            ck_assert(!refusals_note(&run, why, now));
}
END_TEST

START_TEST(it_is_not_over_before_somebody_gets_in)
{
    struct refusals run = {.running = false};
    uint64_t count;

    ck_assert(!refusals_over(&run, 0, &count));
    refusals_let_in(&run);
    ck_assert(!refusals_pass(&run)); /* there is no run */
    refusals_note(&run, REFUSAL_FULL, 10);
    ck_assert(!refusals_pass(&run));
    ck_assert(!refusals_over(&run, 10 + 1000 * QUIET, &count));
    refusals_let_in(&run);
    ck_assert(refusals_pass(&run));
    ck_assert(refusals_over(&run, 10 + 1000 * QUIET, &count));
    ck_assert_uint_eq(count, 1);
    ck_assert(!refusals_pass(&run));
}
END_TEST

START_TEST(it_is_not_over_before_it_is_quiet)
{
    struct refusals run = {.running = false};
    uint64_t count = 0;

    refusals_note(&run, REFUSAL_FULL, 10);
    refusals_note(&run, REFUSAL_ACCEPT, 20); /* nobody was sent away */
    refusals_let_in(&run);
    ck_assert(!refusals_over(&run, 20 + QUIET - 1, &count));
    ck_assert(refusals_over(&run, 20 + QUIET, &count));
    ck_assert_uint_eq(count, 1);
    ck_assert(!refusals_over(&run, 20 + 2 * QUIET, &count)); /* told once */
    ck_assert(refusals_note(&run, REFUSAL_FULL, 30 + QUIET));
}
END_TEST

/* A place now and then, for an hour. */
START_TEST(a_refusal_goes_on_with_the_run)
{
    struct refusals run = {.running = false};
    uint64_t count = 0, now;
    unsigned begun = 0;

    for (now = 0; now < 3600000; now += QUIET / 2) {
        begun += refusals_note(&run, REFUSAL_FULL, now);
        refusals_let_in(&run);
        ck_assert(!refusals_over(&run, now + QUIET / 2 - 1, &count));
    }
    ck_assert_uint_eq(begun, 1);
    ck_assert(refusals_over(&run, now + QUIET / 2, &count));
    ck_assert_uint_eq(count, 3600000 / (QUIET / 2));
}
END_TEST

/* The worst that anybody can do. */
START_TEST(runs_are_never_close)
{
    struct refusals run = {.running = false};
    unsigned begun = 0, ended = 0;
    uint64_t count;

    for (uint64_t now = 0; now < 100 * QUIET; now++) {
        if (now % (QUIET + 1) == 0)
            begun += refusals_note(&run, REFUSAL_FULL, now);
        refusals_let_in(&run);
        ended += refusals_over(&run, now, &count);
    }
    ck_assert_uint_eq(begun, 100);
    ck_assert_uint_eq(ended, 99);
}
END_TEST

static Suite *refusals_suite(void)
{
    Suite *suite = suite_create("refusals");
    TCase *runs = tcase_create("runs");

    tcase_add_test(runs, each_reason_is_told_once_in_a_run);
    tcase_add_test(runs, it_is_not_over_before_somebody_gets_in);
    tcase_add_test(runs, it_is_not_over_before_it_is_quiet);
    tcase_add_test(runs, a_refusal_goes_on_with_the_run);
    tcase_add_test(runs, runs_are_never_close);
    suite_add_tcase(suite, runs);
    return suite;
}

CHECK_MAIN(refusals_suite)
