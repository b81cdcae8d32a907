/* SPDX-License-Identifier: ISC */
/*
 * couriers.h - the processes that deliver to many clients each: which client is whose, what they
 * are told, and what becomes of their clients when one dies.
 */
#ifndef CHATROOMD_SUPERVISOR_COURIER_COURIERS_H
#define CHATROOMD_SUPERVISOR_COURIER_COURIERS_H

#include "supervisor/state.h"

/* Makes the table for options->couriers couriers (0: nothing), and the first of them. False where
 * that cannot be asked for. */
bool couriers_open(struct supervisor *supervisor);

/* The records of the turn are owed to all couriers with members of the room. */
void couriers_add_turn(struct supervisor *supervisor);

/* Tells each what there is. */
void couriers_notify(struct supervisor *supervisor);

/* At the end of a turn: reaps, recovers and replaces those that died. Returns whether the clock is
 * needed. */
bool couriers_turn(struct supervisor *supervisor);

/* Every tick of the clock, before anybody's time is judged: finds out which of them react, and
 * kills one that has not for long. `elapsed` in milliseconds. */
void couriers_tick(struct supervisor *supervisor, uint64_t elapsed);

/* Time is up: kills all of them, and gives none of their clients another. */
void couriers_abandon(struct supervisor *supervisor);

/* Ends all of them and frees the table. */
void couriers_close(struct supervisor *supervisor);

/* --- for one client; `slot` is a courier's from its first record owed on */

/* As slot_add_pending(); gives the client a courier where it has none yet. */
void courier_add_pending(struct slot *slot, uint64_t first, uint64_t last);

/* The client is in the room from slot->joined on; or is not any more. */
void courier_joined(struct slot *slot);
void courier_left(struct slot *slot);

/* The courier is to end as `how` says; a later, harder end takes the place of an earlier one. */
void courier_end(struct slot *slot, enum frame_close how);

/* As slot_position(). */
uint64_t courier_position(struct slot *slot);

/* The record for which the client's full socket waits; 0: it does not. */
uint64_t courier_stalled_at(struct slot *slot);

/* Milliseconds that the courier is known to have tried in vain, if the client waits since the last
 * time this was asked; 0: not known yet. */
uint64_t courier_judged_ms(const struct slot *slot);

/* Where the client's courier says how far it is. */
const struct delivery_state *courier_delivery(const struct slot *slot);

#endif
