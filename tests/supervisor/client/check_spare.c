/* SPDX-License-Identifier: ISC */
/*
 * When spare workers are made: at once as long as less than half are there, and else once nobody
 * has come for a while, so that a newcomer's welcome is not held up by a fork.
 */
#include "config.h"

#include "supervisor/client/spare.h"
#include "supervisor/clock.h"

#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"

static struct fixture *open_with_spares(unsigned count)
{
    struct fixture *fixture = fixture_open_with_forker(0);

    fixture->options.spare_workers = count;
    return fixture;
}

/* The end of a turn. Returns in how many milliseconds another one is due for this. */
static unsigned turn(struct fixture *fixture)
{
    unsigned due;

    ck_assert(!spares_turn(&fixture->supervisor, &due));
    return due;
}

/* Lets so many milliseconds pass. */
static void pass(struct fixture *fixture, unsigned milliseconds)
{
    clock_ms(&fixture->supervisor);
    fixture->supervisor.now_ms += milliseconds;
}

START_TEST(all_are_made_at_first)
{
    struct fixture *fixture = open_with_spares(FIXTURE_CLIENTS);

    ck_assert_uint_eq(turn(fixture), 0);
    ck_assert_uint_eq(fixture->supervisor.spare_count, FIXTURE_CLIENTS);
    ck_assert_uint_eq(turn(fixture), 0);
    fixture_close(fixture);
}
END_TEST

START_TEST(who_comes_alone_waits_for_no_fork)
{
    struct fixture *fixture = open_with_spares(FIXTURE_CLIENTS - 1);
    unsigned due;

    turn(fixture);
    ck_assert_ptr_nonnull(spare_take(&fixture->supervisor));
    due = turn(fixture);
    ck_assert_uint_gt(due, 0);
    ck_assert_uint_eq(fixture->supervisor.spare_count, FIXTURE_CLIENTS - 2);
    pass(fixture, due - 1);
    ck_assert_uint_eq(turn(fixture), 1);
    pass(fixture, 1);
    ck_assert_uint_eq(turn(fixture), 0);
    ck_assert_uint_eq(fixture->supervisor.spare_count, FIXTURE_CLIENTS - 1);
    fixture_close(fixture);
}
END_TEST

/* Of three, two must be there. */
START_TEST(less_than_half_are_made_up_for_at_once)
{
    struct fixture *fixture = open_with_spares(FIXTURE_CLIENTS - 1);

    turn(fixture);
    spare_take(&fixture->supervisor);
    ck_assert_uint_gt(turn(fixture), 0);
    spare_take(&fixture->supervisor);
    ck_assert_uint_eq(turn(fixture), 0);
    ck_assert_uint_eq(fixture->supervisor.spare_count, 2); /* there are no more slots */
    fixture_close(fixture);
}
END_TEST

/* One is less than half of one when it has gone. */
START_TEST(a_single_one_is_replaced_at_once)
{
    struct fixture *fixture = open_with_spares(1);

    turn(fixture);
    spare_take(&fixture->supervisor);
    ck_assert_uint_eq(turn(fixture), 0);
    ck_assert_uint_eq(fixture->supervisor.spare_count, 1);
    fixture_close(fixture);
}
END_TEST

static Suite *spare_suite(void)
{
    Suite *suite = suite_create("supervisor: spare workers");
    TCase *spares = tcase_create("spares");

    tcase_add_test(spares, all_are_made_at_first);
    tcase_add_test(spares, who_comes_alone_waits_for_no_fork);
    tcase_add_test(spares, less_than_half_are_made_up_for_at_once);
    tcase_add_test(spares, a_single_one_is_replaced_at_once);
    suite_add_tcase(suite, spares);
    return suite;
}

CHECK_MAIN(spare_suite)
