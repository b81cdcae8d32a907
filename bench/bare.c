/* SPDX-License-Identifier: ISC */
/* What the bare servers share: the command line, the listener, the welcome; see bare.h. */
#include "config.h"

#include "bare.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

void bare_die(const char *what)
{
    fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void on_terminate(int number)
{
    (void)number;
    _exit(EXIT_SUCCESS);
}

void bare_write(int descriptor, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(descriptor, bytes, length);

        if (written <= 0)
            return;
        bytes += written;
        length -= (size_t)written;
    }
}

void bare_watch(int epoll, int descriptor, void *who)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = who};

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) < 0)
        bare_die("epoll_ctl");
}

int bare_accept(int listener)
{
    int socket = accept(listener, NULL, NULL), yes = 1;

    if (socket < 0)
        bare_die("accept");
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    return socket;
}

void bare_welcome(int socket, unsigned number)
{
    char welcome[64];
    int length =
        snprintf(welcome, sizeof(welcome), "* Welcome to bare; you are guest%u;\n", number);

    bare_write(socket, welcome, (size_t)length);
}

static int make_listener(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) < 0 ||
        listen(listener, SOMAXCONN) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) < 0)
        bare_die("cannot listen");
    fprintf(stderr, "event=ready listen=127.0.0.1:%d\n", ntohs(address.sin_port));
    return listener;
}

int main(int argc, char **argv)
{
    if (argc != 2 || (strcmp(argv[1], "processes") != 0 && strcmp(argv[1], "loop") != 0)) {
        fputs("usage: bare processes|loop\n", stderr);
        return 2;
    }
    signal(SIGTERM, on_terminate);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(argv[1], "processes") == 0)
        bare_processes(make_listener());
    bare_loop(make_listener());
}
