/* SPDX-License-Identifier: ISC */
/* bare_socket.c - what both bare servers do with sockets; see bare.h. */
#include "config.h"

#include "bare.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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
