/* SPDX-License-Identifier: ISC */
/*
 * refusals.h - where a run of refusals begins and ends.
 *
 * The log is to have a line at its beginning and one at its end, however many are refused in
 * between, and however often one gets in between two who do not.
 */
#ifndef CHATROOMD_SUPERVISOR_ACCEPT_REFUSALS_H
#define CHATROOMD_SUPERVISOR_ACCEPT_REFUSALS_H

#include <stdbool.h>
#include <stdint.h>

enum refusal {
    REFUSAL_FULL,   /* no slot */
    REFUSAL_BUSY,   /* no worker to be had */
    REFUSAL_ACCEPT, /* not even accepted: waits in the backlog */
    REFUSAL_COUNT
};

/* How long nobody may have been refused for a run to be over. */
#define REFUSALS_QUIET_MS UINT64_C(2000)

/* All zero: there is no run. */
struct refusals {
    bool told[REFUSAL_COUNT]; /* the reasons of this run */
    bool running;
    bool let_in;      /* somebody, since the last refusal */
    uint64_t last_at; /* milliseconds */
    uint64_t count;   /* who were told to go away */
};

/* One is refused at `now`. Returns whether that is the run's first for this reason. */
bool refusals_note(struct refusals *refusals, enum refusal why, uint64_t now);

/* A newcomer was let in. */
void refusals_let_in(struct refusals *refusals);

/* Whether the run is over at `now`: somebody got in after the last refusal, and REFUSALS_QUIET_MS
 * have passed since that. Then there is no run any more, and `count` is how many were refused. */
bool refusals_over(struct refusals *refusals, uint64_t now, uint64_t *count);

/* Whether only time is missing for the run to be over. */
bool refusals_pass(const struct refusals *refusals);

#endif
