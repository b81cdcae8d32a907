/*
 * newcomer.h - from a connection to a slot with a worker.
 */
#ifndef CHATROOMD_SUPERVISOR_NEWCOMER_H
#define CHATROOMD_SUPERVISOR_NEWCOMER_H

#include "supervisor/listener.h"
#include "supervisor/state.h"

struct event;
struct evconnlistener;

/* The listeners, and why nobody is accepted at the moment. */
struct newcomers {
    struct supervisor *supervisor;
    struct listener *listeners;
    struct evconnlistener **acceptors;
    size_t count;
    unsigned accepted_in_turn;
    bool paused;        /* the acceptors are disabled */
    bool closed;        /* for good: the server stops */
    uint64_t resume_at; /* milliseconds: when to try again after a failed accept; 0: at once */
    bool told_full, told_busy, told_accept; /* a run of refusals is logged once */
    uint64_t refused_in_run;
};

/* From here on the forker's answers about workers come here. */
void newcomers_prepare(struct newcomers *newcomers, struct supervisor *supervisor,
    struct listener *listeners, size_t count);

/* Starts to accept. */
bool newcomers_open(struct newcomers *newcomers);

/* At the end of a turn: accepts again where the reason not to is gone. Returns whether a later try
 * is due by the clock. */
bool newcomers_turn(struct newcomers *newcomers);

/* Stops to accept, and takes the addresses away. */
void newcomers_close(struct newcomers *newcomers);

#endif
