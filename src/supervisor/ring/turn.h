/* SPDX-License-Identifier: ISC */
/*
 * turn.h - the records for a room of which its members have not been notified.
 *
 * Only turn.c changes a struct turn; others may read it.
 */
#ifndef CHATROOMD_SUPERVISOR_RING_TURN_H
#define CHATROOMD_SUPERVISOR_RING_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct turn {
    uint64_t first;       /* sequence number of the oldest record; 0: there is none */
    uint64_t last;        /* of the newest record */
    uint64_t records;     /* how many there are */
    uint64_t notified_at; /* milliseconds, when the members were last notified */
};

/* Adds a record. `own` counts the messages of its sender in this turn; NULL: it is no message. */
void turn_add(struct turn *turn, uint64_t sequence, uint64_t *own);

/* Returns the first record of the turn that is `since` or newer; 0: there is none. */
uint64_t turn_since(const struct turn *turn, uint64_t since);

/* Returns whether the turn has any record that is not among a member's `own` messages, and resets
 * that count. */
bool turn_has_news(const struct turn *turn, uint64_t *own);

/* Returns in how many milliseconds the members are to be notified, if they are notified once in
 * `pace` milliseconds; 0: now, or there is nothing to notify them of. */
unsigned turn_due_in(const struct turn *turn, uint64_t now, uint64_t pace);

/* Ends the turn: the members are notified of all its records at `now`. */
void turn_end(struct turn *turn, uint64_t now);

#endif
