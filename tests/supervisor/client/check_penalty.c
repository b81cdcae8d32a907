/* SPDX-License-Identifier: ISC */
/*
 * The crash penalty: when it begins, how it grows and ends, whom it is for, and that its table
 * stays within its size.
 */
#include "config.h"

#include "supervisor/client/penalty.h"

#include "tests/check_main.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>

static struct penalties *table;

static void open_table(void)
{
    table = penalties_new();
}

static void close_table(void)
{
    penalties_free(table);
}

static struct penalty_key key(const char *text)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};

    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        return penalty_key_of((const struct sockaddr *)(const void *)&four);
    ck_assert_int_eq(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
    return penalty_key_of((const struct sockaddr *)(const void *)&six);
}

static uint64_t crash(const char *address, uint64_t now)
{
    struct penalty_key whose = key(address);

    return penalty_crashed(table, &whose, now);
}

static uint64_t left(const char *address, uint64_t now)
{
    struct penalty_key whose = key(address);

    return penalty_left(table, &whose, now);
}

START_TEST(the_first_crashes_are_free)
{
    for (unsigned i = 0; i < PENALTY_FREE; i++) {
        ck_assert_uint_eq(crash("192.0.2.1", i), 0);
        ck_assert_uint_eq(left("192.0.2.1", i), 0);
    }
    ck_assert_uint_eq(crash("192.0.2.1", 10), PENALTY_FIRST_MS);
    ck_assert_uint_eq(left("192.0.2.1", 10), PENALTY_FIRST_MS);
    ck_assert_uint_eq(left("192.0.2.1", 10 + PENALTY_FIRST_MS - 1), 1);
    ck_assert_uint_eq(left("192.0.2.1", 10 + PENALTY_FIRST_MS), 0);
}
END_TEST

START_TEST(the_time_doubles_up_to_the_most)
{
    uint64_t expected = PENALTY_FIRST_MS;

    for (unsigned i = 0; i < PENALTY_FREE; i++)
        crash("192.0.2.1", 0);
    for (unsigned i = 0; i < 100; i++) {
        ck_assert_uint_eq(crash("192.0.2.1", 0), expected);
        expected = expected * 2 < PENALTY_MOST_MS ? expected * 2 : PENALTY_MOST_MS;
    }
    ck_assert_uint_eq(expected, PENALTY_MOST_MS);
}
END_TEST

START_TEST(crashes_are_forgotten_one_by_one)
{
    for (unsigned i = 0; i <= PENALTY_FREE; i++)
        crash("192.0.2.1", 1000);
    ck_assert_uint_eq(
        crash("192.0.2.1", 1000 + PENALTY_FORGET_MS), PENALTY_FIRST_MS); /* as many as before */
    ck_assert_uint_eq(crash("192.0.2.1", 1000 + 3 * PENALTY_FORGET_MS), 0);
    ck_assert_uint_eq(crash("192.0.2.1", 1000 + 1000 * PENALTY_FORGET_MS), 0);
}
END_TEST

START_TEST(others_are_not_punished)
{
    for (unsigned i = 0; i <= PENALTY_FREE; i++)
        crash("192.0.2.1", 0);
    ck_assert_uint_eq(left("192.0.2.2", 0), 0);
    ck_assert_uint_eq(left("2001:db8::1", 0), 0);
    ck_assert_uint_eq(left("::ffff:192.0.2.2", 0), 0);
    /* The same, if an IPv6 socket has accepted it. */
    ck_assert_uint_ne(left("::ffff:192.0.2.1", 0), 0);
}
END_TEST

START_TEST(a_host_has_64_bits_of_ipv6_to_choose_from)
{
    for (unsigned i = 0; i <= PENALTY_FREE; i++)
        crash("2001:db8:0:1::1", 0);
    ck_assert_uint_gt(left("2001:db8:0:1:ffff::2", 0), 0);
    ck_assert_uint_eq(left("2001:db8:0:2::1", 0), 0);
    for (unsigned i = 0; i <= PENALTY_FREE; i++)
        crash("::1", 0);
    ck_assert_uint_gt(left("::1", 0), 0);
}
END_TEST

START_TEST(local_sockets_have_none)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct penalty_key whose = penalty_key_of((const struct sockaddr *)(const void *)&local);

    for (unsigned i = 0; i < 10 * PENALTY_FREE; i++)
        ck_assert_uint_eq(penalty_crashed(table, &whose, 0), 0);
    ck_assert_uint_eq(penalty_left(table, &whose, 0), 0);
}
END_TEST

/* With more addresses than places, the latest are remembered. */
START_TEST(many_addresses_do_not_grow_the_table)
{
    char address[64];

    for (unsigned host = 0; host < 100000; host++) {
        snprintf(address, sizeof address, "10.%u.%u.%u", host >> 16, host >> 8 & 255, host & 255);
        crash(address, host);
    }
    for (unsigned i = 0; i <= PENALTY_FREE; i++)
        crash("192.0.2.1", 200000);
    ck_assert_uint_gt(left("192.0.2.1", 200000), 0);
}
END_TEST

static Suite *penalty_suite(void)
{
    Suite *suite = suite_create("supervisor/penalty");
    TCase *penalty = tcase_create("penalty");

    tcase_add_checked_fixture(penalty, open_table, close_table);
    tcase_add_test(penalty, the_first_crashes_are_free);
    tcase_add_test(penalty, the_time_doubles_up_to_the_most);
    tcase_add_test(penalty, crashes_are_forgotten_one_by_one);
    tcase_add_test(penalty, others_are_not_punished);
    tcase_add_test(penalty, a_host_has_64_bits_of_ipv6_to_choose_from);
    tcase_add_test(penalty, local_sockets_have_none);
    tcase_add_test(penalty, many_addresses_do_not_grow_the_table);
    suite_add_tcase(suite, penalty);
    return suite;
}

CHECK_MAIN(penalty_suite)
