/* SPDX-License-Identifier: ISC */
/*
 * workload.h - a seeded workload for a running server, recorded for the checker (checker.h).
 *
 * Model: one thread plays all clients. In turns it moves bytes for all, and lets some of them do
 * what the seed chooses: join, send bursts, change names, send commands, quit, half-close, reset,
 * stop reading for a while or for good; it may also kill workers. Two clients stay: the witness,
 * which joins first and only reads, and the conductor, which says the final message when all
 * messages have arrived. The seed does not determine the server's timing, so a seed repeats what
 * the clients do, but not the order.
 *
 * Every wait is bounded. If one takes too long, the run ends there, and workload_check() says what
 * is missing.
 */
#ifndef CHATROOMD_TESTS_CHECKER_WORKLOAD_H
#define CHATROOMD_TESTS_CHECKER_WORKLOAD_H

#include "tests/checker/checker.h"
#include "tests/system/daemon.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct workload_plan {
    uint64_t seed;
    unsigned at_once;     /* clients in the room, besides the witness and the conductor */
    unsigned newcomers;   /* clients that join in all */
    unsigned messages;    /* that are sent in all */
    unsigned payload_max; /* bytes, at most MESSAGE_PAYLOAD_MAX */

    /* How many times in a thousand acts a client ... */
    unsigned quits;
    unsigned half_closes;
    unsigned resets;
    unsigned pauses;  /* ... stops reading for a while */
    unsigned freezes; /* ... stops reading until the end of the run */
    unsigned kills;   /* ... loses its worker */

    /* Kills a worker, but none of a client with one of these names; `choice` is a random number. */
    void (*kill_worker)(void *context, const char *const *spared, unsigned choice);

    /* If not NULL, called in each turn: does something else, without waiting. The run continues
     * while it returns true, so it needs a bound of its own. Other clients that it connects are
     * strangers. */
    bool (*disturb)(void *context);
    void *context; /* of both */

    struct daemon *daemon; /* the server, which has no other clients but strangers */
};

struct workload;

/* Carries out the plan. Free the result with workload_free(). */
struct workload *workload_play(const struct workload_plan *plan);

/* Checks the run, with the server's log until now. */
bool workload_check(struct workload *workload, struct checker_report *report);

/* Closes all connections. */
void workload_free(struct workload *workload);

#endif
