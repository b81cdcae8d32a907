/*
 * heritage.h - all that crosses the fork from the supervisor's side to a worker, and all that a
 * worker's exit says in return.
 *
 * Whatever is not here a worker does not have: no other client's name or address, no descriptor but
 * these, no mapping of the region but the one it makes itself.
 */
#ifndef CHATROOMD_RELAY_HERITAGE_H
#define CHATROOMD_RELAY_HERITAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Longest printed peer address, with its NUL: an IPv6 address with a scope, brackets and a port. */
#define HERITAGE_ADDRESS_MAX 80

struct heritage {
    uint32_t slot;
    uint32_t generation;
    int client_fd; /* the client's socket, non-blocking */
    int relay_fd;  /* the worker's end of its relay, non-blocking */
    int region_read_only_fd;
    int region_read_write_fd;
    pid_t supervisor;
    size_t max_message; /* bytes */
    unsigned drain_timeout_ms;
    char address[HERITAGE_ADDRESS_MAX]; /* the client's, for the process title */
};

/* A kind of worker: a row of the table in chatroomd.c. */
struct worker_kind {
    const char *name;
    int (*run)(struct heritage *heritage); /* in the new process; returns its exit status */
};

enum worker_kind_number { WORKER_KIND_CLIENT, WORKER_KIND_COUNT };

/* Exit statuses of a worker. Any other, or a signal, is a crash. */
enum worker_exit {
    WORKER_EXIT_DONE = 0,
    WORKER_EXIT_CONNECTION_LOST = 10, /* the client's socket failed */
    WORKER_EXIT_DRAIN_TIMEOUT = 11,   /* the client did not take what it was owed in time */
    WORKER_EXIT_EVICTED = 12,
    WORKER_EXIT_NO_SUPERVISOR = 13, /* the relay was closed from the other side */
    WORKER_EXIT_SETUP = 14          /* it could not make its mappings or its event loop */
};

#endif
