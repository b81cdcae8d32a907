/* SPDX-License-Identifier: ISC */
/*
 * check_alloc.c - tests of base/alloc: memory is zeroed, copied or printed, and the process
 * exits with status 1 if it cannot be allocated.
 */
#include "config.h"

#include "base/alloc.h"

#include "tests/check_main.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

START_TEST(zeroed_memory_is_zero)
{
    unsigned char *bytes = alloc_zeroed(1000, 3);
    for (size_t i = 0; i < 3000; i++)
        ck_assert_uint_eq(bytes[i], 0);
    free(bytes);
}
END_TEST

START_TEST(resizing_keeps_what_was_there)
{
    char *text = alloc_resize(NULL, 4, 1);
    memcpy(text, "abc", 4);
    text = alloc_resize(text, 5000, 2);
    ck_assert_str_eq(text, "abc");
    free(text);
}
END_TEST

START_TEST(strings_are_copies)
{
    char original[] = "guest1";
    char *copy = alloc_string(original);
    original[0] = 'G';
    ck_assert_str_eq(copy, "guest1");
    free(copy);
    copy = alloc_print("%s has %d", original, 7);
    ck_assert_str_eq(copy, "Guest1 has 7");
    free(copy);
}
END_TEST

/* Volatile, so that the compiler does not detect the overflow and warn. */
static volatile size_t too_many = SIZE_MAX / 2;

START_TEST(a_product_that_overflows_ends_the_process)
{
    alloc_resize(NULL, too_many, 4);
}
END_TEST

static Suite *alloc_suite(void)
{
    Suite *suite = suite_create("base/alloc");
    TCase *plain = tcase_create("alloc");
    tcase_add_test(plain, zeroed_memory_is_zero);
    tcase_add_test(plain, resizing_keeps_what_was_there);
    tcase_add_test(plain, strings_are_copies);
    tcase_add_exit_test(plain, a_product_that_overflows_ends_the_process, 1);
    suite_add_tcase(suite, plain);
    return suite;
}

CHECK_MAIN(alloc_suite)
