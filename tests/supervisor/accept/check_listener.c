/* SPDX-License-Identifier: ISC */
/* What an accepted client's socket has from its listener. */
#include "config.h"

#include "supervisor/accept/listener.h"

#include "tests/check_main.h"
#include "tests/system/bounded.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
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
    struct listener listener;
    char error[256] = "";
    int client, accepted;

    ck_assert_msg(listener_open(&listener, "127.0.0.1:0", error, sizeof error), "%s", error);
    client = connect_to(listener.text);
    ck_assert_int_eq(poll(&(struct pollfd){.fd = listener.fd, .events = POLLIN}, 1, BOUND_MS), 1);
    accepted = accept(listener.fd, NULL, NULL);
    ck_assert_int_ge(accepted, 0);
    ck_assert_int_ne(option_of(accepted, IPPROTO_TCP, TCP_NODELAY), 0);
    ck_assert_int_ne(option_of(accepted, SOL_SOCKET, SO_KEEPALIVE), 0);
    ck_assert_int_eq(option_of(accepted, IPPROTO_TCP, TCP_KEEPIDLE), 120);
    ck_assert_int_eq(option_of(accepted, IPPROTO_TCP, TCP_KEEPINTVL), 30);
    ck_assert_int_eq(option_of(accepted, IPPROTO_TCP, TCP_KEEPCNT), 4);
    close(accepted);
    close(client);
    listener_close(&listener);
}
END_TEST

static Suite *listener_suite(void)
{
    Suite *suite = suite_create("supervisor: listener");
    TCase *options = tcase_create("options");

    tcase_add_test(options, an_accepted_socket_has_its_options);
    suite_add_tcase(suite, options);
    return suite;
}

CHECK_MAIN(listener_suite)
