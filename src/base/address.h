/* SPDX-License-Identifier: ISC */
/*
 * address.h - parses and prints socket addresses: `127.0.0.1:8888`, `[::1]:8888`,
 * `[fe80::1%eth0]:8888` and `unix:/run/chatroomd.sock`.
 *
 * Host names are not accepted, because a name can stand for several addresses and can change. No
 * network request is made.
 */
#ifndef CHATROOMD_BASE_ADDRESS_H
#define CHATROOMD_BASE_ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>

/* Size of the longest peer address as text, with its NUL: IPv6 with scope, brackets and port. */
#define ADDRESS_TEXT_MAX 80

/*
 * Parses `text` into `address` and its `length`, as needed by bind(2). Returns NULL, or a short
 * error message. Port 0 means that the kernel chooses one. The scope id of an IPv6 zone is 0 while
 * there is no interface of that name.
 */
const char *address_parse(const char *text, struct sockaddr_storage *address, socklen_t *length);

/* Returns `text`, with 127.0.0.1 before a bare port (`8888`, `:8888`) and in place of `localhost`.
 * The caller frees it. */
char *address_complete(const char *text);

/* Prints `address` as `address_parse` reads it. An IPv4 address that is mapped into IPv6 is printed
 * as IPv4. */
void address_print(const struct sockaddr *address, char *text, size_t size);

#endif
