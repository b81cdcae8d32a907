/* SPDX-License-Identifier: ISC */
/*
 * heritage.h - everything that a child receives from the forker, and everything that its exit
 * status reports.
 *
 * A child has nothing that is not listed here: no other client's name or address, no other
 * descriptor, and no mapping of the region except those that it makes itself.
 */
#ifndef CHATROOMD_PROCESS_HERITAGE_H
#define CHATROOMD_PROCESS_HERITAGE_H

#include "base/jail_mode.h"
#include "region/region.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a selftest tries, and its word in the log. */
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

/* The steps into the jail, and their words in the log. */
#define JAIL_STEPS(STEP)                                                                           \
    STEP(OOM, "oom-score")                                                                         \
    STEP(IDENTITY, "identity")                                                                     \
    STEP(FOLLOW, "parent-death")                                                                   \
    STEP(DUMPABLE, "not-dumpable")                                                                 \
    STEP(NO_NEW_PRIVILEGES, "no-new-privileges")                                                   \
    STEP(LIMITS, "limits")                                                                         \
    STEP(FILTER, "seccomp")

enum jail_step {
    JAIL_WHOLE, /* no step failed */
#define STEP(symbol, word) JAIL_##symbol,
    JAIL_STEPS(STEP)
#undef STEP
        JAIL_STEP_COUNT
};

/* The numbers of a child's descriptors. Its filter knows them, and all others are free when it
 * begins, but those of the region until heritage_attach(). */
#define CHILD_RELAY_FD    3
#define CHILD_HANDOVER_FD 4 /* only if its kind passes one */

struct process_kind;
struct filter;

struct heritage {
    const struct process_kind *kind;
    uint32_t slot; /* the number of the child among those of its kind; of a worker its slot */
    uint32_t generation;
    uint32_t place;  /* among the children of all kinds: its entry in the region's slots */
    int relay_fd;    /* CHILD_RELAY_FD: its end of its relay, non-blocking */
    int handover_fd; /* CHILD_HANDOVER_FD, or -1 */
    int region_read_only_fd;
    int region_read_write_fd;
    pid_t supervisor;
    size_t max_message; /* bytes */
    unsigned max_clients;
    bool delivers; /* a worker delivers to its own client: there are no couriers */
    unsigned drain_timeout_ms;
    enum jail_mode jail;
    const struct filter *filter; /* of its kind, ready to be loaded */
    bool is_offered_to_oom;      /* by the forker, see jail_offer_to_oom() */
    struct region_places places; /* where the parts of the region are */
    uid_t uid;                   /* its own, or (uid_t)-1: the supervisor's */
    gid_t gid;                   /* goes with a uid of its own */
    enum selftest_attempt act;   /* of a selftest */
};

/* What a child has mapped of the region; what its kind does not map is all zero. */
struct heritage_maps {
    struct region_view view;
    struct outbox outbox;
    struct courier_part part;
};

/* Bytes of the region that a child maps. */
size_t heritage_mapped(const struct heritage *heritage);

/* Maps what the child's kind maps of the region, and closes the descriptors of it. Returns false
 * if a mapping is refused. */
bool heritage_attach(const struct heritage *heritage, struct heritage_maps *maps);

/* Exit statuses of a child. Any other, or a signal, is a crash. */
enum child_exit {
    CHILD_EXIT_DONE = 0,
    CHILD_EXIT_CONNECTION_LOST = 10, /* the client's socket failed */
    CHILD_EXIT_DRAIN_TIMEOUT = 11,   /* the client did not take what was pending in time */
    CHILD_EXIT_EVICTED = 12,
    CHILD_EXIT_NO_SUPERVISOR = 13,    /* the relay was closed from the other side */
    CHILD_EXIT_SETUP = 14,            /* its mappings or events were refused by the kernel */
    CHILD_EXIT_JAIL = 15,             /* it could not enter the jail, which is required */
    CHILD_EXIT_SELFTEST_REFUSED = 20, /* what the selftest tried was refused */
    CHILD_EXIT_SELFTEST_ESCAPED = 21, /* it succeeded */
    CHILD_EXIT_SELFTEST_STEP = 30 /* plus the jail_step that failed: it was refused without it */
};

#endif
