/* SPDX-License-Identifier: ISC */
/*
 * Addresses that the server listens on, as a person writes them: `127.0.0.1:8888`,
 * `[::1]:8888` and `unix:/run/chatroomd.sock`. Numbers only: a name could stand for several
 * addresses, or for another one tomorrow. Nothing is asked of the network.
 */
#ifndef CHATROOMD_BASE_ADDRESS_H
#define CHATROOMD_BASE_ADDRESS_H

#include <sys/socket.h>

/* Longest printed peer address, with its NUL: an IPv6 address with a scope, brackets and a port. */
#define ADDRESS_TEXT_MAX 80

/*
 * Read TEXT into ADDRESS and its LENGTH, ready for bind(2). Returns NULL, or in a few words what is
 * wrong with TEXT. Port 0 lets the kernel choose; a path is shorter than sun_path (unix(7)).
 */
const char *address_parse(const char *text, struct sockaddr_storage *address, socklen_t *length);

#endif
