/* SPDX-License-Identifier: ISC */
/* bare.c - the command line and the listening socket of the bare servers; see bare.h. */
#include "config.h"

#include "bare.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_terminate(int number)
{
    (void)number;
    _exit(EXIT_SUCCESS);
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
