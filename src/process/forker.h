/* SPDX-License-Identifier: ISC */
/*
 * forker.h - making processes: the forker, and the workers that it makes for the supervisor.
 */
#ifndef CHATROOMD_PROCESS_FORKER_H
#define CHATROOMD_PROCESS_FORKER_H

#include "process/heritage.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Requests that may be unanswered; the descriptors in flight are at most twice as many. */
#define FORKER_PENDING_MAX 64u

/* What every worker is given besides its own: the same for all. */
struct forker_setup {
    const struct process_kind *kinds; /* KIND_COUNT of them */
    int region_read_only_fd;
    int region_read_write_fd;
    struct region_places places;
    size_t max_message;
    unsigned max_clients;
    unsigned couriers;
    unsigned drain_timeout_ms;
    enum jail_mode jail;
    uid_t worker_uid_base; /* slot 0's; couriers' come after those of all slots; 0: workers have the
                              supervisor's uid */
    gid_t worker_gid;
};

struct forker_request {
    enum kind_number kind;
    uint32_t slot; /* of a courier its number */
    uint32_t generation;
    enum selftest_attempt act; /* of a canary */
};

struct forker_answer {
    enum kind_number kind;
    uint32_t slot;
    uint32_t generation;
    pid_t pid;   /* of the worker, or 0 */
    int failure; /* errno, where there is no worker; ECHILD: the forker has died */
};

struct forker {
    pid_t pid;   /* 0: there is none */
    int control; /* non-blocking */

    /* By place (forker_place()): the process made since forker_ask() last named it, or 0. Shared
     * with the forker; the kernel writes it in the process's name before that runs, so it is there
     * also where the forker dies before it can answer. */
    _Atomic pid_t *born;

    /* What is not answered yet, a circle, oldest at `oldest`: answers come in the order of these.
     */
    unsigned oldest, pending;
    struct forker_request asked[FORKER_PENDING_MAX];
};

/* Each slot has a place, and after them each courier. */
size_t forker_place(const struct forker_setup *setup, enum kind_number kind, uint32_t number);

/* Makes the forker. Returns false, with errno set, where that is refused. */
bool forker_start(struct forker *forker, const struct forker_setup *setup);

/* Asks for a worker that gets its end of the relay, and a courier of the handover pair (others: -1);
 * the caller keeps its own copies of them. Returns false, with errno set, where the forker cannot be
 * asked now. */
bool forker_ask(struct forker *forker, const struct forker_setup *setup,
    const struct forker_request *request, int relay_fd, int handover_fd);

/* Takes one answer. Returns 1; 0 where there is none at present; -1 where the forker is dead. */
int forker_take(struct forker *forker, struct forker_answer *answer);

/* Ends the forker and waits for it. */
void forker_stop(struct forker *forker);

/* Whether it has ended, and waits to be waited for. */
bool forker_is_dead(const struct forker *forker);

/* Once it is stopped: takes what would have been its next answer. What it has made is known by
 * `born`; nothing else will be made. False where all is answered. */
bool forker_take_unanswered(
    struct forker *forker, const struct forker_setup *setup, struct forker_answer *answer);

#endif
