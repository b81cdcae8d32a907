/* SPDX-License-Identifier: ISC */
/*
 * run.h - one run of the server: the supervisor's state and what the files directly in supervisor/
 * add to it.
 */
#ifndef CHATROOMD_SUPERVISOR_RUN_H
#define CHATROOMD_SUPERVISOR_RUN_H

#include "supervisor/accept/acceptor.h"
#include "supervisor/state.h"

struct event;

struct run {
    struct supervisor supervisor;
    struct acceptor acceptor;
    struct listener *listeners;
    size_t listener_count;
    struct event *signals[16];
    struct event *tick;
    struct event *wake;    /* a deferred notification or a spare worker is due */
    uint64_t ticked_at;    /* milliseconds; 0: no tick is scheduled */
    uint64_t drained_at;   /* while stopping: when drain-timeout is over ... */
    uint64_t finished_at;  /* ... and when the remaining children are killed */
    int stop_signal;       /* the first signal to stop, or 0 ... */
    uint64_t repeated_to;  /* ... and until when the same signal is a repetition */
    const char *killed_by; /* why everything is killed at once, for the log; NULL: it is not */
};

#endif
