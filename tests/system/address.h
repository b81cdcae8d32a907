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

/* From now on each connection to an IPv4 loopback address comes from another such address, so that
 * what the server holds against one address does not meet them all. */
void address_spread(void);

/* Splits "HOST:PORT" as nc wants it; false for unix: addresses. Brackets are taken off. */
bool address_split(const char *address, char *host, size_t host_size, const char **port);

/* An IPv4 loopback address of this process alone, so that a port on it can be used again without
 * anybody else's being in the way. */
const char *address_own_loopback(void);

/* Whether this machine has IPv6 on its loopback interface. */
bool address_has_ipv6(void);

/* The address that the other side of a client's TCP socket sees: this side's own. */
void address_local(int descriptor, char *text, size_t size);

#endif
