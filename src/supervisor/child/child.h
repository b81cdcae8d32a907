/* SPDX-License-Identifier: ISC */
/*
 * child.h - the processes that the supervisor runs: one lifecycle and one watchdog for every kind.
 */
#ifndef CHATROOMD_SUPERVISOR_CHILD_CHILD_H
#define CHATROOMD_SUPERVISOR_CHILD_CHILD_H

#include "process/kinds.h"
#include "relay/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

struct child;
struct relay;
struct supervisor;

/*
 *     NONE -> ASKED -> RUNNING -> REAPED -> NONE
 *               |                    ^
 *               '--------------------'   it could not be created
 */
enum child_state { CHILD_NONE, CHILD_ASKED, CHILD_RUNNING, CHILD_REAPED };

/* The supervisor's side of a kind. All are called with one child of it. */
struct child_ops {
    void (*frame)(struct child *child, const struct frame *frame);
    void (*writable)(struct child *child); /* its relay accepts frames again */

    /* Its process ID is known, or it could not be created, for this errno; ECHILD: the forker died,
     * and the child may exist all the same until its relay ends. */
    void (*created)(struct child *child);
    void (*failed)(struct child *child, int failure);

    void (*fault)(struct child *child, const char *what); /* logs that it broke a rule */
    void (*closed)(struct child *child);                  /* its relay has ended */
    void (*exited)(struct child *child);                  /* it is reaped; wait_status is known */

    /* In each turn in which its relay has ended and it is reaped, until child_forget(). */
    void (*gone)(struct child *child);

    /* The watchdog pings a child that has work. NULL: children of this kind are not watched. */
    bool (*has_work)(struct child *child);
    uint64_t (*last_answer)(const struct child *child); /* the number of the last PING answered */

    unsigned exit_grace_ms; /* how long it may take to exit once its relay has ended */
};

struct child {
    struct supervisor *supervisor;
    const struct child_ops *ops;
    enum kind_number kind;
    uint32_t number;

    enum child_state state;
    struct relay *relay; /* NULL once it has ended */
    pid_t pid;           /* 0: not known */
    int wait_status;     /* 0 if it was never created */
    bool faulted;        /* it broke a rule, and that is logged */
    bool killed;         /* by the supervisor */

    uint64_t kill_at; /* milliseconds, while kill_pending */
    bool kill_pending, is_closing;
    TAILQ_ENTRY(child) kill_link, closing_link;

    /* The watchdog. */
    uint64_t pinged;       /* the number of the last PING */
    uint64_t silent_ms;    /* for how long that has not been answered */
    bool ping_waits;       /* it is still in the supervisor's buffer */
    uint64_t uncounted_ms; /* since the last tick at which it had answered ... */
    uint64_t counted_ms;   /* ... and, at such a tick, how much of that counts; else 0 */
};

TAILQ_HEAD(child_list, child);

struct children {
    struct child_list to_kill, closing;
    struct child *next; /* that children_reap() visits, unless it is forgotten before */
    struct {
        struct child *first;
        size_t stride;
        unsigned count;
    } tables[KINDS_MAX]; /* by kind */
};

void children_init(struct supervisor *supervisor);

/* Makes the `count` children, which stand `stride` bytes apart from `first` on, those of a kind. */
void children_register(struct supervisor *supervisor, enum kind_number kind,
    const struct child_ops *ops, struct child *first, size_t stride, unsigned count);

/* A new life begins with its relay, whose end on this side is `relay_fd`. Returns false, with errno
 * set and the descriptor closed, if the event loop accepts no more. */
bool child_open(struct child *child, int relay_fd);

/* Opens it and requests its process, which gets the other end of a new relay and a copy of `handover_fd` (-1:
 * none). Frames may be sent at once. Returns NULL, or, with errno set, what failed. */
const char *child_ask(struct child *child, uint32_t generation, int handover_fd);

/* It broke the rule that `what` says: that is logged once, and it is killed. */
void child_fault(struct child *child, const char *what);

/* Kills it unless it has exited within `delay` milliseconds, or cancels that. An earlier time stays. */
void child_kill_after(struct child *child, unsigned delay);
void child_cancel_kill(struct child *child);

/* Its process will never be created: it is as if it had exited. */
void child_give_up(struct child *child);

/* Whether its relay has ended and it is reaped or was never created: it has nothing mapped. */
bool child_is_gone(const struct child *child);

/* It is CHILD_NONE again. */
void child_forget(struct child *child);

/* Ends its relay and its process, and waits for that. */
void child_destroy(struct child *child);

/* At the end of a turn: reaps children whose relay has ended. */
void children_reap(struct supervisor *supervisor);

/* At the end of a turn: kills those whose time has come. Returns whether others will be killed. */
bool children_kill_due(struct supervisor *supervisor);

/* Whether the watchdog needs the clock for this child. */
bool child_is_watched(struct child *child);

/* At each tick of the clock: the watchdog. `elapsed` in milliseconds. */
void child_watch(struct child *child, uint64_t elapsed);

#endif
