/* SPDX-License-Identifier: ISC */
/*
 * acceptor.h - from a connection to a slot with a worker.
 */
#ifndef CHATROOMD_SUPERVISOR_ACCEPT_ACCEPTOR_H
#define CHATROOMD_SUPERVISOR_ACCEPT_ACCEPTOR_H

#include "supervisor/accept/listener.h"
#include "supervisor/accept/refusals.h"
#include "supervisor/state.h"

struct event;
struct evconnlistener;

/* The listeners, and why nobody is accepted at the moment. */
struct acceptor {
    struct supervisor *supervisor;
    struct listener *listeners;
    struct evconnlistener **evlisteners;
    size_t count;
    unsigned accepted_in_turn;
    bool paused;        /* the evlisteners are disabled */
    bool closed;        /* for good: the server stops */
    uint64_t resume_at; /* milliseconds: when to try again after a failed accept; 0: at once */
    struct refusals refusals; /* for the log */
};

/* From here on the forker's answers about workers come here. */
void acceptor_prepare(struct acceptor *acceptor, struct supervisor *supervisor,
    struct listener *listeners, size_t count);

/* Starts to accept. */
bool acceptor_open(struct acceptor *acceptor);

/* At the end of a turn: accepts again where the reason not to is gone, and logs the end of a run of
 * refusals. Returns whether either is to be looked at later, by the clock. */
bool acceptor_turn(struct acceptor *acceptor);

/* Stops to accept, and takes the addresses away. */
void acceptor_close(struct acceptor *acceptor);

#endif
