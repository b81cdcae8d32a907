/* SPDX-License-Identifier: ISC */
/*
 * heritage.h - all that crosses the fork from the supervisor's side to a worker, and all that a
 * worker's exit says in return.
 *
 * Whatever is not here a worker does not have: no other client's name or address, no descriptor but
 * these, no mapping of the region but the one it makes itself.
 */
#ifndef CHATROOMD_PROCESS_HERITAGE_H
#define CHATROOMD_PROCESS_HERITAGE_H

#include "base/footprint.h"
#include "base/jail_mode.h"
#include "region/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a canary tries, and how the log calls it. */
#define SELFTEST_ATTEMPTS(ATTEMPT)                                                                 \
    ATTEMPT(WRITE_REGION, "write-region")                                                          \
    ATTEMPT(GROW_OUTBOX, "grow-outbox")                                                            \
    ATTEMPT(EXECUTE, "execve")                                                                     \
    ATTEMPT(OPEN_SOCKET, "socket")                                                                 \
    ATTEMPT(SIGNAL, "kill")

enum selftest_attempt {
#define ATTEMPT(symbol, word) SELFTEST_##symbol,
    SELFTEST_ATTEMPTS(ATTEMPT)
#undef ATTEMPT
        SELFTEST_ATTEMPT_COUNT
};

/* The steps into the jail, in their order, and how the log calls them. */
#define JAIL_STEPS(STEP)                                                                           \
    STEP(LIMITS, "limits")                                                                         \
    STEP(OOM, "oom-score")                                                                         \
    STEP(IDENTITY, "identity")                                                                     \
    STEP(FOLLOW, "parent-death")                                                                   \
    STEP(DUMPABLE, "not-dumpable")                                                                 \
    STEP(NO_NEW_PRIVILEGES, "no-new-privileges")                                                   \
    STEP(FILTER, "seccomp")

enum jail_step {
    JAIL_WHOLE, /* nothing was left out */
#define STEP(symbol, word) JAIL_##symbol,
    JAIL_STEPS(STEP)
#undef STEP
        JAIL_STEP_COUNT
};

enum kind_number { KIND_WORKER, KIND_COURIER, KIND_SELFTEST, KIND_COUNT };

struct heritage {
    enum kind_number kind;
    uint32_t slot; /* a courier's is its number */
    uint32_t generation;
    int relay_fd;    /* the worker's end of its relay, non-blocking */
    int handover_fd; /* by which a courier's clients' sockets come; -1: a client worker's, by relay */
    int region_read_only_fd;
    int region_read_write_fd;
    pid_t supervisor;
    size_t max_message; /* bytes */
    unsigned max_clients;
    bool delivers; /* a client worker delivers to its own client: there are no couriers */
    unsigned drain_timeout_ms;
    enum jail_mode jail;
    bool is_offered_to_oom;      /* by its spawner, see base/footprint.h */
    struct footprint footprint;  /* of its spawner, that it is a copy of; 0: not known */
    struct region_places places; /* where the parts of the region are */
    uid_t uid;                   /* its own, or (uid_t)-1: the supervisor's */
    gid_t gid;                   /* goes with a uid of its own */
    enum selftest_attempt act;   /* of a canary */
};

/* A kind of worker: a row of the table in chatroomd.c. */
struct process_kind {
    const char *name;
    int (*run)(struct heritage *heritage); /* in the new process; returns its exit status */
    /* Once, before there are any; false with errno; NULL: nothing to do. */
    bool (*prepare)(enum kind_number kind);
};

/* Exit statuses of a worker. Any other, or a signal, is a crash. */
enum child_exit {
    CHILD_EXIT_DONE = 0,
    CHILD_EXIT_CONNECTION_LOST = 10, /* the client's socket failed */
    CHILD_EXIT_DRAIN_TIMEOUT = 11,   /* the client did not take what it was owed in time */
    CHILD_EXIT_EVICTED = 12,
    CHILD_EXIT_NO_SUPERVISOR = 13,    /* the relay was closed from the other side */
    CHILD_EXIT_SETUP = 14,            /* its mappings or events were refused by the kernel */
    CHILD_EXIT_JAIL = 15,             /* it could not enter the jail, which is required */
    CHILD_EXIT_SELFTEST_REFUSED = 20, /* what the canary tried was refused */
    CHILD_EXIT_SELFTEST_ESCAPED = 21, /* it succeeded */
    CHILD_EXIT_SELFTEST_STEP = 30     /* and more: it was refused, and this jail_step left out */
};

#endif
