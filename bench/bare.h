/* SPDX-License-Identifier: ISC */
/*
 * The bare servers: the least that a chat room can be, and so the measure of what chatroomd does
 * beyond it. They speak just enough of the line protocol for the load generator: a welcome with a
 * name, and "[name] text". They trust everybody, log nothing, and wait for a client that does not
 * read, with all the others.
 */
#ifndef CHATROOMD_BENCH_BARE_H
#define CHATROOMD_BENCH_BARE_H

#include <stddef.h>

enum { BARE_NAME_SIZE = 32 };

/* Say on stderr WHAT cannot be done, and errno's reason, and exit. */
_Noreturn void bare_die(const char *what);

/* Write all of BYTES, however long it takes; a client that is gone is left to its reader. */
void bare_write(int descriptor, const char *bytes, size_t length);

/* Have the epoll set tell of input from DESCRIPTOR, by WHO. */
void bare_watch(int epoll, int descriptor, void *who);

/* The next client that waits. */
int bare_accept(int listener);

/* Welcome the client at SOCKET as guestNUMBER. */
void bare_welcome(int socket, unsigned number);

/* A process per client; never returns. See bare_processes.c. */
_Noreturn void bare_processes(int listener);

/* One process for all; never returns. See bare_loop.c. */
_Noreturn void bare_loop(int listener);

#endif
