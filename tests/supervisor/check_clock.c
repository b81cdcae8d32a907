/* SPDX-License-Identifier: ISC */
/*
 * The supervisor's clock: one reading a turn, and none from before a wait. Deadlines used to be
 * counted from the reading before a wait, so that after a quiet time a worker that was leaving in
 * order was killed at once, and its end logged as a crash.
 */
#include "config.h"

#include "supervisor/clock.h"

#include "base/clock.h"

#include "tests/check_main.h"

static struct supervisor supervisor;

START_TEST(a_reading_from_before_a_wait_is_not_used)
{
    uint64_t before = clock_monotonic_ns() / 1000000;

    supervisor.now_ms = 1;
    clock_forget(&supervisor);
    ck_assert_uint_ge(clock_ms(&supervisor), before);
}
END_TEST

START_TEST(a_turn_has_one_time)
{
    uint64_t first;

    clock_forget(&supervisor);
    first = clock_ms(&supervisor);
    while (clock_monotonic_ns() / 1000000 <= first)
        continue;
    ck_assert_uint_eq(clock_ms(&supervisor), first);
}
END_TEST

static Suite *clock_suite(void)
{
    Suite *suite = suite_create("supervisor: clock");
    TCase *tcase = tcase_create("clock");

    tcase_add_test(tcase, a_reading_from_before_a_wait_is_not_used);
    tcase_add_test(tcase, a_turn_has_one_time);
    suite_add_tcase(suite, tcase);
    return suite;
}

CHECK_MAIN(clock_suite)
