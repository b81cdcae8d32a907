/* SPDX-License-Identifier: ISC */
/*
 * acceptor.h - from a connection to a slot with a worker.
 */
#ifndef CHATROOMD_SUPERVISOR_ACCEPT_ACCEPTOR_H
#define CHATROOMD_SUPERVISOR_ACCEPT_ACCEPTOR_H

#include "base/log.h"
#include "supervisor/accept/listener.h"
#include "supervisor/state.h"

struct event;
struct evconnlistener;

struct acceptor;

/* One listener, as the context of its libevent callbacks. */
struct served_listener {
    struct acceptor *acceptor;
    const struct listener *listener;
    struct evconnlistener *evlistener;
};

/* The listeners, and why nobody is accepted at the moment. */
struct acceptor {
    struct supervisor *supervisor;
    struct listener *listeners;
    struct served_listener *served; /* one for each listener; NULL before acceptor_open() */
    size_t count;
    unsigned accepted_in_turn;
    bool paused;        /* the listeners are disabled */
    bool closed;        /* for good: the server stops */
    uint64_t resume_at; /* milliseconds: when to try again after a failed accept; 0: at once */
    struct log_limit log_full, log_busy, log_failed;
};

/* From here on the forker's answers about workers come here. */
void acceptor_prepare(struct acceptor *acceptor, struct supervisor *supervisor,
    struct listener *listeners, size_t count);

/* Starts to accept. */
bool acceptor_open(struct acceptor *acceptor);

/* Called at the end of a turn: accepts again if the reason for the pause is gone. Returns whether it
 * must be called again after some time. */
bool acceptor_turn(struct acceptor *acceptor);

/* Stops to accept, and takes the addresses away. */
void acceptor_close(struct acceptor *acceptor);

/* Handlers of workers, see struct child_ops: a client waits for this worker, or none does. */
void acceptor_worker_created(struct child *child);
void acceptor_worker_failed(struct child *child, int failure);

#endif
