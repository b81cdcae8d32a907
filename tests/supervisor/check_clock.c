/* SPDX-License-Identifier: ISC */
/*
 * The supervisor's clock: one reading a turn, and none from before a wait. Deadlines used to be
 * counted from the reading before a wait, so that after a quiet time a worker that was leaving in
 * order was killed at once, and its end logged as a crash.
 */
#include "config.h"

#include "supervisor/clock.h"

#include "tests/check_main.h"

#include <time.h>

static struct supervisor supervisor;

static uint64_t real_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

START_TEST(a_reading_from_before_a_wait_is_not_used)
{
    uint64_t before = real_ms();

    supervisor.now_ms = 1;
    supervisor.now_ns = 1;
    clock_forget(&supervisor);
    ck_assert_uint_ge(clock_ms(&supervisor), before);
    clock_forget(&supervisor);
    ck_assert_uint_ge(clock_ns(&supervisor) / 1000000000, 1700000000);
}
END_TEST

START_TEST(a_turn_has_one_time)
{
    uint64_t first;

    clock_forget(&supervisor);
    first = clock_ns(&supervisor);
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(clock_ns(&supervisor), first);
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
