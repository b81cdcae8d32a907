/*
 * When spare workers are made: at once as long as less than half are there, and else once nobody
 * has come for a while, so that a newcomer's welcome is not held up by a fork.
 */
#include "config.h"

#include "supervisor/clock.h"
#include "supervisor/client/spare.h"

#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"

static struct stage *open_with_spares(unsigned count)
{
    struct stage *stage = stage_open_with_forker(0);

    stage->options.spare_workers = count;
    return stage;
}

/* The end of a turn. Returns in how many milliseconds another one is due for this. */
static unsigned turn(struct stage *stage)
{
    unsigned due;

    ck_assert(!spares_turn(&stage->supervisor, &due));
    return due;
}

/* Lets so many milliseconds pass. */
static void pass(struct stage *stage, unsigned milliseconds)
{
    clock_ms(&stage->supervisor);
    stage->supervisor.now_ms += milliseconds;
}

START_TEST(all_are_made_at_first)
{
    struct stage *stage = open_with_spares(STAGE_CLIENTS);

    ck_assert_uint_eq(turn(stage), 0);
    ck_assert_uint_eq(stage->supervisor.spare_count, STAGE_CLIENTS);
    ck_assert_uint_eq(turn(stage), 0);
    stage_close(stage);
}
END_TEST

START_TEST(who_comes_alone_waits_for_no_fork)
{
    struct stage *stage = open_with_spares(STAGE_CLIENTS - 1);
    unsigned due;

    turn(stage);
    ck_assert_ptr_nonnull(spare_take(&stage->supervisor));
    due = turn(stage);
    ck_assert_uint_gt(due, 0);
    ck_assert_uint_eq(stage->supervisor.spare_count, STAGE_CLIENTS - 2);
    pass(stage, due - 1);
    ck_assert_uint_eq(turn(stage), 1);
    pass(stage, 1);
    ck_assert_uint_eq(turn(stage), 0);
    ck_assert_uint_eq(stage->supervisor.spare_count, STAGE_CLIENTS - 1);
    stage_close(stage);
}
END_TEST

/* Of three, two must be there. */
START_TEST(less_than_half_are_made_up_for_at_once)
{
    struct stage *stage = open_with_spares(STAGE_CLIENTS - 1);

    turn(stage);
    spare_take(&stage->supervisor);
    ck_assert_uint_gt(turn(stage), 0);
    spare_take(&stage->supervisor);
    ck_assert_uint_eq(turn(stage), 0);
    ck_assert_uint_eq(stage->supervisor.spare_count, 2); /* there are no more slots */
    stage_close(stage);
}
END_TEST

/* One is less than half of one when it has gone. */
START_TEST(a_single_one_is_replaced_at_once)
{
    struct stage *stage = open_with_spares(1);

    turn(stage);
    spare_take(&stage->supervisor);
    ck_assert_uint_eq(turn(stage), 0);
    ck_assert_uint_eq(stage->supervisor.spare_count, 1);
    stage_close(stage);
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
