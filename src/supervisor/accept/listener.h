/* SPDX-License-Identifier: ISC */
/*
 * listener.h - opens a listening socket for an address from the configuration.
 */
#ifndef CHATROOMD_SUPERVISOR_ACCEPT_LISTENER_H
#define CHATROOMD_SUPERVISOR_ACCEPT_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct options;

/* "unix:" and the longest path that a socket can have. */
#define LISTENER_TEXT_MAX 128

struct listener {
    int fd;
    int lock_fd; /* lock file of a unix: address, held while the server owns the path; else -1 */
    char text[LISTENER_TEXT_MAX]; /* the bound address, with the actual port */
};

/* Binds `address`, one of options->listen, and listens. Returns false with a message in `error` on
 * failure. */
bool listener_open(struct listener *listener, const char *address, const struct options *options,
    char *error, size_t error_size);

/* Closes the socket and removes the path of a unix: address. */
void listener_close(struct listener *listener);

/* Describes the peer: "127.0.0.1:4567", "[::1]:4567" or "unix:pid=12,uid=1000". */
void listener_peer_text(int fd, const struct sockaddr *peer, char *text, size_t size);

#endif
