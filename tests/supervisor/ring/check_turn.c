/* SPDX-License-Identifier: ISC */
/*
 * The records of a turn: which of them a member has to be notified of, and when.
 */
#include "config.h"

#include "supervisor/ring/turn.h"

#include "tests/check_main.h"

#include <stddef.h>

START_TEST(an_empty_turn_has_nothing)
{
    struct turn turn = {.notified_at = 100};
    uint64_t own = 0;

    ck_assert_uint_eq(turn_since(&turn, 0), 0);
    ck_assert_uint_eq(turn_since(&turn, 1), 0);
    ck_assert(!turn_has_news(&turn, &own));
    ck_assert_uint_eq(turn_due_in(&turn, 100, 50), 0);
}
END_TEST

/* Private records lie between those of the room. */
START_TEST(it_begins_at_the_oldest_or_at_the_joining)
{
    struct turn turn = {0};

    turn_add(&turn, 10, NULL);
    turn_add(&turn, 12, NULL);
    turn_add(&turn, 15, NULL);
    ck_assert_uint_eq(turn.records, 3);
    ck_assert_uint_eq(turn.last, 15);
    ck_assert_uint_eq(turn_since(&turn, 0), 10);
    ck_assert_uint_eq(turn_since(&turn, 10), 10);
    ck_assert_uint_eq(turn_since(&turn, 11), 11);
    ck_assert_uint_eq(turn_since(&turn, 15), 15);
    ck_assert_uint_eq(turn_since(&turn, 16), 0);
}
END_TEST

START_TEST(own_messages_alone_are_no_news)
{
    struct turn turn = {0};
    uint64_t mine = 0, others = 0;

    turn_add(&turn, 1, &mine);
    turn_add(&turn, 2, &mine);
    ck_assert_uint_eq(mine, 2);
    ck_assert(!turn_has_news(&turn, &mine));
    ck_assert_uint_eq(mine, 0);
    ck_assert(turn_has_news(&turn, &others));
}
END_TEST

START_TEST(an_event_or_another_message_is_news)
{
    struct turn turn = {0};
    uint64_t mine = 0, others = 0;

    turn_add(&turn, 1, &mine);
    if (_i == 0)
        turn_add(&turn, 2, NULL);
    else
        turn_add(&turn, 2, &others);
    ck_assert(turn_has_news(&turn, &mine));
    ck_assert(turn_has_news(&turn, &others));
}
END_TEST

START_TEST(it_is_due_one_pace_after_the_last_time)
{
    struct turn turn = {.notified_at = 1000};

    turn_add(&turn, 1, NULL);
    ck_assert_uint_eq(turn_due_in(&turn, 1000, 0), 0);
    ck_assert_uint_eq(turn_due_in(&turn, 1000, 50), 50);
    ck_assert_uint_eq(turn_due_in(&turn, 1049, 50), 1);
    ck_assert_uint_eq(turn_due_in(&turn, 1050, 50), 0);
    ck_assert_uint_eq(turn_due_in(&turn, 5000, 50), 0);
}
END_TEST

START_TEST(the_end_leaves_only_its_time)
{
    struct turn turn = {0};

    turn_add(&turn, 1, NULL);
    turn_end(&turn, 77);
    ck_assert_uint_eq(turn_since(&turn, 0), 0);
    ck_assert_uint_eq(turn.records, 0);
    turn_add(&turn, 9, NULL);
    ck_assert_uint_eq(turn_since(&turn, 0), 9);
    ck_assert_uint_eq(turn.records, 1);
    ck_assert_uint_eq(turn_due_in(&turn, 78, 10), 9);
}
END_TEST

static Suite *turn_suite(void)
{
    Suite *suite = suite_create("turn");
    TCase *turn = tcase_create("turn");

    tcase_add_test(turn, an_empty_turn_has_nothing);
    tcase_add_test(turn, it_begins_at_the_oldest_or_at_the_joining);
    tcase_add_test(turn, own_messages_alone_are_no_news);
    tcase_add_loop_test(turn, an_event_or_another_message_is_news, 0, 2);
    tcase_add_test(turn, it_is_due_one_pace_after_the_last_time);
    tcase_add_test(turn, the_end_leaves_only_its_time);
    suite_add_tcase(suite, turn);
    return suite;
}

CHECK_MAIN(turn_suite)
