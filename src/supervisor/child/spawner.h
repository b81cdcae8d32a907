/* SPDX-License-Identifier: ISC */
/*
 * spawner.h - the forker in the supervisor's loop: asking for processes, and being told of them.
 */
#ifndef CHATROOMD_SUPERVISOR_CHILD_SPAWNER_H
#define CHATROOMD_SUPERVISOR_CHILD_SPAWNER_H

#include "process/forker.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct supervisor;

/* What becomes of the processes of one kind. */
struct spawner_handler {
    /* The forker has made the one that was asked for, or could not, or has died before that. */
    void (*answered)(struct supervisor *supervisor, const struct forker_answer *answer);
};

struct spawner {
    struct supervisor *supervisor;
    struct forker forker;
    struct forker_setup setup;
    const struct spawner_handler *handlers[KIND_COUNT];
    struct event *answers; /* the forker's control socket is readable */
    uint64_t retry_at;     /* milliseconds: when to try again to have a forker; 0: there is one */

    /* How long answers have been owed and none has come, and how long that may last. */
    uint64_t silent_ms, patience_ms;
    bool is_hung; /* the forker was killed for that; until there is the next one */
};

/* Makes the forker; to be called before there is an event loop. */
bool spawner_prepare(
    struct spawner *spawner, struct supervisor *supervisor, const struct process_kind *kinds);

/* From here on answers come by the event loop. */
bool spawner_open(struct spawner *spawner);

/* Whether another process may be asked for now. */
bool spawner_is_ready(const struct spawner *spawner);

/* As forker_ask(). */
bool spawner_ask(
    struct spawner *spawner, const struct forker_request *request, int relay_fd, int handover_fd);

/* At the end of a turn: makes a forker where there is none. Returns whether a later try is due by
 * the clock. */
bool spawner_turn(struct spawner *spawner);

/* Whether there are requests without an answer: then the clock is needed. */
bool spawner_waits(const struct spawner *spawner);

/* Every tick of the clock: kills a forker that does not answer. `elapsed` in milliseconds. */
void spawner_tick(struct spawner *spawner, uint64_t elapsed);

/* Waits for no answer any more: ends the forker, and answers for it. */
void spawner_give_up(struct spawner *spawner);

/* Ends the forker and frees what is left. */
void spawner_finish(struct spawner *spawner);

#endif
