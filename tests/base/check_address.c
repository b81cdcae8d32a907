/* SPDX-License-Identifier: ISC */
/*
 * check_address.c - tests of base/address: each of the three forms is parsed into what bind(2)
 * takes, and anything else is refused with a message.
 */
#include "config.h"

#include "base/address.h"

#include "tests/check_main.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

START_TEST(ipv4_is_read)
{
    struct sockaddr_storage address;
    socklen_t length;
    ck_assert_ptr_null(address_parse("127.0.0.1:8888", &address, &length));
    const struct sockaddr_in *internet = (const struct sockaddr_in *)&address;
    ck_assert_uint_eq(length, sizeof *internet);
    ck_assert_int_eq(internet->sin_family, AF_INET);
    ck_assert_uint_eq(ntohs(internet->sin_port), 8888);
    ck_assert_uint_eq(ntohl(internet->sin_addr.s_addr), INADDR_LOOPBACK);
}
END_TEST

START_TEST(ipv6_is_read)
{
    struct sockaddr_storage address;
    socklen_t length;
    ck_assert_ptr_null(address_parse("[::1]:65535", &address, &length));
    const struct sockaddr_in6 *internet = (const struct sockaddr_in6 *)&address;
    ck_assert_uint_eq(length, sizeof *internet);
    ck_assert_int_eq(internet->sin6_family, AF_INET6);
    ck_assert_uint_eq(ntohs(internet->sin6_port), 65535);
    ck_assert(IN6_IS_ADDR_LOOPBACK(&internet->sin6_addr));
}
END_TEST

START_TEST(paths_fit_up_to_the_byte)
{
    struct sockaddr_storage address;
    const struct sockaddr_un *local = (const struct sockaddr_un *)&address;
    socklen_t length;
    char text[5 + sizeof local->sun_path + 1] = "unix:";
    memset(text + 5, 'p', sizeof local->sun_path - 1);
    ck_assert_ptr_null(address_parse(text, &address, &length));
    ck_assert_int_eq(local->sun_family, AF_UNIX);
    ck_assert_str_eq(local->sun_path, text + 5);

    text[strlen(text)] = 'p';
    ck_assert_ptr_nonnull(address_parse(text, &address, &length));
}
END_TEST

static const struct {
    const char *text, *words;
} bad[] = {
    {"", "port"},
    {"8888", "port"},
    {"127.0.0.1", "port"},
    {"127.0.0.1:", "port"},
    {"127.0.0.1:65536", "port"},
    {"127.0.0.1:-1", "port"},
    {"127.0.0.1:80a", "port"},
    {"127.0.0.1:000080", "port"},
    {"127.0.0.1:99999999999999999999", "port"},
    {":8888", "host names are not looked up"},
    {"localhost:8888", "host names are not looked up"},
    {"127.1:8888", "host names are not looked up"},
    {"::1:8888", "host names are not looked up"},
    {"[]:8888", "IPv6"},
    {"[127.0.0.1]:8888", "IPv6"},
    {"[::g]:8888", "IPv6"},
    {"[:8888", "host names are not looked up"},
    {"unix:", "no path"},
};

START_TEST(other_addresses_are_refused_in_words)
{
    struct sockaddr_storage address;
    socklen_t length;
    const char *words = address_parse(bad[_i].text, &address, &length);
    ck_assert_msg(words != NULL, "%s", bad[_i].text);
    ck_assert_msg(strstr(words, bad[_i].words) != NULL, "%s: %s", bad[_i].text, words);
}
END_TEST

START_TEST(a_very_long_host_is_refused)
{
    char text[1000];
    struct sockaddr_storage address;
    socklen_t length;
    memset(text, '1', sizeof text);
    strcpy(text + sizeof text - 6, ":8888");
    ck_assert_ptr_nonnull(address_parse(text, &address, &length));
}
END_TEST

/* An interface may come later than the server. */
START_TEST(a_zone_is_an_interface_or_none_yet)
{
    struct sockaddr_storage address;
    const struct sockaddr_in6 *internet = (const struct sockaddr_in6 *)&address;
    socklen_t length;

    ck_assert_ptr_null(address_parse("[fe80::1%7]:1", &address, &length));
    ck_assert_uint_eq(internet->sin6_scope_id, 7);
    ck_assert_ptr_null(address_parse("[fe80::1%nosuchinterface]:1", &address, &length));
    ck_assert_uint_eq(internet->sin6_scope_id, 0);
    ck_assert_ptr_nonnull(address_parse("[fe80::1%]:1", &address, &length));
    if (if_nametoindex("lo") == 0)
        return;
    ck_assert_ptr_null(address_parse("[fe80::1%lo]:1", &address, &length));
    ck_assert_uint_eq(internet->sin6_scope_id, if_nametoindex("lo"));
}
END_TEST

static const struct {
    const char *text, *complete;
} incomplete[] = {
    {"8888", "127.0.0.1:8888"},
    {":8888", "127.0.0.1:8888"},
    {"localhost:8888", "127.0.0.1:8888"},
    {"", ""},
    {"localhost", "localhost"},
    {"[::1]:8888", "[::1]:8888"},
    {"0.0.0.0:8888", "0.0.0.0:8888"},
    {"unix:/8888", "unix:/8888"},
};

START_TEST(a_port_alone_is_completed)
{
    char *complete = address_complete(incomplete[_i].text);

    ck_assert_str_eq(complete, incomplete[_i].complete);
    free(complete);
}
END_TEST

static const struct {
    const char *text, *printed;
} printed[] = {
    {"127.0.0.1:8888", "127.0.0.1:8888"},
    {"[::1]:8888", "[::1]:8888"},
    {"[::ffff:192.0.2.7]:8888", "192.0.2.7:8888"},
    {"[fe80::1%99999]:8888", "[fe80::1%99999]:8888"},
    {"unix:/a b", "unix:/a b"},
};

START_TEST(addresses_are_printed_as_they_are_read)
{
    struct sockaddr_storage address;
    socklen_t length;
    char text[200];

    ck_assert_ptr_null(address_parse(printed[_i].text, &address, &length));
    address_print((const struct sockaddr *)&address, text, sizeof text);
    ck_assert_str_eq(text, printed[_i].printed);
}
END_TEST

static Suite *address_suite(void)
{
    Suite *suite = suite_create("base/address");
    TCase *addresses = tcase_create("address");
    tcase_add_test(addresses, ipv4_is_read);
    tcase_add_test(addresses, ipv6_is_read);
    tcase_add_test(addresses, paths_fit_up_to_the_byte);
    tcase_add_loop_test(
        addresses, other_addresses_are_refused_in_words, 0, sizeof bad / sizeof *bad);
    tcase_add_test(addresses, a_very_long_host_is_refused);
    tcase_add_test(addresses, a_zone_is_an_interface_or_none_yet);
    tcase_add_loop_test(
        addresses, a_port_alone_is_completed, 0, sizeof incomplete / sizeof *incomplete);
    tcase_add_loop_test(
        addresses, addresses_are_printed_as_they_are_read, 0, sizeof printed / sizeof *printed);
    suite_add_tcase(suite, addresses);
    return suite;
}

CHECK_MAIN(address_suite)
