/* SPDX-License-Identifier: ISC */
/*
 * forker.h - the fork server, which creates all children, and the supervisor's end of it.
 */
#ifndef CHATROOMD_PROCESS_FORKER_H
#define CHATROOMD_PROCESS_FORKER_H

#include "process/kinds.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* Requests that may be unanswered at the same time. */
#define FORKER_PENDING_MAX 64u

/* How long a forker may take to answer, in milliseconds in which the supervisor runs. */
#define FORKER_TIMEOUT_MS 10000u

/* A forker's first message, with the region's two descriptors: what is the same for all children,
 * and what the forker itself becomes. */
struct forker_setup {
    struct region_places places;
    uint32_t first_places[KINDS_MAX]; /* by kind, of kinds_lay_out() */
    size_t max_message;
    unsigned max_clients;
    unsigned couriers;
    unsigned drain_timeout_ms;
    enum jail_mode jail;
    struct rlimit files; /* RLIMIT_NOFILE of the forker: children of some kinds need many */
    bool changes_user;   /* it becomes `uid` and `gid` */
    uid_t uid;
    gid_t gid;
    uid_t worker_uid_base; /* of the child in the first place; 0: children have the forker's uid */
};

/* In place of a kind: the forker takes over, and creates the next standby forker, which receives
 * the descriptor of the request as its control socket. */
#define FORKER_STANDBY KINDS_MAX

struct forker_request {
    unsigned kind; /* or FORKER_STANDBY */
    uint32_t slot; /* number of the child among those of its kind */
    uint32_t generation;
    enum selftest_attempt act; /* of a selftest */
};

struct forker_answer {
    unsigned kind;
    uint32_t slot;
    uint32_t generation;
    pid_t pid;   /* of the child, or 0 */
    int failure; /* errno if there is no child; ECHILD: the forker has died */
};

struct forker {
    pid_t pid;   /* 0: there is none */
    int control; /* non-blocking */

    /* Requests that are not answered yet, a circle, the oldest at `oldest`. Answers come in the
     * same order. */
    unsigned oldest, pending;
    struct forker_request asked[FORKER_PENDING_MAX];
};

/* Forks a forker, which waits for its setup; a standby has another title. To be called first in main(): each child is a copy of
 * the forker, and so it has no configuration, no filter and no descriptor of the supervisor's. It
 * exits when the other end of its control socket is closed. Returns false with errno set. */
bool forker_start(struct forker *forker, const struct process_kinds *kinds, bool is_standby);

/* Sends the setup and waits until the forker is set up. Returns false with errno set. */
bool forker_set_up(
    struct forker *forker, const struct forker_setup *setup, int read_only_fd, int read_write_fd);

/* Requests a child, which receives the first of these descriptors as its relay, and the other one,
 * unless it is -1, as its handover socket; the caller keeps its copies. Returns false, with errno
 * set, if the forker cannot be asked now (EAGAIN: FORKER_PENDING_MAX are pending). */
bool forker_ask(
    struct forker *forker, const struct forker_request *request, int relay_fd, int handover_fd);

/* Receives one answer. Returns 1; 0 if there is none now; -1 if the forker is dead. */
int forker_take(struct forker *forker, struct forker_answer *answer);

/* Kills the forker, waits for it and closes its control socket; harmless if there is none. */
void forker_stop(struct forker *forker);

/* Whether it has exited but has not been waited for. */
bool forker_is_dead(const struct forker *forker);

/* After forker_stop(): makes up the answer to the oldest pending request, which has failed. Returns
 * false if none is pending. */
bool forker_take_unanswered(struct forker *forker, struct forker_answer *answer);

#endif
