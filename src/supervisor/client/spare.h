/* SPDX-License-Identifier: ISC */
/*
 * spare.h - workers that are created ahead, so that a new client does not wait for a fork.
 */
#ifndef CHATROOMD_SUPERVISOR_CLIENT_SPARE_H
#define CHATROOMD_SUPERVISOR_CLIENT_SPARE_H

#include "supervisor/state.h"

/* Requests the worker of a slot that was just taken. Returns NULL, or, with errno set, what failed. */
const char *spare_make(struct slot *slot);

/* Returns a slot whose worker waits for a client, or will as soon as it is created, and which is not
 * spare any more; NULL: there is none. */
struct slot *spare_take(struct supervisor *supervisor);

/* A spare worker has died or could not be created: the next one is created later. */
void spare_failed(struct supervisor *supervisor);

/* At the end of a turn: requests the workers that are missing, or sets `due_in` to the milliseconds
 * until that is due (0: it is not). Returns whether the clock is needed. */
bool spares_turn(struct supervisor *supervisor, unsigned *due_in);

#endif
