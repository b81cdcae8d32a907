/* SPDX-License-Identifier: ISC */
/*
 * cursor.h - how far one process has read the ring, and what it needs of it: a worker that delivers
 * to its own client, or a courier with all of its clients.
 */
#ifndef CHATROOMD_SUPERVISOR_RING_CURSOR_H
#define CHATROOMD_SUPERVISOR_RING_CURSOR_H

#include "region/region.h"
#include "relay/frame.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* Sequence numbers; 0 is none. */
struct cursor {
    /* Where the process publishes its position, in its own part of the region: one of the two. */
    const struct delivery_state *delivery;
    const _Atomic uint64_t *oldest_needed;
    _Atomic uint64_t *wanted; /* where it looks whether somebody waits for its position */
    uint32_t generation;      /* that `delivery` must have; else the process has not begun */

    bool is_open;             /* it is in the list of the space: its records must stay */
    TAILQ_ENTRY(cursor) link; /* in that list */

    /* It published a position that it cannot have. At the end of the turn the space calls `fault`
     * with the cursor's owner, which must kill the process; repeated calls have no effect. */
    bool out_of_range;
    bool *noted; /* set together with out_of_range, by the first such position; NULL: not used */
    void (*fault)(void *owner);
    void *owner;

    uint64_t position;            /* the last valid one */
    uint64_t notified_to;         /* one beyond the last record that it was notified of */
    uint64_t jump_end, jump_from; /* a jump that it has not made yet, see cursor.c */
    uint64_t unnotified_from;     /* the first pending record that it was not notified of */
    uint64_t pending_to;          /* one beyond the last pending record */
};

TAILQ_HEAD(cursor_list, cursor);

/* Makes [first, last] pending. Returns whether there is anything new to notify the process of. */
bool cursor_extend(struct cursor *cursor, uint64_t first, uint64_t last);

/* Returns its position, copied once and checked. If that is out of range, notes it and returns the
 * last valid position. */
uint64_t cursor_position(struct cursor *cursor);

/* Notes that the process published a position that it cannot have. */
void cursor_set_out_of_range(struct cursor *cursor);

/* Returns where it continues: its position, or the end of the jump that it has not made yet. The
 * records in between may be overwritten. */
uint64_t cursor_next(struct cursor *cursor);

/* Returns the first record that must stay in the ring for it; 0: none. */
uint64_t cursor_needs(struct cursor *cursor);

/* Fills in the DELIVER for all records that the process was not notified of, and counts them as
 * notified. Returns false, with nothing filled in, if there are none. */
bool cursor_notify(struct cursor *cursor, struct frame *frame);

/* Stores the position that the supervisor waits for, and fences: a position that is read after this
 * either shows that it was reached, or the process will send SPACE when it reaches it. */
void cursor_want(const struct cursor *cursor, uint64_t wanted);

/* Asks the process to send SPACE when its position is `wanted`, or what it was notified of ends.
 * Returns true if there is nothing to wait for. */
bool cursor_ask(struct cursor *cursor, uint64_t wanted);

#endif
