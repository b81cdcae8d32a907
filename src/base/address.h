/* SPDX-License-Identifier: ISC */
/*
 * address.h - parses the addresses to listen on: `127.0.0.1:8888`, `[::1]:8888` and
 * `unix:/run/chatroomd.sock`.
 *
 * Host names are not accepted, because a name can stand for several addresses and can change. No
 * network request is made.
 */
#ifndef CHATROOMD_BASE_ADDRESS_H
#define CHATROOMD_BASE_ADDRESS_H

#include <sys/socket.h>

/* Size of the longest peer address as text, with its NUL: IPv6 with scope, brackets and port. */
#define ADDRESS_TEXT_MAX 80

/*
 * Parses `text` into `address` and its `length`, as needed by bind(2). Returns NULL, or a short
 * error message. Port 0 means that the kernel chooses one.
 */
const char *address_parse(const char *text, struct sockaddr_storage *address, socklen_t *length);

#endif
