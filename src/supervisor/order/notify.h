/* SPDX-License-Identifier: ISC */
/*
 * notify.h - the end of a turn: telling each worker, once, what is new for it.
 */
#ifndef CHATROOMD_SUPERVISOR_ORDER_NOTIFY_H
#define CHATROOMD_SUPERVISOR_ORDER_NOTIFY_H

#include "supervisor/state.h"

/* Makes what was recorded for the room owed to its members, when that is due, and tells all workers
 * that there is anything to tell. Returns in how many milliseconds the room is to be told the rest;
 * 0: there is none. */
unsigned notify_turn(struct supervisor *supervisor);

#endif
