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
#define CANARY_ACTS(ACT)                                                                           \
    ACT(WRITE_REGION, "write-region")                                                              \
    ACT(GROW_OUTBOX, "grow-outbox")                                                                \
    ACT(EXECUTE, "execve")                                                                         \
    ACT(OPEN_SOCKET, "socket")                                                                     \
    ACT(SIGNAL, "kill")

enum canary_act {
#define ACT(symbol, word) CANARY_##symbol,
    CANARY_ACTS(ACT)
#undef ACT
        CANARY_ACT_COUNT
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

enum worker_kind_number {
    WORKER_KIND_CLIENT,
    WORKER_KIND_COURIER,
    WORKER_KIND_CANARY,
    WORKER_KIND_COUNT
};

struct heritage {
    enum worker_kind_number kind;
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
    bool is_offered_to_oom;     /* by its maker, see base/footprint.h */
    struct footprint footprint; /* of its maker, that it is a copy of; 0: not known */
    struct region_places places; /* where the parts of the region are */
    uid_t uid;           /* its own, or (uid_t)-1: the supervisor's */
    gid_t gid;           /* goes with a uid of its own */
    enum canary_act act; /* of a canary */
};

/* A kind of worker: a row of the table in chatroomd.c. */
struct worker_kind {
    const char *name;
    int (*run)(struct heritage *heritage); /* in the new process; returns its exit status */
    /* Once, before there are any; false with errno; NULL: nothing to do. */
    bool (*prepare)(enum worker_kind_number kind);
};

/* Exit statuses of a worker. Any other, or a signal, is a crash. */
enum worker_exit {
    WORKER_EXIT_DONE = 0,
    WORKER_EXIT_CONNECTION_LOST = 10, /* the client's socket failed */
    WORKER_EXIT_DRAIN_TIMEOUT = 11,   /* the client did not take what it was owed in time */
    WORKER_EXIT_EVICTED = 12,
    WORKER_EXIT_NO_SUPERVISOR = 13,  /* the relay was closed from the other side */
    WORKER_EXIT_SETUP = 14,          /* its mappings or events were refused by the kernel */
    WORKER_EXIT_JAIL = 15,           /* it could not enter the jail, which is required */
    WORKER_EXIT_CANARY_REFUSED = 20, /* what the canary tried was refused */
    WORKER_EXIT_CANARY_ESCAPED = 21, /* it succeeded */
    WORKER_EXIT_CANARY_STEP = 30     /* and more: it was refused, and this jail_step left out */
};

#endif
