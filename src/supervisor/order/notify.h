/* SPDX-License-Identifier: ISC */
/*
 * notify.h - notifies each worker, once at the end of a turn, of what is new for it.
 */
#ifndef CHATROOMD_SUPERVISOR_ORDER_NOTIFY_H
#define CHATROOMD_SUPERVISOR_ORDER_NOTIFY_H

#include "supervisor/state.h"

/* Makes the turn's records pending for the members of the room, if that is due, and notifies all
 * workers and couriers for which there is anything new. Returns in how many milliseconds the records
 * that are left are due; 0: there are none. */
unsigned notify_turn(struct supervisor *supervisor);

#endif
