/* SPDX-License-Identifier: ISC */
/*
 * How long a courier defers records that are not urgent: some times the duration of a pass, at most
 * half a second, and not at all if a timer could not measure it.
 */
#include "config.h"

#include "courier/hold_off.h"

#include "tests/check_main.h"

#define MS UINT64_C(1000000)

/* As the clock of a machine that has run for some days. */
#define START (UINT64_C(300000) * 1000 * MS)

START_TEST(nothing_is_deferred_at_first)
{
    const struct hold_off hold_off = {0};

    ck_assert_uint_eq(hold_off_left(&hold_off, 0), 0);
    ck_assert_uint_eq(hold_off_left(&hold_off, START), 0);
}
END_TEST

START_TEST(it_is_longer_after_a_longer_pass)
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
    struct hold_off hold_off = {0};
    uint64_t whole;

    hold_off_begin(&hold_off, START, START + 10 * MS);
    whole = hold_off_left(&hold_off, START + 10 * MS);
    ck_assert_uint_eq(hold_off_left(&hold_off, START + 15 * MS), whole - 5000);
    ck_assert_uint_eq(hold_off_left(&hold_off, START + 10 * MS + whole * 1000), 0);
    ck_assert_uint_eq(hold_off_left(&hold_off, START + 1000 * MS), 0);
}
END_TEST

START_TEST(it_has_an_end)
{
    struct hold_off hold_off = {0};

    hold_off_begin(&hold_off, START, START + 3600 * 1000 * MS);
    ck_assert_uint_eq(hold_off_left(&hold_off, START + 3600 * 1000 * MS), 500000);
}
END_TEST

START_TEST(nothing_is_deferred_in_a_small_room)
{
    struct hold_off hold_off = {0};

    hold_off_begin(&hold_off, START, START + MS / 10);
    ck_assert_uint_eq(hold_off_left(&hold_off, START + MS / 10), 0);
}
END_TEST

static Suite *hold_off_suite(void)
{
    Suite *suite = suite_create("courier: hold-off");
    TCase *cases = tcase_create("hold-off");

    tcase_add_test(cases, nothing_is_deferred_at_first);
    tcase_add_test(cases, it_is_longer_after_a_longer_pass);
    tcase_add_test(cases, it_passes);
    tcase_add_test(cases, it_has_an_end);
    tcase_add_test(cases, nothing_is_deferred_in_a_small_room);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(hold_off_suite)
