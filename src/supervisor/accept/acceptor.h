/*
 * newcomer.h - from a connection to a slot with a worker.
 */
#ifndef CHATROOMD_SUPERVISOR_ACCEPT_ACCEPTOR_H
#define CHATROOMD_SUPERVISOR_ACCEPT_ACCEPTOR_H

#include "supervisor/accept/listener.h"
#include "supervisor/accept/refusals.h"
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
    struct refusals refusals; /* for the log */
};

/* From here on the forker's answers about workers come here. */
void newcomers_prepare(struct newcomers *newcomers, struct supervisor *supervisor,
    struct listener *listeners, size_t count);

/* Starts to accept. */
bool newcomers_open(struct newcomers *newcomers);

/* At the end of a turn: accepts again where the reason not to is gone, and logs the end of a run of
 * refusals. Returns whether either is to be looked at later, by the clock. */
bool newcomers_turn(struct newcomers *newcomers);

/* Stops to accept, and takes the addresses away. */
void newcomers_close(struct newcomers *newcomers);

#endif
