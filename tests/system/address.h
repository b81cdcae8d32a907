/* SPDX-License-Identifier: ISC */
/*
 * address.h - addresses as chatroomd prints them: "127.0.0.1:41234", "[::1]:41234", "unix:PATH".
 */
#ifndef CHATROOMD_TESTS_SYSTEM_ADDRESS_H
#define CHATROOMD_TESTS_SYSTEM_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* Connects a stream socket, close-on-exec, blocking until it is connected. `receive_buffer` is
 * SO_RCVBUF in bytes, set before connecting so that the window is small from the start; 0 for the
 * kernel's. Returns the descriptor, or -1 with errno set. */
int address_connect(const char *address, int receive_buffer);

/* From now on each connection to an IPv4 loopback address has a different source address, so
 * that a penalty of one address does not apply to all. */
void address_spread(void);

/* Splits "HOST:PORT" into arguments for nc, without brackets; returns false for unix: addresses. */
bool address_split(const char *address, char *host, size_t host_size, const char **port);

/* Returns an IPv4 loopback address that no other process uses, so that a port on it can be used
 * again. */
const char *address_own_loopback(void);

/* Whether this machine has IPv6 on its loopback interface. */
bool address_has_ipv6(void);

/* Returns the local address of a TCP socket, as its peer sees it. */
void address_local(int descriptor, char *text, size_t size);

#endif
