/*
 * maker.h - the forker in the supervisor's loop: asking for processes, and being told of them.
 */
#ifndef CHATROOMD_SUPERVISOR_CHILD_SPAWN_H
#define CHATROOMD_SUPERVISOR_CHILD_SPAWN_H

#include "process/forker.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct supervisor;

/* What becomes of the processes of one kind. */
struct maker_handler {
    /* The forker has made the one that was asked for, or could not, or has died before that. */
    void (*answered)(struct supervisor *supervisor, const struct forker_answer *answer);
};

struct maker {
    struct supervisor *supervisor;
    struct forker forker;
    struct forker_setup setup;
    const struct maker_handler *handlers[WORKER_KIND_COUNT];
    struct event *answers; /* the forker's control socket is readable */
    uint64_t retry_at;     /* milliseconds: when to try again to have a forker; 0: there is one */

    /* How long answers have been owed and none has come, and how long that may last. */
    uint64_t silent_ms, patience_ms;
    bool is_hung; /* the forker was killed for that; until there is the next one */
};

/* Makes the forker; to be called before there is an event loop. */
bool maker_prepare(
    struct maker *maker, struct supervisor *supervisor, const struct worker_kind *kinds);

/* From here on answers come by the event loop. */
bool maker_open(struct maker *maker);

/* Whether another process may be asked for now. */
bool maker_is_ready(const struct maker *maker);

/* As forker_ask(). */
bool maker_ask(
    struct maker *maker, const struct forker_request *request, int relay_fd, int handover_fd);

/* At the end of a turn: makes a forker where there is none. Returns whether a later try is due by
 * the clock. */
bool maker_turn(struct maker *maker);

/* Whether there are requests without an answer: then the clock is needed. */
bool maker_waits(const struct maker *maker);

/* Every tick of the clock: kills a forker that does not answer. `elapsed` in milliseconds. */
void maker_tick(struct maker *maker, uint64_t elapsed);

/* Waits for no answer any more: ends the forker, and answers for it. */
void maker_give_up(struct maker *maker);

/* Ends the forker and frees what is left. */
void maker_finish(struct maker *maker);

#endif
