/* SPDX-License-Identifier: ISC */
/*
 * How long a courier lets wait what nobody waits for: some times as long as giving took, neither
 * longer than half a second nor so short that a timer could not tell.
 */
#include "config.h"

#include "courier/hold_off.h"

#include "tests/check_main.h"

#define MS UINT64_C(1000000)

/* As the clock of a machine that has run for some days. */
#define START (UINT64_C(300000) * 1000 * MS)

START_TEST(nothing_rests_at_first)
{
    const struct hold_off rest = {0};

    ck_assert_uint_eq(hold_off_left(&rest, 0), 0);
    ck_assert_uint_eq(hold_off_left(&rest, START), 0);
}
END_TEST

START_TEST(it_is_longer_the_longer_giving_took)
{
    struct hold_off little = {0}, much = {0};

    hold_off_begin(&little, START, START + 4 * MS);
    hold_off_begin(&much, START, START + 20 * MS);
    ck_assert_uint_ge(hold_off_left(&little, START + 4 * MS), 4000);
    ck_assert_uint_eq(
        hold_off_left(&much, START + 20 * MS), 5 * hold_off_left(&little, START + 4 * MS));
}
END_TEST

START_TEST(it_passes)
{
    struct hold_off rest = {0};
    uint64_t whole;

    hold_off_begin(&rest, START, START + 10 * MS);
    whole = hold_off_left(&rest, START + 10 * MS);
    ck_assert_uint_eq(hold_off_left(&rest, START + 15 * MS), whole - 5000);
    ck_assert_uint_eq(hold_off_left(&rest, START + 10 * MS + whole * 1000), 0);
    ck_assert_uint_eq(hold_off_left(&rest, START + 1000 * MS), 0);
}
END_TEST

START_TEST(it_has_an_end)
{
    struct hold_off rest = {0};

    hold_off_begin(&rest, START, START + 3600 * 1000 * MS);
    ck_assert_uint_eq(hold_off_left(&rest, START + 3600 * 1000 * MS), 500000);
}
END_TEST

START_TEST(a_small_room_does_not_rest)
{
    struct hold_off rest = {0};

    hold_off_begin(&rest, START, START + MS / 10);
    ck_assert_uint_eq(hold_off_left(&rest, START + MS / 10), 0);
}
END_TEST

static Suite *rest_suite(void)
{
    Suite *suite = suite_create("worker: rest");
    TCase *rest = tcase_create("rest");

    tcase_add_test(rest, nothing_rests_at_first);
    tcase_add_test(rest, it_is_longer_the_longer_giving_took);
    tcase_add_test(rest, it_passes);
    tcase_add_test(rest, it_has_an_end);
    tcase_add_test(rest, a_small_room_does_not_rest);
    suite_add_tcase(suite, rest);
    return suite;
}

CHECK_MAIN(rest_suite)
