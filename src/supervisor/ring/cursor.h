/* SPDX-License-Identifier: ISC */
/*
 * cursor.h - what one reader of the ring is owed and holds: a worker that delivers to its own
 * client, or a courier with all of its clients.
 */
#ifndef CHATROOMD_SUPERVISOR_RING_CURSOR_H
#define CHATROOMD_SUPERVISOR_RING_CURSOR_H

#include "region/region.h"
#include "relay/frame.h"

#include <stdbool.h>
#include <stdint.h>

/* Sequence numbers; 0 is none. */
struct cursor {
    /* Where it says how far it is, in the part of the region that it writes: one of the two. */
    const struct delivery_state *delivery;
    const _Atomic uint64_t *oldest_needed;
    _Atomic uint64_t *wanted; /* where it looks whether somebody waits for that */
    uint32_t generation;      /* that `delivery` must have, else it has not begun */

    bool is_open;         /* it may hold something: its process can still read the ring */
    bool out_of_range;    /* its position was outside of what it was told; it must be ended */
    uint64_t position;    /* last copy of what it says, checked */
    uint64_t notified_to; /* one beyond what it has been told of */
    uint64_t jump_end;    /* notified_to before the first DELIVER whose jump was not made yet ... */
    uint64_t jump_from;   /* ... and where that one began */
    uint64_t unnotified_from; /* the first record owed that it has not been told of */
    uint64_t pending_to;      /* one beyond the last record owed */
};

/* It is owed something in [first, last]. Returns whether there is anything new to tell it. */
bool cursor_extend(struct cursor *cursor, uint64_t first, uint64_t last);

/* Its position, copied once and checked; one that lies stays where it was, and out_of_range is set. */
uint64_t cursor_position(struct cursor *cursor);

/* Where it goes on: its position, or the end of the jump that it has not made yet. What lies
 * between may be written over. */
uint64_t cursor_next(struct cursor *cursor);

/* The first record that must stay in the ring for it; 0: none. */
uint64_t cursor_needs(struct cursor *cursor);

/* Fills in the DELIVER that tells it of what is untold, and counts it as told. Returns false, with
 * nothing filled in, where there is nothing. */
bool cursor_notify(struct cursor *cursor, struct frame *frame);

#endif
