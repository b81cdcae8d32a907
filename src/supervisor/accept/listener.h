/* SPDX-License-Identifier: ISC */
/*
 * listener.h - from an address as configured to a bound, listening socket.
 */
#ifndef CHATROOMD_SUPERVISOR_ACCEPT_LISTENER_H
#define CHATROOMD_SUPERVISOR_ACCEPT_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* "unix:" and the longest path that a socket can have. */
#define LISTENER_TEXT_MAX 128

struct listener {
    int fd;
    int lock_fd;                  /* of a unix: address: held while the path is ours; else -1 */
    char text[LISTENER_TEXT_MAX]; /* the address bound, with the port that the kernel chose */
};

/* Binds and listens. On failure returns false, with a sentence in `error` that names the address.
 */
bool listener_open(struct listener *listener, const char *address, char *error, size_t error_size);

/* Closes; takes a unix: path away. */
void listener_close(struct listener *listener);

/* The peer of a connection, for people: "127.0.0.1:4567", "[::1]:4567", "unix:pid=12,uid=1000". */
void listener_peer_text(int fd, const struct sockaddr *peer, char *text, size_t size);

#endif
