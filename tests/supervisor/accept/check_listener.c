/* SPDX-License-Identifier: ISC */
/* What a listening socket and its accepted clients' are set to, and who has which address. */
#include "config.h"

#include "supervisor/accept/listener.h"

#include "base/options.h"
#include "tests/check_main.h"
#include "tests/system/address.h"
#include "tests/system/bounded.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int option_of(int fd, int level, int option)
{
    int value = -1;
    socklen_t length = sizeof value;

    ck_assert_int_eq(getsockopt(fd, level, option, &value, &length), 0);
    return value;
}

static int connect_to(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((in_port_t)atoi(strrchr(text, ':') + 1))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

START_TEST(an_accepted_socket_has_its_options)
{
    static const struct options settings[] = {
        {.peer_timeout_ms = 120000, .couriers = 1},
        {.peer_timeout_ms = 5000, .couriers = 0},
    };
    const struct options options = settings[_i];
    struct listener listener;
    char error[256] = "";
    int client, accepted;

    ck_assert_msg(
        listener_open(&listener, "127.0.0.1:0", &options, error, sizeof error), "%s", error);
    client = connect_to(listener.text);
    ck_assert_int_eq(poll(&(struct pollfd){.fd = listener.fd, .events = POLLIN}, 1, BOUND_MS), 1);
    accepted = accept(listener.fd, NULL, NULL);
    ck_assert_int_ge(accepted, 0);
    ck_assert_int_ne(option_of(accepted, IPPROTO_TCP, TCP_NODELAY), 0);
    ck_assert_int_ne(option_of(accepted, SOL_SOCKET, SO_KEEPALIVE), 0);
    ck_assert_int_eq(option_of(accepted, IPPROTO_TCP, TCP_KEEPIDLE), _i == 0 ? 60 : 1);
    ck_assert_int_eq(option_of(accepted, IPPROTO_TCP, TCP_KEEPINTVL), _i == 0 ? 15 : 1);
    ck_assert_int_eq(option_of(accepted, IPPROTO_TCP, TCP_KEEPCNT), 4);
    ck_assert_int_eq(option_of(accepted, IPPROTO_TCP, TCP_USER_TIMEOUT), _i == 0 ? 120000 : 0);
    close(accepted);
    close(client);
    listener_close(&listener);
}
END_TEST

/* Two addresses in a list, of which the second has the port that the first has been given. */
struct pair {
    char texts[2][LISTENER_TEXT_MAX];
    char *list[2];
    struct options options;
    struct listener first, second;
    char error[512];
};

/* Opens both. Returns whether the second can be opened, too. */
static bool open_pair(struct pair *pair, const char *first, const char *second_host)
{
    *pair = (struct pair){.list = {pair->texts[0], pair->texts[1]}};
    pair->options.listen = pair->list;
    pair->options.listen_count = 1;
    strcpy(pair->texts[0], first);
    ck_assert_msg(listener_open(&pair->first, pair->texts[0], &pair->options, pair->error,
                      sizeof pair->error),
        "%s", pair->error);
    strcpy(pair->texts[0], pair->first.text);
    pair->options.listen_count = 2;
    snprintf(
        pair->texts[1], sizeof pair->texts[1], "%s%s", second_host, strrchr(pair->first.text, ':'));
    return listener_open(
        &pair->second, pair->texts[1], &pair->options, pair->error, sizeof pair->error);
}

static const char *const included[][2] = {{"0.0.0.0:0", "127.0.0.1"}, {"127.0.0.1:0", "0.0.0.0"},
    {"127.0.0.1:0", "127.0.0.1"}, {"[::]:0", "[::1]"}, {"[::1]:0", "[::]"}};

/* It is not another server that has the address. */
START_TEST(an_address_that_another_one_includes)
{
    struct pair pair;

    if (included[_i][0][0] == '[' && !address_has_ipv6()) {
        puts("skipped: there is no IPv6 here");
        return;
    }
    ck_assert(!open_pair(&pair, included[_i][0], included[_i][1]));
    ck_assert_msg(strstr(pair.error, pair.texts[0]) != NULL &&
                      strstr(pair.error, "leave one of them out") != NULL,
        "%s", pair.error);
    listener_close(&pair.first);
}
END_TEST

START_TEST(ipv6_leaves_a_listed_ipv4_address_alone)
{
    struct pair pair;

    if (!address_has_ipv6()) {
        puts("skipped: there is no IPv6 here");
        return;
    }
    ck_assert_msg(open_pair(&pair, "0.0.0.0:0", "[::]"), "%s", pair.error);
    ck_assert_int_eq(option_of(pair.second.fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    listener_close(&pair.first);
    listener_close(&pair.second);
}
END_TEST

START_TEST(ipv6_has_ipv4_unless_told_otherwise)
{
    char text[] = "[::]:0", *list[] = {text};
    struct options options = {.listen = list, .listen_count = 1, .ipv6_only = (unsigned)_i};
    struct listener listener;
    char error[256] = "";

    if (!address_has_ipv6()) {
        puts("skipped: there is no IPv6 here");
        return;
    }
    ck_assert_msg(listener_open(&listener, text, &options, error, sizeof error), "%s", error);
    ck_assert_int_eq(option_of(listener.fd, IPPROTO_IPV6, IPV6_V6ONLY), _i);
    listener_close(&listener);
}
END_TEST

static Suite *listener_suite(void)
{
    Suite *suite = suite_create("supervisor: listener");
    TCase *options = tcase_create("options");

    tcase_add_loop_test(options, an_accepted_socket_has_its_options, 0, 2);
    tcase_add_loop_test(
        options, an_address_that_another_one_includes, 0, sizeof included / sizeof included[0]);
    tcase_add_test(options, ipv6_leaves_a_listed_ipv4_address_alone);
    tcase_add_loop_test(options, ipv6_has_ipv4_unless_told_otherwise, 0, 2);
    suite_add_tcase(suite, options);
    return suite;
}

CHECK_MAIN(listener_suite)
