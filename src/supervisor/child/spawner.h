/* SPDX-License-Identifier: ISC */
/*
 * spawner.h - the forkers in the supervisor's loop: requesting children, and learning of them.
 */
#ifndef CHATROOMD_SUPERVISOR_CHILD_SPAWNER_H
#define CHATROOMD_SUPERVISOR_CHILD_SPAWNER_H

#include "process/forker.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct supervisor;

/* The supervisor's side of one kind. */
struct spawner_handler {
    /* The forker has created the child that was requested, or could not, or died before that. If it
     * died (failure ECHILD), the child may exist all the same: it is gone when its relay reads EOF,
     * and until then nothing that it has may be given to another child. */
    void (*answered)(struct supervisor *supervisor, const struct forker_answer *answer);

    /* Whether a child of this kind has this process ID, and will be waited for. */
    bool (*knows)(const struct supervisor *supervisor, pid_t pid);
};

struct spawner {
    struct supervisor *supervisor;
    struct forker forker;  /* the one that works; pid 0: there is none */
    struct forker standby; /* pid 0: there is none yet; its control is -1 unless it is requested */
    struct event *answers, *standby_ended;
    const struct spawner_handler *handlers[KINDS_MAX];
    uint64_t silent_ms;   /* requests are pending and none has been answered for so long */
    bool is_hung;         /* the forker was killed for that */
    bool is_lost;         /* both forkers have died: no child can be created any more */
    uint64_t retry_at;    /* milliseconds: when to request a standby again; 0: not */
    bool is_standby_late; /* a request for a standby has failed, and that is logged */
};

/* Takes over the forkers that main() has started, and sets them up; `forkers` has two of them, and
 * owns nothing afterwards. Returns false, with errno set, if one of them cannot be set up. To be
 * called before there is an event loop. */
bool spawner_prepare(struct spawner *spawner, struct supervisor *supervisor,
    const struct process_kinds *kinds, struct forker *forkers, bool changes_user);

/* From here on answers come by the event loop. */
bool spawner_open(struct spawner *spawner);

/* Whether another child may be requested now. */
bool spawner_is_ready(const struct spawner *spawner);

/* As forker_ask(); ECHILD: there is no forker. */
bool spawner_ask(
    struct spawner *spawner, const struct forker_request *request, int relay_fd, int handover_fd);

/* At the end of a turn: requests a standby if there is none. Returns whether the clock is needed. */
bool spawner_turn(struct spawner *spawner);

/* Whether requests are pending, so that there may be children whose process IDs are not known yet. */
bool spawner_has_pending(const struct spawner *spawner);

/* Whether this process is a forker or a child whose owner will wait for it. */
bool spawner_knows(const struct spawner *spawner, pid_t pid);

/* At each tick of the clock: kills a forker that does not answer. `elapsed` in milliseconds. */
void spawner_tick(struct spawner *spawner, uint64_t elapsed);

/* Kills the forkers and answers all pending requests. */
void spawner_give_up(struct spawner *spawner);

/* Kills the forkers and frees what is left. */
void spawner_finish(struct spawner *spawner);

#endif
