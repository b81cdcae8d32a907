/* SPDX-License-Identifier: ISC */
/*
 * check_value.c - tests of base/value: values are parsed in their unit, printed values can be
 * parsed again, and values that overflow or are malformed are refused.
 */
#include "config.h"

#include "base/value.h"

#include "base/jail_mode.h"
#include "base/log.h"
#include "tests/check_main.h"

#include <stdio.h>
#include <string.h>

static const struct {
    enum value_kind kind;
    const char *text;
    uint64_t number;
} good[] = {
    {VALUE_COUNT, "0", 0},
    {VALUE_COUNT, "1000", 1000},
    {VALUE_COUNT, "18446744073709551615", UINT64_MAX},
    {VALUE_SIZE, "65536", 65536},
    {VALUE_SIZE, "64 B", 64},
    {VALUE_SIZE, "16KiB", 16384},
    {VALUE_SIZE, "16 MiB", 16777216},
    {VALUE_SIZE, "2  GiB", UINT64_C(2147483648)},
    {VALUE_SIZE, "0K", 0},
    {VALUE_SIZE, "1K", 1024},
    {VALUE_SIZE, "1M", 1048576},
    {VALUE_SIZE, "16 M", 16777216},
    {VALUE_SIZE, "1G", 1073741824},
    {VALUE_SIZE, "18014398509481983K", UINT64_MAX - 1023},
    {VALUE_SIZE, "17179869183G", UINT64_MAX - 1073741823},
    {VALUE_DURATION, "0", 0},
    {VALUE_DURATION, "1", 1000},
    {VALUE_DURATION, "5", 5000},
    {VALUE_DURATION, "18446744073709551", UINT64_C(18446744073709551000)},
    {VALUE_DURATION, "5 s", 5000},
    {VALUE_DURATION, "250ms", 250},
    {VALUE_DURATION, "2 min", 120000},
    {VALUE_DURATION, "1 h", 3600000},
    {VALUE_LOG_LEVEL, "error", LOG_LEVEL_ERROR},
    {VALUE_LOG_LEVEL, "debug", LOG_LEVEL_DEBUG},
    {VALUE_SWITCH, "on", 1},
    {VALUE_SWITCH, "off", 0},
    {VALUE_JAIL, "required", JAIL_REQUIRED},
    {VALUE_JAIL, "best-effort", JAIL_BEST_EFFORT},
    {VALUE_JAIL, "off", JAIL_OFF},
};

START_TEST(good_values_are_read)
{
    uint64_t number = 4711;
    ck_assert_msg(value_parse(good[_i].kind, good[_i].text, &number), "%s", good[_i].text);
    ck_assert_uint_eq(number, good[_i].number);
}
END_TEST

START_TEST(printed_values_are_read_back)
{
    char buffer[VALUE_TEXT_SIZE];
    uint64_t number = 4711;
    const char *text = value_print(good[_i].kind, good[_i].number, buffer);
    ck_assert_msg(value_parse(good[_i].kind, text, &number), "%s", text);
    ck_assert_uint_eq(number, good[_i].number);
}
END_TEST

static const struct {
    enum value_kind kind;
    const char *text;
} bad[] = {
    {VALUE_COUNT, ""},
    {VALUE_COUNT, "-1"},
    {VALUE_COUNT, "+1"},
    {VALUE_COUNT, " 1"},
    {VALUE_COUNT, "1.5"},
    {VALUE_COUNT, "0x10"},
    {VALUE_COUNT, "5 s"},
    {VALUE_COUNT, "many"},
    {VALUE_COUNT, "18446744073709551616"},
    {VALUE_COUNT, "99999999999999999999999"},
    {VALUE_SIZE, "16k"},
    {VALUE_SIZE, "16m"},
    {VALUE_SIZE, "16T"},
    {VALUE_SIZE, "16KB"},
    {VALUE_SIZE, "16 MB"},
    {VALUE_SIZE, "16Mi"},
    {VALUE_SIZE, "1.5M"},
    {VALUE_SIZE, "M"},
    {VALUE_SIZE, "18014398509481984K"},
    {VALUE_SIZE, "17179869184G"},
    {VALUE_SIZE, "16 mib"},
    {VALUE_SIZE, "16 MiB "},
    {VALUE_SIZE, "MiB"},
    {VALUE_SIZE, "17179869184 GiB"},
    {VALUE_DURATION, "5 KiB"},
    {VALUE_DURATION, "5M"},
    {VALUE_DURATION, "0.5"},
    {VALUE_DURATION, "18446744073709552"},
    {VALUE_DURATION, "5 seconds"},
    {VALUE_SWITCH, "yes"},
    {VALUE_SWITCH, "1"},
    {VALUE_LOG_LEVEL, "INFO"},
    {VALUE_LOG_LEVEL, "6"},
    {VALUE_LOG_LEVEL, ""},
};

START_TEST(bad_values_are_refused)
{
    uint64_t number;
    ck_assert_msg(!value_parse(bad[_i].kind, bad[_i].text, &number), "%s", bad[_i].text);
}
END_TEST

START_TEST(values_are_printed_in_their_largest_whole_unit)
{
    char buffer[VALUE_TEXT_SIZE];
    ck_assert_str_eq(value_print(VALUE_SIZE, 16777216, buffer), "16 MiB");
    ck_assert_str_eq(value_print(VALUE_SIZE, 1024, buffer), "1 KiB");
    ck_assert_str_eq(value_print(VALUE_SIZE, 1025, buffer), "1025 B");
    ck_assert_str_eq(value_print(VALUE_SIZE, 1073741824, buffer), "1 GiB");
    ck_assert_str_eq(value_print(VALUE_DURATION, 0, buffer), "0 s");
    ck_assert_str_eq(value_print(VALUE_DURATION, 1500, buffer), "1500 ms");
    ck_assert_str_eq(value_print(VALUE_DURATION, 90000, buffer), "90 s");
    ck_assert_str_eq(value_print(VALUE_COUNT, 1000, buffer), "1000");
    ck_assert_str_eq(value_print(VALUE_LOG_LEVEL, LOG_LEVEL_INFO, buffer), "info");
}
END_TEST

static Suite *value_suite(void)
{
    Suite *suite = suite_create("base/value");
    TCase *values = tcase_create("value");
    tcase_add_loop_test(values, good_values_are_read, 0, sizeof good / sizeof *good);
    tcase_add_loop_test(values, printed_values_are_read_back, 0, sizeof good / sizeof *good);
    tcase_add_loop_test(values, bad_values_are_refused, 0, sizeof bad / sizeof *bad);
    tcase_add_test(values, values_are_printed_in_their_largest_whole_unit);
    suite_add_tcase(suite, values);
    return suite;
}

CHECK_MAIN(value_suite)
