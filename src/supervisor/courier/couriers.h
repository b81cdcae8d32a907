/* SPDX-License-Identifier: ISC */
/*
 * couriers.h - the processes that deliver to many clients each. What they do for one client is behind
 * courier_delivery_ops (client/delivery_ops.h).
 */
#ifndef CHATROOMD_SUPERVISOR_COURIER_COURIERS_H
#define CHATROOMD_SUPERVISOR_COURIER_COURIERS_H

#include "supervisor/state.h"

/* Creates the table for options->couriers couriers (0: none), and requests the first of them. Returns
 * false if that is not possible. */
bool couriers_open(struct supervisor *supervisor);

/* Starts couriers that are missing, and sends each what there is to send. */
void couriers_notify(struct supervisor *supervisor);

/* At the end of a turn. Returns whether the clock is needed. */
bool couriers_turn(struct supervisor *supervisor);

/* At each tick of the clock, before stall_tick(): finds out which of them answer and deliver, and
 * kills one that has not for too long. `elapsed` in milliseconds. */
void couriers_tick(struct supervisor *supervisor, uint64_t elapsed);

/* Time is up: kills all of them, and none of their clients gets another one. */
void couriers_abandon(struct supervisor *supervisor);

/* Ends all of them and frees the table. */
void couriers_close(struct supervisor *supervisor);

#endif
